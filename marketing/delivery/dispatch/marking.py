"""Marking a slice of a leased batch as `sending`: the gate once more, and the caps taken."""

import datetime as dt
import json
import uuid
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection
from django.utils import timezone

from customers.models import Channel
from marketing.core.ids import uuid_array
from marketing.core.tenancy import tenant_scope
from marketing.delivery.counters import count_causes
from marketing.delivery.dispatch.lease import Lease, Marked
from marketing.delivery.dispatch.loads import lock_loads, make_loads, slot_holders, write_loads
from marketing.delivery.dispatch.portfolio import take_portfolio
from marketing.delivery.dispatch.sending import Sending
from marketing.delivery.gate import CAPS, JOINS, Gate, build_gate
from marketing.delivery.models import SendRun
from marketing.delivery.registry import vendor
from marketing.delivery.rules import LEASE
from marketing.delivery.services.reached import skip_reached
from marketing.delivery.windows import OPENS_AT, OUTSIDE_WINDOW, opening_times

# WhatsApp takes about one message in six seconds from a business for one person.
PAIR_PACE = dt.timedelta(seconds=6)
PAIR_RATE, PORTFOLIO_LIMIT = "pair_rate", "portfolio_limit"


@dataclass(frozen=True)
class Slice:
    """What marking gave. `lost`: the batch is no longer ours, or its run is not going on."""

    messages: list[Marked]
    lost: bool = False
    exhausted: bool = False


@dataclass
class _Picked:
    """What becomes of the rows looked at: one message a person goes, the rest say why not."""

    going: dict[uuid.UUID, Marked]
    skipped: dict[uuid.UUID, str]
    waiting: dict[uuid.UUID, tuple[dt.datetime, str]]

    def skip(self, customer_id: uuid.UUID, reason: str) -> None:
        self.skipped[self.going.pop(customer_id).id] = reason

    def wait(self, customer_id: uuid.UUID, until: dt.datetime, reason: str) -> None:
        self.waiting[self.going.pop(customer_id).id] = (until, reason)


@dataclass(frozen=True)
class _Taken:
    """`slots`: who takes one. `made`: whose load was made as this message leaves it."""

    slots: Set[uuid.UUID] = frozenset()
    made: Set[uuid.UUID] = frozenset()


# Looked at without a lock: messages are locked before their batch, as everywhere. Whether the
# batch is still ours is asked again, for good, when its counters are written.
LOOK = """
SELECT EXISTS (SELECT FROM customers_suppression x
               WHERE x.tenant_id = b.tenant_id AND x.channel = b.channel), b.held > 0
FROM delivery_dispatchbatch b JOIN delivery_sendrun r ON r.id = b.run_id
WHERE b.id = %s AND b.token = %s AND b.state = 'leased' AND r.state = 'frozen'
"""
COUNT = """
UPDATE delivery_dispatchbatch
SET queued = queued - %(marked)s - %(skipped)s - %(held)s, held = held + %(held)s,
    sending = sending + %(marked)s, skipped = skipped + %(skipped)s,
    is_settled = false,
    leased_until = now() + make_interval(secs => %(lease)s)
WHERE id = %(batch)s AND token = %(token)s AND state = 'leased'
"""


class LeaseLost(Exception):
    """Somebody else has the batch by now; nothing of the transaction may stay."""


def mark(lease: Lease, sending: Sending, wanted: int) -> Slice:
    """Mark up to `wanted` queued messages `sending`, in one transaction that renews the lease.

    Judges each again by the gate, takes the caps from `contact_load` under locks in
    customer order, and skips who may no longer be written to, or has been reached meanwhile.
    Who may be written to only later (hours, WhatsApp's pace and portfolio limit) waits until then.
    """
    now = timezone.now()
    if lease.step and sending.mode == SendRun.Mode.CASCADE:
        skip_reached(
            tenant_id=lease.tenant_id,
            batch_id=lease.batch_id,
            bounds=(lease.first_id, lease.last_id),
            begun_at=sending.begun_at,
        )
    try:
        with tenant_scope(lease.tenant_id):
            return _mark(lease, sending, wanted, now)
    except LeaseLost:
        return Slice([], lost=True)


def _mark(lease: Lease, sending: Sending, wanted: int, now: dt.datetime) -> Slice:
    with connection.cursor() as cursor:
        cursor.execute(LOOK, [lease.batch_id, lease.token])
        found = cursor.fetchone()
    if found is None:
        raise LeaseLost
    has_suppressions, has_held = found
    settings = sending.settings
    settings.refresh()
    gate = build_gate(
        config=settings.config,
        channel=lease.channel,
        purpose=sending.purpose,
        now=now,
        tenant_id=lease.tenant_id,
        has_suppressions=has_suppressions,
        reaches_user_ids=vendor(sending.account.provider).reaches_user_ids,
        topic_id=sending.topic_id,
    )
    opens = opening_times(
        tenant=settings.tenant,
        purpose=sending.purpose,
        channel=lease.channel,
        now=now,
        config=settings.config,
        zones=settings.zones,
    )
    if has_held or any(opens.values()):
        _lock_waiting(lease)
    held = -_let_go(lease, now) if has_held else 0
    if any(opens.values()):
        held += _hold(lease, settings.tenant.time_zone, opens, now)
    rows = _judge_queued(lease, gate, now, wanted)
    if not rows:
        if held:
            _count(lease, _Picked({}, {}, {}), held)
        return Slice([], exhausted=True)
    picked = _pick(rows, is_test=sending.kind == SendRun.Kind.TEST)
    taken = _Taken()
    if sending.kind != SendRun.Kind.TEST:
        taken = _take_caps(lease, sending, gate, picked, now)
    if sending.portfolio_limit and picked.going:
        _take_portfolio(sending, picked, now)
        taken = _Taken(taken.slots & picked.going.keys(), taken.made)
    is_whatsapp = lease.channel == Channel.WHATSAPP and sending.kind != SendRun.Kind.TEST
    write_loads(
        gate,
        slots=taken.slots - taken.made,
        whatsapp=picked.going.keys() - taken.made if is_whatsapp else (),
        now=now,
    )
    _set_aside(lease, picked)
    _mark_sending(lease, picked, taken.slots, now)
    _count(lease, picked, held)
    return Slice(list(picked.going.values()))


def _lock_waiting(lease: Lease) -> None:
    """In the order of their ids, as everywhere, before any of them is changed."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT 1 FROM delivery_message
            WHERE batch_id = %s AND id BETWEEN %s AND %s AND state IN ('queued', 'held')
            ORDER BY id FOR UPDATE
            """,
            [lease.batch_id, lease.first_id, lease.last_id],
        )


def _let_go(lease: Lease, now: dt.datetime) -> int:
    """Queue again what was held until a time that has come; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE delivery_message SET state = 'queued', reason = ''
            WHERE batch_id = %s AND id BETWEEN %s AND %s AND state = 'held' AND not_before <= %s
            """,
            [lease.batch_id, lease.first_id, lease.last_id, now],
        )
        return int(cursor.rowcount)


def _hold(lease: Lease, zone: str, opens: Mapping[str, str | None], now: dt.datetime) -> int:
    """Hold what is outside its window by now until that opens again; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE delivery_message m
            SET state = 'held', reason = %(reason)s, not_before = v.opens_at
            FROM (
                SELECT w.id, {OPENS_AT} AS opens_at FROM delivery_message w
                LEFT JOIN customers_customer c ON c.id = w.customer_id
                LEFT JOIN core_branch br ON br.id = c.home_branch_id
                WHERE w.batch_id = %(batch)s AND w.id BETWEEN %(first)s AND %(last)s
                  AND w.state = 'queued' AND (w.not_before IS NULL OR w.not_before <= %(now)s)
            ) v
            WHERE m.id = v.id AND m.id BETWEEN %(first)s AND %(last)s AND v.opens_at IS NOT NULL
            """,  # noqa: S608  the SQL is ours, its values are parameters
            {
                "reason": OUTSIDE_WINDOW,
                "opens": json.dumps(opens),
                "zone": zone,
                "batch": lease.batch_id,
                "first": lease.first_id,
                "last": lease.last_id,
                "now": now,
            },
        )
        return int(cursor.rowcount)


Row = tuple[Marked, str | None]


def _judge_queued(lease: Lease, gate: Gate, now: dt.datetime, wanted: int) -> list[Row]:
    """Lock the next messages; each as it will be when it is marked, and why it may not go."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH queued AS MATERIALIZED (
                SELECT id, customer_id, address, branch_id, language, variables,
                       template_version_id, segments, tries FROM delivery_message
                WHERE batch_id = %(batch)s AND id BETWEEN %(first)s AND %(last)s
                  AND state = 'queued' AND (not_before IS NULL OR not_before <= %(now)s)
                ORDER BY id LIMIT %(wanted)s FOR UPDATE
            )
            SELECT {gate.case(but=CAPS)}, c.variables, c.message_id, c.id, c.address, c.language,
                   c.template_version_id, c.segments, c.tries + 1
            FROM (SELECT id AS message_id, customer_id AS id, branch_id AS charged_branch_id,
                         address, language, variables, template_version_id, segments, tries
                  FROM queued) c
            {JOINS}
            ORDER BY c.message_id
            """,  # noqa: S608  the gate's SQL is ours, its values are parameters
            {
                **gate.values,
                "batch": lease.batch_id,
                "first": lease.first_id,
                "last": lease.last_id,
                "now": now,
                "wanted": wanted,
            },
        )
        return [
            (Marked(lease.tenant_id, orjson.loads(variables), *rest), reason)
            for reason, variables, *rest in cursor.fetchall()
        ]


def _pick(rows: list[Row], *, is_test: bool) -> _Picked:
    picked = _Picked({}, {}, {})
    for message, reason in rows:
        if reason and not is_test:
            picked.skipped[message.id] = reason
        # A second message to the same person is for the next slice.
        elif message.customer_id not in picked.going:
            picked.going[message.customer_id] = message
    return picked


def _take_caps(
    lease: Lease, sending: Sending, gate: Gate, picked: _Picked, now: dt.datetime
) -> _Taken:
    """Lock the loads of who is going, look for room, and take it for who has no load yet.

    Another attempt of this run may hold the person's slot already: one contact, one slot.
    """
    has_pace = lease.channel == Channel.WHATSAPP
    has_caps = sending.purpose != "transactional"
    if not has_pace and not has_caps:
        return _Taken()
    # Where a cap of nothing or the portfolio may still hold them back, nothing is taken yet.
    is_certain = gate.has_room and not sending.portfolio_limit
    made = make_loads(
        gate,
        picked.going,
        slot_at=now if is_certain and has_caps else None,
        whatsapp_at=now if is_certain and has_pace else None,
    )
    made = made if is_certain else set()
    others = picked.going.keys() - made
    loads = lock_loads(gate, others)
    holding = slot_holders(lease, sending, others)
    for load in loads:
        if load.cap and load.customer_id not in holding:
            picked.skip(load.customer_id, load.cap)
        elif has_pace and load.whatsapp_at and load.whatsapp_at + PAIR_PACE > now:
            picked.wait(load.customer_id, load.whatsapp_at + PAIR_PACE, PAIR_RATE)
    slots = picked.going.keys() - holding if has_caps else frozenset()
    return _Taken(slots, made)


def _take_portfolio(sending: Sending, picked: _Picked, now: dt.datetime) -> None:
    waits = take_portfolio(
        portfolio=sending.portfolio,
        limit=sending.portfolio_limit,
        addresses=[message.address for message in picked.going.values()],
        now=now,
    )
    for customer_id, message in list(picked.going.items()):
        if until := waits.get(message.address):
            picked.wait(customer_id, until, PORTFOLIO_LIMIT)


def _set_aside(lease: Lease, picked: _Picked) -> None:
    """Write who is skipped and who waits, with the reason."""
    bounds: list[Any] = [lease.first_id, lease.last_id]
    with connection.cursor() as cursor:
        if picked.skipped:
            cursor.execute(
                """
                UPDATE delivery_message m SET state = 'skipped', reason = v.reason, cost = 0
                FROM unnest(%s::uuid[], %s::text[]) AS v(id, reason)
                WHERE m.id = v.id AND m.id BETWEEN %s AND %s
                """,
                [list(picked.skipped), list(picked.skipped.values()), *bounds],
            )
        if picked.waiting:
            until, reasons = zip(*picked.waiting.values(), strict=True)
            cursor.execute(
                """
                UPDATE delivery_message m SET not_before = v.until, reason = v.reason
                FROM unnest(%s::uuid[], %s::timestamptz[], %s::text[]) AS v(id, until, reason)
                WHERE m.id = v.id AND m.id BETWEEN %s AND %s
                """,
                [list(picked.waiting), list(until), list(reasons), *bounds],
            )


def _mark_sending(lease: Lease, picked: _Picked, slots: Set[uuid.UUID], now: dt.datetime) -> None:
    slotless = uuid_array(picked.going.keys() - slots)
    going = uuid_array(message.id for message in picked.going.values())
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE delivery_message
            SET state = 'sending', sending_at = %s, tries = tries + 1, reason = '',
                slot_at = CASE WHEN customer_id <> ALL(%s::uuid[]) THEN %s::timestamptz END
            WHERE id = ANY(%s::uuid[]) AND id BETWEEN %s AND %s
            """,
            [now, slotless, now, going, lease.first_id, lease.last_id],
        )


def _count(lease: Lease, picked: _Picked, held: int) -> None:
    """Move the batch's counters and renew the lease; `held` are more than before, or fewer.

    Raises `LeaseLost`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT,
            {
                "marked": len(picked.going),
                "skipped": len(picked.skipped),
                "held": held,
                "lease": LEASE.total_seconds(),
                "batch": lease.batch_id,
                "token": lease.token,
            },
        )
        if not cursor.rowcount:
            raise LeaseLost
    causes = Counter((lease.batch_id, "skipped", reason) for reason in picked.skipped.values())
    if held:
        causes[lease.batch_id, "held", OUTSIDE_WINDOW] = held
    count_causes(dict(causes))
