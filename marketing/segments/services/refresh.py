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

from django.db import connection, transaction
from django.db.models import Count, F

from customers.models import Customer
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed
from marketing.core.ids import lower_bound
from marketing.segments.compiler import membership
from marketing.segments.context import RuleContext
from marketing.segments.models import MembershipChange, Segment, SegmentMember, SegmentSize
from marketing.segments.selectors import active_customers, audience
from marketing.segments.services.membership import is_followed, write_difference

logger = logging.getLogger(__name__)

# How many segments one pass counts; PostgreSQL allows 1,664 columns.
PASS = 100
KEEP_CHANGES = dt.timedelta(days=7)
KEEP_SIZES = dt.timedelta(days=400)
WRITTEN = (
    *("customer_count", "branch_counts", "last_refreshed_at"),
    *("refresh_number", "keeps_members"),
)

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
    SegmentSize.objects.filter(day__lt=context.now - KEEP_SIZES).delete()
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
    number, read_at = _next_number(), clock.now()
    followed = is_followed()
    dynamic = [segment for segment in segments if segment.is_dynamic]
    counts = {} if followed else _count_dynamic(dynamic, context)
    newest = _locked_unless_newer(segments, number)
    if followed:
        for segment in newest:
            if segment.is_dynamic:
                people = audience(segment=segment, branch_ids=None, now=context.now)
                write_difference(segment, people)
    # In a later statement than the lock: what is counted here nobody else can change.
    counts |= _count_members([each for each in newest if followed or not each.is_dynamic])
    for segment in newest:
        segment.branch_counts = counts.get(segment.pk, {})
        segment.customer_count = sum(segment.branch_counts.values())
        segment.last_refreshed_at = read_at
        segment.refresh_number = number
        segment.keeps_members = followed and segment.is_dynamic
    Segment.objects.bulk_update(newest, WRITTEN)
    day = context.today(None).today
    SegmentSize.objects.bulk_create(
        (
            SegmentSize(
                segment=segment,
                day=day,
                customer_count=segment.customer_count,
                branch_counts=segment.branch_counts,
            )
            for segment in newest
        ),
        update_conflicts=True,
        unique_fields=["segment", "day"],
        update_fields=["customer_count", "branch_counts"],
    )


def _next_number() -> int:
    """Drawn right before the rows are read: clocks of two machines may differ, this does not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('segments_refresh_number')")
        return int(cursor.fetchone()[0])


def _locked_unless_newer(segments: Sequence[Segment], number: int) -> list[Segment]:
    """The segments' rows, locked, but those whose rules or count are newer than what was read.

    In order of their ids, so that two refreshes never wait for each other.
    """
    versions = {segment.pk: segment.version for segment in segments}
    rows = Segment.objects.select_for_update(no_key=True).filter(pk__in=versions).order_by("pk")
    return [row for row in rows if row.version == versions[row.pk] and row.refresh_number < number]


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


def _count_members(segments: Sequence[Segment]) -> dict[uuid.UUID, BranchCounts]:
    if not segments:
        return {}
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
