"""Module 11's seven built-in segments."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop as _

from marketing.segments.models import Segment, SegmentType


def _where(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"operator": "AND", "conditions": [{"field": field, "op": op, "value": value}]}


SYSTEM_SEGMENTS: dict[str, dict[str, Any]] = {
    _("New Customers"): _where("visit_count", "eq", 1),
    _("Repeat Customers"): _where("visit_count", "gt", 1),
    _("Inactive Customers (30+ days)"): _where("last_visit_days", "gt", 30),
    _("High-Value Customers"): _where("total_spend", "gt", 10000),
    _("Package Holders"): _where("has_active_package", "eq", True),
    _("Members"): _where("has_active_membership", "eq", True),
    _("Birthday This Month"): _where("birthday_month", "eq", "current"),
}


@transaction.atomic
def ensure_system_segments() -> None:
    """Make the built-in segments of the open tenant scope what they should be, by name.

    Two at once do no harm: the later one finds the names taken and leaves them.
    """
    Segment.objects.bulk_create(
        (
            Segment(name=name, rules=rules, segment_type=SegmentType.SYSTEM)
            for name, rules in SYSTEM_SEGMENTS.items()
        ),
        ignore_conflicts=True,
    )
    for segment in Segment.objects.select_for_update().filter(
        segment_type=SegmentType.SYSTEM, name__in=SYSTEM_SEGMENTS
    ):
        rules = SYSTEM_SEGMENTS[segment.name]
        if segment.rules != rules:
            segment.rules = rules
            segment.version += 1
            segment.save()
