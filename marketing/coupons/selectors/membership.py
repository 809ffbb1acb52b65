"""Which segments a customer is in, judged now, with what compiling them gave kept in the process.

Kept is the SQL of a segment, never who is in it. Each look first reads the state of all that rules
are compiled from; another state, or another day in one of the chain's zones, compiles anew.
"""

import datetime as dt
import uuid
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from django.core.exceptions import EmptyResultSet
from django.db import connection

from customers.models import Customer
from marketing.core.errors import ValidationFailed
from marketing.core.prepared import kept_cursor
from marketing.core.tenancy import current_tenant_id
from marketing.coupons.pricing.terms import NO_IDS
from marketing.segments.compiler import membership
from marketing.segments.context import RuleContext
from marketing.segments.models import Segment

# The place of a row and who wrote it change with every change of it, committed or not yet.
STATE = """
SELECT (SELECT sum(hashtextextended(row.xmin::text || row.ctid::text, 0))
        FROM segments_segment row WHERE row.tenant_id = %(tenant)s),
       (SELECT sum(hashtextextended(row.xmin::text || row.ctid::text, 0))
        FROM customers_attributedefinition row WHERE row.tenant_id = %(tenant)s),
       sum(hashtextextended(row.xmin::text || row.ctid::text, 0)), array_agg(DISTINCT row.time_zone)
FROM core_branch row WHERE row.tenant_id = %(tenant)s
"""
# A choice that is gone (a service, a plan) takes so long to make its rule one at fault.
LONGEST = dt.timedelta(minutes=1)
KEPT = 2_000
# Stands for the customer while compiling.
SOMEBODY = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A query that asks for `%(customer)s` alone; `sql` empty: nobody is in it."""

    state: tuple[Any, ...]
    at: dt.datetime
    sql: str = ""


_kept: OrderedDict[tuple[uuid.UUID, str], _Compiled] = OrderedDict()
_lock = Lock()


def segments_of(
    customer_id: uuid.UUID | None, segment_ids: Collection[str], *, zone: str, now: dt.datetime
) -> frozenset[str]:
    """Which of these segments she is in now; one that is gone or at fault has nobody.

    Two statements, none where nothing is asked. `zone` is the chain's.
    """
    if not segment_ids or customer_id is None:
        return NO_IDS
    compiled = _compiled(sorted(segment_ids), zone, now)
    asked = [(pk, query.sql) for pk, query in compiled if query.sql]
    if not asked:
        return NO_IDS
    with kept_cursor() as cursor:
        cursor.execute(
            "SELECT " + ", ".join(f"EXISTS ({sql})" for _pk, sql in asked),
            {"customer": customer_id},
        )
        row = cursor.fetchone() or ()
    return frozenset(pk for (pk, _sql), holds in zip(asked, row, strict=True) if holds)


def _compiled(
    segment_ids: Iterable[str], zone: str, now: dt.datetime
) -> list[tuple[str, _Compiled]]:
    tenant_id = current_tenant_id()
    state = _state(tenant_id, zone, now)
    found: dict[str, _Compiled] = {}
    missing = []
    with _lock:
        for pk in segment_ids:
            known = _kept.get((tenant_id, pk))
            if known is not None and known.state == state and now - known.at < LONGEST:
                found[pk] = known
            else:
                missing.append(pk)
    if missing:
        made = _compile(missing, state, zone, now)
        found |= made
        with _lock:
            for pk, query in made.items():
                _kept[tenant_id, pk] = query
                _kept.move_to_end((tenant_id, pk))
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
    return list(found.items())


def _state(tenant_id: uuid.UUID, zone: str, now: dt.datetime) -> tuple[Any, ...]:
    with kept_cursor() as cursor:
        cursor.execute(STATE, {"tenant": tenant_id})
        *sums, zones = cursor.fetchone() or (None,)
    days = [now.astimezone(ZoneInfo(name)).date() for name in (zone, *sorted(zones or ()))]
    return (zone, *sums, *(zones or ()), *days)


def _compile(
    segment_ids: Collection[str], state: tuple[Any, ...], zone: str, now: dt.datetime
) -> dict[str, _Compiled]:
    context = RuleContext(now=now, zone=zone)
    made = dict.fromkeys(segment_ids, _Compiled(state, now))
    for segment in Segment.objects.filter(pk__in=segment_ids, is_active=True):
        try:
            she = Customer.objects.filter(membership(segment, context), pk=SOMEBODY)
            sql, params = she.order_by().values("pk").query.sql_with_params()
        except (ValidationFailed, EmptyResultSet):
            continue
        made[str(segment.pk)] = _Compiled(state, now, _of_anybody(sql, params))
    return made


def _of_anybody(sql: str, params: Sequence[Any]) -> str:
    """The query with all but the customer written out, so that its plan can be kept for all."""
    connection.ensure_connection()
    writer = psycopg.ClientCursor(connection.connection)
    written = writer.mogrify(sql, params).replace("%", "%%")
    return written.replace(writer.mogrify("%s", [SOMEBODY]), "%(customer)s")
