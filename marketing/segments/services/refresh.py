"""Counts of segments, taken for all of them in one pass over the customers.

A dynamic segment is judged afresh wherever it is used, so its stored rows are needed only
to tell who entered and who left; they are kept while something follows segments.
"""

import datetime as dt
import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet

from customers.models import Customer
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed
from marketing.core.ids import lower_bound
from marketing.segments.compiler import membership
from marketing.segments.context import RuleContext
from marketing.segments.models import MembershipChange, Segment, SegmentMember
from marketing.segments.selectors import active_customers, audience
from marketing.segments.services.membership import is_followed, write_difference

logger = logging.getLogger(__name__)

# How many segments one pass counts; PostgreSQL allows 1,664 columns.
PASS = 100
KEEP_CHANGES = dt.timedelta(days=7)

BranchCounts = dict[str, int]


def refresh_segment(*, actor: Actor, segment: Segment) -> Segment:
    """Count one segment again and return it as it now is.

    Raises `ValidationFailed` when its rules can no longer be used.
    """
    actor.require("segment.manage")
    context = RuleContext()
    membership(segment, context)
    _refresh([segment], context)
    segment.refresh_from_db()
    return segment


def refresh_all() -> int:
    """Count every segment of the open tenant scope again; returns how many it counted.

    One whose rules can no longer be used keeps its former count and is logged.
    """
    context = RuleContext()
    segments = Segment.objects.filter(is_active=True)
    context.know(segments)
    usable = [segment for segment in segments if _is_usable(segment, context)]
    for start in range(0, len(usable), PASS):
        _refresh(usable[start : start + PASS], context)
    MembershipChange.objects.filter(id__lt=lower_bound(context.now - KEEP_CHANGES)).delete()
    return len(usable)


def _is_usable(segment: Segment, context: RuleContext) -> bool:
    try:
        membership(segment, context)
    except ValidationFailed as error:
        logger.warning("segment %s cannot be counted: %s", segment.pk, error.fields)
        return False
    return True


@transaction.atomic
def _refresh(segments: Sequence[Segment], context: RuleContext) -> None:
    read_at = clock.now()
    dynamic = [segment for segment in segments if segment.is_dynamic]
    counts = _count_dynamic(dynamic, context) | _count_static(
        [segment for segment in segments if not segment.is_dynamic]
    )
    for segment in segments:
        by_branch = counts.get(segment.pk, {})
        is_newest = _unless_newer(segment, read_at).update(
            customer_count=sum(by_branch.values()),
            branch_counts=by_branch,
            last_refreshed_at=read_at,
        )
        if is_newest and segment.is_dynamic and is_followed():
            write_difference(segment, audience(segment=segment, branch_ids=None, now=context.now))


def _unless_newer(segment: Segment, read_at: dt.datetime) -> QuerySet[Segment]:
    """The segment's row, unless its rules or its count are newer than what was read."""
    return Segment.objects.filter(
        Q(last_refreshed_at__isnull=True) | Q(last_refreshed_at__lte=read_at),
        pk=segment.pk,
        version=segment.version,
    )


def _count_dynamic(
    segments: Sequence[Segment], context: RuleContext
) -> dict[uuid.UUID, BranchCounts]:
    if not segments:
        return {}
    columns = {
        f"count_{index}": Count("pk", filter=membership(segment, context))
        for index, segment in enumerate(segments)
    }
    rows: Iterable[Mapping[str, Any]] = (
        active_customers(None).order_by().values("home_branch_id").annotate(**columns)
    )
    counts: dict[uuid.UUID, BranchCounts] = defaultdict(dict)
    for row in rows:
        for index, segment in enumerate(segments):
            if count := row[f"count_{index}"]:
                counts[segment.pk][str(row["home_branch_id"] or "")] = count
    return counts


def _count_static(segments: Sequence[Segment]) -> dict[uuid.UUID, BranchCounts]:
    members = (
        SegmentMember.objects.filter(segment__in=segments, customer__status=Customer.Status.ACTIVE)
        .order_by()
        .values("segment_id", branch_id=F("customer__home_branch_id"))
        .annotate(count=Count("pk"))
    )
    counts: dict[uuid.UUID, BranchCounts] = defaultdict(dict)
    for row in members:
        counts[row["segment_id"]][str(row["branch_id"] or "")] = row["count"]
    return counts
