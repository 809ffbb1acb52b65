"""How often everybody did what rules count: each table is gone through once for all rules.

    tally = Tally()
    context = RuleContext(tally=tally)
    conditions = [membership(segment, context) for segment in segments]    # notes what they count
    tally.take(active_customers(None))
    tally.joined(active_customers(None)).filter(conditions[0])

Looked up person by person, what fifty segments count takes minutes for a million people.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, F, Func, IntegerField, Q, QuerySet, Subquery, Window
from django.db.models.expressions import BaseExpression, Combinable
from django.db.models.functions import RowNumber

from customers.models import Customer

if TYPE_CHECKING:
    from marketing.segments.counted import Counted

TABLE = "segments_tally"
# PostgreSQL allows 1,664 columns; what is beyond is looked up person by person.
MOST = 1_000


@dataclass
class _Scan:
    """One grouping of a behaviour's rows by customer, and the SQL of each thing it counts."""

    rows: QuerySet[Any]
    conditions: list[Q] = field(default_factory=list)
    last: int | None = None

    def sql(self) -> tuple[str, tuple[Any, ...]]:
        """`customer_id` and the array `times`, of those who have any."""
        if self.last is not None:
            return self._newest(self.last)
        counts = [Count("pk", filter=condition) for condition in self.conditions]
        rows = self.rows
        if all(self._narrows(condition) for condition in self.conditions):
            rows = rows.filter(Q(*self.conditions, _connector=Q.OR))
        times = Func(
            *counts, template="ARRAY[%(expressions)s]", output_field=ArrayField(IntegerField())
        )
        grouped: QuerySet[Any] = rows.order_by().values("customer_id").annotate(times=times)
        sql, params = grouped.query.sql_with_params()
        return sql, params

    def _narrows(self, condition: Q) -> bool:
        everything = self.rows.query.sql_with_params()
        return self.rows.filter(condition).query.sql_with_params() != everything

    def _newest(self, last: int) -> tuple[str, tuple[Any, ...]]:
        sql, params = self.rows.query.sql_with_params()
        times = f"CASE WHEN count(*) = {last} THEN count(*) FILTER (WHERE so) END"
        return (
            f"SELECT customer_id, ARRAY[{times}] AS times FROM ({sql}) AS newest"  # noqa: S608  the ORM's SQL
            f" WHERE place <= {last} GROUP BY customer_id",
            params,
        )


class Tally:
    """What the rules of one task count, and the temporary table of how often everybody did it."""

    def __init__(self) -> None:
        self._scans: list[_Scan] = []
        self._shared: dict[str, int] = {}
        self._known: dict[tuple[Any, ...], Combinable] = {}

    def times(self, counted: "Counted") -> Combinable | None:
        """The number as a column of the table; None where it must be looked up by person.

        NULL where somebody has fewer rows than are to be judged.
        """
        try:
            sql, params = counted.judged().query.sql_with_params()
        except EmptyResultSet:
            return None
        key = (counted.behaviour.name, counted.last, sql, repr(params))
        if key not in self._known:
            if len(self._known) >= MOST:
                return None
            self._known[key] = self._noted(counted)
        return self._known[key]

    def take(self, customers: QuerySet[Customer]) -> None:
        """Count for these customers; the table lasts until the transaction ends."""
        if not self._scans:
            return
        sql, params = customers.order_by().values("pk").query.sql_with_params()
        columns, joins = "", ""
        for index, scan in enumerate(self._scans):
            scan_sql, scan_params = scan.sql()
            columns += f", scan_{index}.times AS times_{index}"
            joins += f" LEFT JOIN ({scan_sql}) AS scan_{index}"
            joins += f" ON scan_{index}.customer_id = customer.id"
            params += scan_params
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{TABLE}")
            cursor.execute(
                f"CREATE TEMPORARY TABLE {TABLE} ON COMMIT DROP AS"  # noqa: S608  the ORM's SQL
                f" SELECT customer.id AS customer_id{columns} FROM ({sql}) AS customer(id){joins}",
                params,
            )

    def joined(self, customers: QuerySet[Customer]) -> QuerySet[Customer]:
        """Those of these customers who were counted for, with what was counted."""
        if not self._scans:
            return customers
        same = f'"{TABLE}"."customer_id" = "{Customer._meta.db_table}"."id"'
        return customers.extra(tables=[TABLE], where=[same])  # noqa: S610  constants

    def _noted(self, counted: "Counted") -> Combinable:
        if counted.last is not None:
            self._scans.append(_Scan(_in_order(counted), last=counted.last))
            return _column(len(self._scans) - 1, 1)
        condition = counted.condition()
        # One that asks another table stands alone in a WHERE, where PostgreSQL can join it.
        if has_subquery(condition):
            self._scans.append(_Scan(counted.judged(), [Q()]))
            return _or_none(_column(len(self._scans) - 1, 1))
        name = counted.behaviour.name
        if name not in self._shared:
            self._shared[name] = len(self._scans)
            self._scans.append(_Scan(counted.behaviour.rows()))
        scan = self._scans[self._shared[name]]
        scan.conditions.append(condition)
        return _or_none(_column(self._shared[name], len(scan.conditions)))


def _in_order(counted: "Counted") -> QuerySet[Any]:
    """Who, whether the row is what is asked for, and its place from the newest on."""
    place = Window(
        RowNumber(),
        partition_by=F("customer_id"),
        order_by=counted.behaviour.newest_first,
    )
    rows: QuerySet[Any] = counted.marked().order_by().annotate(place=place)
    return rows.values("customer_id", "so", "place")


def _column(scan: int, index: int) -> Func:
    return Func(template=f'"{TABLE}"."times_{scan}"[{index}]', output_field=IntegerField())


def _or_none(times: Func) -> Func:
    return Func(times, template="coalesce(%(expressions)s, 0)", output_field=IntegerField())


def has_subquery(part: Any) -> bool:
    """Whether a condition asks other tables than those joined one to one."""
    if isinstance(part, Subquery):
        return True
    if isinstance(part, Q):
        return _any_has(
            [child[1] if isinstance(child, tuple) else child for child in part.children]
        )
    if isinstance(part, BaseExpression):
        return _any_has(part.get_source_expressions())
    return False


def _any_has(parts: Sequence[Any]) -> bool:
    return any(has_subquery(each) for each in parts)
