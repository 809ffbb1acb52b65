"""Followed segments, judged again for the people who changed, and for nobody else.

Only segments whose member rows are kept take part; a full refresh begins to keep them. Its
numbers are not fenced off here: it counts member rows under the lock that this takes, too.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, Value, When

from marketing.core.errors import ValidationFailed
from marketing.core.nudge import nudge
from marketing.core.tenancy import current_tenant_id
from marketing.segments import tasks
from marketing.segments.compiler import membership
from marketing.segments.context import RuleContext
from marketing.segments.models import Segment
from marketing.segments.selectors import active_customers
from marketing.segments.services.membership import is_followed, record_changes

BATCH = 5_000
# How many segments one statement judges; PostgreSQL allows 1,664 columns.
PASS = 100

Delta = tuple[Segment, uuid.UUID, Counter[tuple[bool, str]]]


def mark_for_recheck(customer_ids: Sequence[uuid.UUID]) -> None:
    """Have followed segments judge these customers again soon; nothing while none is followed."""
    if not is_followed():
        return
    tenant_id = current_tenant_id()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO segments_stalemember (tenant_id, customer_id)"
            " SELECT %s, unnest(%s::uuid[])",
            [tenant_id, list(customer_ids)],
        )
    transaction.on_commit(lambda: nudge(tasks.recheck_marked, str(tenant_id)))


@transaction.atomic
def recheck_marked(limit: int = BATCH) -> int:
    """Take up to `limit` marks of the open tenant scope; returns how many were taken.

    Marks that another worker holds are left to it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM segments_stalemember WHERE id = ANY (ARRAY(
                SELECT id FROM segments_stalemember WHERE tenant_id = %s
                ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
            )) RETURNING customer_id
            """,
            [current_tenant_id(), limit],
        )
        marked = [customer_id for (customer_id,) in cursor.fetchall()]
    if marked and is_followed():
        _recheck(sorted(set(marked)))
    return len(marked)


def _recheck(customer_ids: Sequence[uuid.UUID]) -> None:
    # Locked before anybody is judged: of two workers the later one sees what the first wrote.
    kept = Segment.objects.select_for_update(no_key=True).filter(
        is_active=True, is_dynamic=True, keeps_members=True
    )
    segments = list(kept.order_by("pk"))
    context = RuleContext()
    context.know(Segment.objects.filter(is_active=True))
    for start in range(0, len(segments), PASS):
        deltas = _write_differences(segments[start : start + PASS], customer_ids, context)
        for segment, batch, people in deltas:
            _count_on(segment, people)
            entered = sum(count for (came, _branch), count in people.items() if came)
            record_changes(segment.pk, batch, entered=entered, left=people.total() - entered)
        Segment.objects.bulk_update(
            [segment for segment, _batch, _people in deltas], ["customer_count", "branch_counts"]
        )


def _count_on(segment: Segment, people: Counter[tuple[bool, str]]) -> None:
    """Bring the segment's counts up to date by who came and went.

    Somebody who stays in it and changes her branch is moved by the next full refresh.
    """
    branches = Counter(segment.branch_counts)
    for (came, branch), count in people.items():
        branches[branch] += count if came else -count
    segment.branch_counts = {branch: count for branch, count in branches.items() if count > 0}
    segment.customer_count = sum(segment.branch_counts.values())


def _write_differences(
    segments: Sequence[Segment], customer_ids: Sequence[uuid.UUID], context: RuleContext
) -> list[Delta]:
    """Judge the customers by all segments in one statement, and keep what that changes.

    A segment whose rules can no longer be used keeps whom it held.
    """
    columns: dict[str, Case] = {}
    judged: list[Segment] = []
    for segment in segments:
        try:
            is_in = membership(segment, context)
        except ValidationFailed:
            continue
        columns[f"is_in_{len(judged)}"] = Case(When(is_in, then=Value(True)), default=Value(False))
        judged.append(segment)
    if not judged:
        return []
    people = active_customers(None).filter(pk__in=customer_ids).order_by().values("pk", **columns)
    sql, params = people.query.sql_with_params()
    batches = [uuid.uuid4() for _segment in judged]
    places = ", ".join(
        f"(%s::uuid, {name})"
        for name in columns  # names of our own
    )
    ids = [segment.pk for segment in judged]
    with connection.cursor() as cursor:
        cursor.execute(
            _DIFFERENCES.format(judged=sql, places=places),
            [
                *params,
                *ids,
                current_tenant_id(),
                ids,
                list(customer_ids),
                current_tenant_id(),
                ids,
                batches,
            ],
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    found: dict[uuid.UUID, Counter[tuple[bool, str]]] = defaultdict(Counter)
    for segment_id, entered, branch_id, count in rows:
        found[segment_id][entered, str(branch_id or "")] += count
    return [
        (segment, batch, found[segment.pk])
        for segment, batch in zip(judged, batches, strict=True)
        if segment.pk in found
    ]


_DIFFERENCES = """
    WITH judged AS MATERIALIZED ({judged}),
    wanted AS MATERIALIZED (
        SELECT place.segment_id, judged.pk AS customer_id
        FROM judged CROSS JOIN LATERAL (VALUES {places}) AS place(segment_id, is_in)
        WHERE place.is_in
    ),
    entered AS (
        INSERT INTO segments_segmentmember (tenant_id, segment_id, customer_id)
        SELECT %s, segment_id, customer_id FROM wanted
        ON CONFLICT (segment_id, customer_id) DO NOTHING
        RETURNING segment_id, customer_id
    ),
    departed AS (
        DELETE FROM segments_segmentmember AS member
        WHERE member.segment_id = ANY(%s) AND member.customer_id = ANY(%s)
        AND NOT EXISTS (
            SELECT FROM wanted
            WHERE wanted.segment_id = member.segment_id
              AND wanted.customer_id = member.customer_id)
        RETURNING segment_id, customer_id
    ),
    change AS MATERIALIZED (
        SELECT segment_id, customer_id, true AS entered FROM entered
        UNION ALL SELECT segment_id, customer_id, false FROM departed
    ),
    written AS (
        INSERT INTO segments_membershipchange
            (tenant_id, segment_id, batch_id, customer_id, entered)
        SELECT %s, change.segment_id, batch.id, change.customer_id, change.entered
        FROM change JOIN unnest(%s::uuid[], %s::uuid[]) AS batch(segment_id, id)
          ON batch.segment_id = change.segment_id
    )
    SELECT change.segment_id, change.entered, customer.home_branch_id, count(*)
    FROM change LEFT JOIN customers_customer customer ON customer.id = change.customer_id
    GROUP BY change.segment_id, change.entered, customer.home_branch_id
"""
