"""Counted behaviour: how often somebody did something, as a source that rules compare."""

from dataclasses import dataclass, replace
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from marketing.segments.behaviours import Behaviour
from marketing.segments.local_time import LocalDay
from marketing.segments.sources import Computed, Source
from marketing.segments.tally import Tally
from marketing.segments.value_types.base import COMPARISONS
from marketing.segments.value_types.numbers import Number

MAX_TIMES = 100_000


class _NewestThat(Subquery):
    """How many of the newest rows of a slice are `so`; NULL when there are fewer than asked."""

    template = (
        "(SELECT CASE WHEN count(*) = %(last)s THEN count(*) FILTER (WHERE newest.so) END"
        " FROM (%(subquery)s) newest)"
    )
    output_field = IntegerField()


@dataclass(frozen=True)
class Counted:
    """The rows of a behaviour that are `where`, of the last `days` days or among the `last`.

    Looked up person by person; with a `tally`, or `at_once`, for everybody at once.
    """

    behaviour: Behaviour
    where: Q
    outcome: Q
    days: int | None = None
    last: int | None = None
    day: LocalDay | None = None
    tally: Tally | None = None
    at_once: bool = False

    def on(self, day: LocalDay) -> "Counted":
        return replace(self, day=day)

    def compare(self, lookup: str, value: Any) -> Q:
        if times := self._counted():
            return times.compare(lookup, value)
        if lookup == "exact":
            return self._at_least(value) & ~self._at_least(value + 1)
        at_least = self._at_least(value + (lookup in ("gt", "lte")))
        return at_least if lookup in ("gt", "gte") else ~at_least

    def is_known(self) -> Q:
        return Q() if self.last is None else self._among_last().is_known()

    def expression(self) -> Combinable:
        if times := self._counted():
            return times.expression()
        rows = self._hers(self.judged()).order_by().values("customer_id")
        return Coalesce(Subquery(rows.annotate(times=Count("pk")).values("times")), 0)

    def condition(self) -> Q:
        """What a row must be to count."""
        return self._since() & self.where & self.outcome

    def judged(self) -> QuerySet[Any]:
        """The rows that count, of everybody."""
        if self.last is not None:
            return self.marked()
        return self.behaviour.rows().filter(self.condition())

    def marked(self) -> QuerySet[Any]:
        """The rows of which the newest are judged, of everybody, and whether each is `so`."""
        so = Case(When(self.outcome, then=Value(True)), default=Value(False))
        rows = self.behaviour.rows().filter(self._since(), self.where)
        marked: QuerySet[Any] = rows.annotate(so=so)
        return marked

    def _counted(self) -> Source | None:
        """The number itself, where it is not asked by looking for the row that makes it up."""
        if self.tally is not None and (times := self.tally.times(self)) is not None:
            return Computed(times)
        return None if self.last is None else self._among_last()

    def _at_least(self, times: int) -> Q:
        """Whether there is a `times`-th row: nothing is counted beyond it."""
        if times <= 0:
            return Q(Value(True, BooleanField()))
        rows = self._hers(self.judged())
        first = Q(Exists(rows))
        if times == 1:
            return first
        if self.at_once:
            often = self.judged().order_by().values("customer_id").annotate(times=Count("pk"))
            return Q(pk__in=often.filter(times__gte=times).values("customer_id"))
        # The first row by itself can be found by one join; only who has it is counted further.
        return first & Q(Exists(rows.order_by(self.behaviour.newest_first)[times - 1 : times]))

    def _among_last(self) -> Source:
        newest = self._hers(self.marked()).order_by(self.behaviour.newest_first).values("so")
        return Computed(_NewestThat(newest[: self.last], last=self.last))

    def _hers(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(customer_id=OuterRef("pk"))

    def _since(self) -> Q:
        if self.days is None or self.day is None:
            return Q()
        return self.behaviour.since(self.day.start(-self.days))


class Times(Number):
    """How often: a whole number from 0. Judged by the customer's day where days bound it."""

    operators = COMPARISONS

    def __init__(self, *, uses_clock: bool) -> None:
        super().__init__()
        self.uses_clock = uses_clock

    def clean(self, value: Any) -> int:
        times = super().clean(value)
        if not 0 <= times <= MAX_TIMES:
            raise ValueError(_("Enter a number of times from 0 to %(max)d.") % {"max": MAX_TIMES})
        return int(times)

    def condition(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        return super().condition(source.on(day), op, operand, day)
