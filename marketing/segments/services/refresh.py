"""Counts of segments, in one pass over the customers for all whose rules look nobody up.

A dynamic segment is judged afresh wherever it is used, so its stored rows are needed only
to tell who entered and who left; they are kept while something follows segments.
"""

import datetime as dt
import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F, Q

from customers.models import Customer
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed
from marketing.core.ids import lower_bound
from marketing.segments.compiler import membership
from marketing.segments.context import RuleContext
from marketing.segments.models import MembershipChange, Segment, SegmentMember, SegmentSize
from marketing.segments.selectors import active_customers
from marketing.segments.services.membership import is_followed, write_difference
from marketing.segments.tally import Tally, has_subquery

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
        _write_members([segment for segment in newest if segment.is_dynamic], context)
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
        unique_fields=["tenant", "segment", "day"],
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


def _write_members(segments: Sequence[Segment], context: RuleContext) -> None:
    conditions, tally = _conditions(segments, context)
    tally.take(active_customers(None))
    for segment in segments:
        people = tally.joined(active_customers(None)).filter(conditions[segment.pk])
        write_difference(segment, people)


def _count_dynamic(
    segments: Sequence[Segment], context: RuleContext
) -> dict[uuid.UUID, BranchCounts]:
    conditions, tally = _conditions(segments, context)
    tally.take(active_customers(None))
    apart = {pk: q for pk, q in conditions.items() if has_subquery(q)}
    together = {pk: q for pk, q in conditions.items() if pk not in apart}
    counts: dict[uuid.UUID, BranchCounts] = defaultdict(dict)
    for batch in (together, *({pk: q} for pk, q in apart.items())):
        for pk, branch, count in _count_in_one_pass(batch, tally):
            counts[pk][branch] = count
    return counts


def _conditions(
    segments: Sequence[Segment], context: RuleContext
) -> tuple[dict[uuid.UUID, Q], Tally]:
    context, tally = context.with_tally()
    return {segment.pk: membership(segment, context) for segment in segments}, tally


def _count_in_one_pass(
    conditions: Mapping[uuid.UUID, Q], tally: Tally
) -> Iterator[tuple[uuid.UUID, str, int]]:
    """The segment, the branch and how many, of those that are not nobody.

    One condition alone stands in the WHERE, where PostgreSQL can join what it looks for; beside
    others it would look it up for every customer.
    """
    customers = tally.joined(active_customers(None)).order_by()
    if len(conditions) == 1:
        customers = customers.filter(*conditions.values())
    columns = {
        f"count_{index}": Count("pk", filter=None if len(conditions) == 1 else q)
        for index, q in enumerate(conditions.values())
    }
    rows: Iterable[Mapping[str, Any]] = customers.values("home_branch_id").annotate(**columns)
    for row in rows if conditions else ():
        for index, pk in enumerate(conditions):
            if count := row[f"count_{index}"]:
                yield pk, str(row["home_branch_id"] or ""), count


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
