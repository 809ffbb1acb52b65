"""Writing messages: a judged audience becomes rows, batches, costs and counted causes."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from django.db import connection
from django.db.models import Max, QuerySet

from customers.models import Customer
from marketing.core import ids
from marketing.core.tenancy import current_tenant_id
from marketing.delivery.counters import count_causes
from marketing.delivery.judgement import Again, judge
from marketing.delivery.models import DispatchBatch, MessageState, SendRun
from marketing.delivery.plan import ChannelPlan
from marketing.delivery.windows import OUTSIDE_WINDOW

# Ids rise in the order of insertion and batches are cut along a running count, so that nothing
# is sorted for them.
WRITE = """
    WITH made AS (
    INSERT INTO delivery_message (
        id, tenant_id, run_id, batch_id, customer_id, branch_id, account_id,
        template_version_id, campaign_id, kind, channel, purpose, step, attempt_of, address,
        language, variables, state, reason, not_before, segments, cost, fallback_cost, tries,
        provider_message_id, error_code, error_class, error_detail
    )
    SELECT coalesce(v.message_id, {next_id}), %(tenant_id)s, %(run_id)s,
           CASE WHEN v.reason IS NOT NULL THEN %(skipped)s {batch} END,
           v.id, v.charged_branch_id, {account}, {version}, %(campaign_id)s, %(kind)s, {channel},
           %(purpose)s, v.step, {attempt_of}, v.address, v.language, v.variables,
           CASE WHEN v.reason IS NOT NULL THEN 'skipped'
                WHEN v.opens_at IS NOT NULL THEN 'held' ELSE 'queued' END,
           coalesce(v.reason, CASE WHEN v.opens_at IS NOT NULL THEN %(held_for)s END, ''),
           v.opens_at, v.segments, CASE WHEN v.reason IS NULL THEN v.cost ELSE 0 END,
           v.fallback_cost, 0, '', '', '', ''
    FROM ({judged}) v {tried_before}
    WINDOW so_far AS (ROWS UNBOUNDED PRECEDING)
    RETURNING id, batch_id, branch_id, cost, fallback_cost, state,
              CASE WHEN batch_id = %(skipped)s THEN reason END AS skipped_for
    ), summed AS (
    SELECT batch_id, branch_id, skipped_for, count(*) AS messages,
           count(*) FILTER (WHERE state = 'held') AS held,
           min(uuid_send(id)) AS first_id, max(uuid_send(id)) AS last_id,
           sum(cost) + coalesce(sum(fallback_cost), 0) AS cost
    FROM made GROUP BY batch_id, branch_id, skipped_for
    ), promised AS (
    INSERT INTO delivery_batchcost (id, tenant_id, run_id, batch_id, branch_id, reserved, spent)
    SELECT {cost_id}, %(tenant_id)s, %(run_id)s, batch_id, branch_id, cost, 0
    FROM summed WHERE skipped_for IS NULL
    )
    SELECT batch_id, skipped_for, encode(min(first_id), 'hex')::uuid,
           encode(max(last_id), 'hex')::uuid, sum(messages)::int, sum(held)::int
    FROM summed GROUP BY batch_id, skipped_for
"""
PROMISED = """
    SELECT branch_id, sum(reserved) FROM delivery_batchcost
    WHERE run_id = %s AND batch_id > %s GROUP BY branch_id
"""
# A run begins with small batches: one that is small as a whole has several still, for which the
# dispatch workers share it, and each gives it its turns.
FIRST_BATCHES, FIRST_SIZE = 8, 50
CUT = """1 + least({place}, %(first_people)s) / %(first_size)s
       + greatest({place} - %(first_people)s, 0) / %(batch_size)s"""
TRIED_BEFORE = """
    JOIN unnest(%(tried)s::uuid[], %(first_attempts)s::uuid[]) AS f(customer_id, message_id)
      ON f.customer_id = v.id AND v.reason IS NULL
"""


class Group(NamedTuple):
    """Messages that share batches: those of a step, and apart from them what is not counted."""

    step: int
    is_extra: bool


class Part(NamedTuple):
    """What was written of a batch, of that of the skipped for each reason.

    `held` of the messages wait for their hours.
    """

    batch_id: int
    skipped_for: str | None
    first_id: uuid.UUID
    last_id: uuid.UUID
    messages: int
    held: int


@dataclass
class Written:
    """What was written: `people` in all, `reasons` of those who were skipped.

    `costs` is what the messages and all that may follow them cost, by charged branch;
    `batches` have something to send.
    """

    people: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    costs: dict[uuid.UUID | None, Decimal] = field(default_factory=dict)
    batches: list[DispatchBatch] = field(default_factory=list)


def write_messages(
    run: SendRun,
    plan: ChannelPlan,
    audience: QuerySet[Customer],
    *,
    people: int,
    batch_size: int,
    again: Again | None = None,
) -> Written:
    """Write the messages of `audience`, which has at most `people`, in batches by step.

    Who is skipped has a row too, but not when she is tried again. What the batches hold of
    the budget is written with them; reserving it is the caller's.
    """
    groups = [Group(step.number, is_extra=False) for step in plan.steps]
    if plan.mode == SendRun.Mode.ALL:
        groups += [Group(step.number, is_extra=True) for step in plan.steps[1:]]
    places = FIRST_BATCHES + people // batch_size + 1
    (skipped, *free), made_at = _new_batch_ids(1 + places * len(groups))
    of_group = {group: free[i * places : (i + 1) * places] for i, group in enumerate(groups)}
    parts = _insert(run, plan, audience, skipped, of_group, batch_size, again)
    groups_of = {batch_id: group for group, ids in of_group.items() for batch_id in ids}
    written = _make_batches(run, plan, parts, groups_of | {skipped: groups[0]}, made_at)
    with connection.cursor() as cursor:
        cursor.execute(PROMISED, [run.pk, skipped])
        written.costs = dict(cursor.fetchall())
    return written


def _new_batch_ids(count: int) -> tuple[list[int], dt.datetime]:
    """Ids of batches to be made, in rising order, and the database's time.

    Those that are not used stay gaps.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(nextval(pg_get_serial_sequence('delivery_dispatchbatch', 'id'))),"
            " now() FROM generate_series(1, %s)",
            [count],
        )
        batch_ids, now = cursor.fetchone()
        return sorted(batch_ids), now


def _insert(
    run: SendRun,
    plan: ChannelPlan,
    audience: QuerySet[Customer],
    skipped: int,
    of_group: dict[Group, list[int]],
    batch_size: int,
    again: Again | None,
) -> list[Part]:
    judged, params = judge(plan, audience, run.charged_branch_id, again)
    params |= {
        "tenant_id": run.tenant_id,
        "run_id": run.pk,
        "campaign_id": run.campaign_id,
        "kind": run.kind,
        "purpose": run.purpose,
        "skipped": skipped,
        "held_for": OUTSIDE_WINDOW,
        "batch_size": batch_size,
        "first_size": min(FIRST_SIZE, batch_size),
        "first_people": FIRST_BATCHES * min(FIRST_SIZE, batch_size),
    }
    if again:
        params["tried"] = list(again.first_attempts)
        params["first_attempts"] = list(again.first_attempts.values())
    arms = []
    for number, (group, batch_ids) in enumerate(of_group.items()):
        params[f"batches_{number}"] = batch_ids
        mine = f"v.step = {group.step} AND {'' if group.is_extra else 'NOT '}v.is_extra"
        place = f"(count(*) FILTER (WHERE v.reason IS NULL AND {mine}) OVER so_far - 1)"
        arms.append(f"WHEN {mine} THEN (%(batches_{number})s::bigint[])[{CUT.format(place=place)}]")
    by_step = {"account": "uuid", "version": "uuid", "channel": "text"}
    for step in plan.steps:
        params |= {
            f"account_{step.number}": step.account.pk,
            f"version_{step.number}": step.version.pk,
            f"channel_{step.number}": step.channel,
        }
    values = {
        name: "CASE v.step {} END".format(
            " ".join(f"WHEN {s.number} THEN %({name}_{s.number})s::{kind}" for s in plan.steps)
        )
        for name, kind in by_step.items()
    }
    with connection.cursor() as cursor:
        cursor.execute(
            WRITE.format(
                batch=" ".join(arms),
                next_id=ids.NTH_ID.format(n="2 * row_number() OVER so_far"),
                cost_id=ids.NTH_ID.format(n="row_number() OVER ()"),
                judged=judged,
                attempt_of="f.message_id" if again else "v.attempt_of",
                tried_before=TRIED_BEFORE if again else "",
                **values,
            ),
            params,
        )
        return [Part(*row) for row in cursor.fetchall()]


def _make_batches(
    run: SendRun,
    plan: ChannelPlan,
    parts: Sequence[Part],
    groups: dict[int, Group],
    made_at: dt.datetime,
) -> Written:
    """The batches as their messages fill them, with bounds, counters and causes."""
    made = Written()
    batches: dict[int, DispatchBatch] = {}
    steps = {step.number: step for step in plan.steps}
    lane, tenant_id = _lane(run), current_tenant_id()
    for part in parts:
        number, is_extra = groups[part.batch_id]
        step = steps[number]
        batch = batches.get(part.batch_id)
        if batch is None:
            batch = batches[part.batch_id] = DispatchBatch(
                id=part.batch_id,
                tenant_id=tenant_id,
                run_id=run.pk,
                account_id=step.account.pk,
                channel=step.channel,
                step=step.number,
                is_extra=is_extra,
                lane=lane,
                number=0,
                priority=run.priority,
                # Values throughout, so that all are inserted as arrays.
                next_at=made_at,
                handed_on=0,
                first_id=part.first_id,
                last_id=part.last_id,
                is_settled=True,
            )
        batch.first_id = min(batch.first_id or part.first_id, part.first_id)
        batch.last_id = max(batch.last_id or part.last_id, part.last_id)
        if not is_extra:
            made.people += part.messages
        if part.skipped_for is None:
            batch.queued, batch.held = part.messages - part.held, part.held
            batch.fallback_minutes = plan.wait_after(step)
        else:
            batch.skipped += part.messages
            batch.state = DispatchBatch.State.DONE
            made.reasons[part.skipped_for] = part.messages
    made.batches = [
        batches[batch_id]
        for batch_id in sorted(batches)
        if batches[batch_id].state != DispatchBatch.State.DONE
    ]
    # Number 0 is the batch of the skipped.
    last_number = DispatchBatch.objects.filter(run_id=run.pk).aggregate(n=Max("number"))["n"] or 0
    for number, batch in enumerate(made.batches, last_number + 1):
        batch.number = number
    DispatchBatch.objects.bulk_create(batches.values())
    causes: dict[tuple[int, str, str], int] = {
        (part.batch_id, MessageState.SKIPPED, part.skipped_for): part.messages
        for part in parts
        if part.skipped_for is not None
    }
    causes |= {
        (part.batch_id, MessageState.HELD, OUTSIDE_WINDOW): part.held for part in parts if part.held
    }
    count_causes(causes)
    return made


def _lane(run: SendRun) -> uuid.UUID | None:
    """The branch for which the run is sent, where it is one."""
    if run.charged_branch_id:
        return run.charged_branch_id
    return run.branch_ids[0] if run.branch_ids and len(run.branch_ids) == 1 else None
