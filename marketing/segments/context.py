"""What compiling and describing rules look up, each once."""

import datetime as dt
import uuid
from collections.abc import Iterable
from copy import copy
from functools import cached_property
from typing import Any

from django.db.models import Q

from marketing.core import clock
from marketing.core.models import Branch, Tenant
from marketing.core.tenancy import current_tenant
from marketing.segments.fields import Fields, SegmentField
from marketing.segments.local_time import LocalDay, in_each_zone
from marketing.segments.models import Segment
from marketing.segments.tally import Tally


class RuleContext:
    """The moment and the chain in which rules are read; shared by all rules of one task.

    `zone` is for people without a home branch; left out, it is the chain's. With a `tally`,
    what rules count is counted for everybody at once, for all of them together; `at_once` for
    each by itself.
    """

    def __init__(
        self,
        *,
        now: dt.datetime | None = None,
        zone: str = "",
        tally: Tally | None = None,
        at_once: bool = False,
    ) -> None:
        self.now = now or clock.now()
        self.tally = tally
        self.at_once = at_once
        self._zone = zone
        self.fields = Fields()
        self._segments: dict[uuid.UUID, Segment | None] = {}

    def counting_at_once(self) -> "RuleContext":
        """The same for a question about everybody; what was looked up is not looked up again."""
        other = copy(self)
        other.at_once = True
        return other

    def with_tally(self) -> tuple["RuleContext", Tally]:
        """The same with a tally of its own."""
        other = copy(self)
        other.tally = Tally()
        return other, other.tally

    @cached_property
    def tenant(self) -> Tenant:
        return current_tenant()

    @cached_property
    def zone(self) -> str:
        return self._zone or self.tenant.time_zone

    @cached_property
    def branch_zones(self) -> list[str]:
        zones = Branch.objects.order_by().values_list("time_zone", flat=True).distinct()
        return [zone for zone in zones if zone != self.zone]

    def condition(self, field: SegmentField, op: str, operand: Any) -> Q:
        """The field's condition; where it looks at the clock, on each customer's own calendar."""

        def build(day: LocalDay) -> Q:
            return field.type.condition(field.source, op, operand, day)

        if not field.type.uses_clock:
            return build(LocalDay.at(self.now, self.zone))
        return in_each_zone(build, now=self.now, zone=self.zone, branch_zones=self.branch_zones)

    def today(self, branch: Branch | None) -> LocalDay:
        return LocalDay.at(self.now, branch.time_zone if branch else self.zone)

    def segment(self, pk: uuid.UUID) -> Segment | None:
        """A segment that still exists, else None."""
        if pk not in self._segments:
            self._segments[pk] = Segment.objects.filter(pk=pk, is_active=True).first()
        return self._segments[pk]

    def know(self, segments: Iterable[Segment]) -> None:
        """Read many segments at once, so that references among them cost nothing more."""
        self._segments |= {segment.pk: segment for segment in segments if segment.is_active}
