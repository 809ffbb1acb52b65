"""Leases on batches, and marking a slice of a leased batch as `sending`."""

import datetime as dt
import json
import uuid
from collections import Counter
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from customers.models import Suppression
from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope
from marketing.delivery.counters import count_causes
from marketing.delivery.gate import CAPS, JOINS, Gate, build_gate
from marketing.delivery.models import SendRun
from marketing.delivery.services.runs import finish_run_if_done, skip_queued
from marketing.delivery.windows import OPENS_AT, opening_times
from marketing.policy import selectors as policy

LEASE = dt.timedelta(seconds=60)


@dataclass(frozen=True)
class Lease:
    """A batch that is ours while nobody else has taken it with another token."""

    batch_id: int
    tenant_id: uuid.UUID
    run_id: uuid.UUID
    account_id: uuid.UUID
    channel: str
    first_id: uuid.UUID
    last_id: uuid.UUID
    token: uuid.UUID


@dataclass(frozen=True)
class Marked:
    """A message that may now be sent: marked `sending`, its cap slot taken."""

    id: uuid.UUID
    tenant_id: uuid.UUID
    customer_id: uuid.UUID
    address: str
    language: str
    variables: dict[str, str]
    version_id: uuid.UUID
    segments: int
    tries: int


@dataclass(frozen=True)
class Slice:
    """What marking gave. `lost`: the batch is no longer ours, or its run is not going on."""

    messages: list[Marked]
    lost: bool = False
    exhausted: bool = False


def claim() -> Lease | None:
    """Lease the most urgent due batch, or one whose lease has run out."""
    token = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE delivery_dispatchbatch
            SET state = 'leased', token = %(token)s,
                leased_until = now() + make_interval(secs => %(lease)s)
            WHERE id = (
                SELECT id FROM delivery_dispatchbatch
                WHERE state IN ('waiting', 'leased') AND next_at <= now()
                  AND (state = 'waiting' OR leased_until < now())
                ORDER BY priority DESC, next_at, id
                FOR UPDATE SKIP LOCKED LIMIT 1
            )
            RETURNING id, tenant_id, run_id, account_id, channel, first_id, last_id
            """,
            {"token": token, "lease": LEASE.total_seconds()},
        )
        row = cursor.fetchone()
    return None if row is None else Lease(*row, token=token)  # type: ignore[misc]


def renew(lease: Lease) -> bool:
    """Extend the lease; False when somebody else holds the batch by now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE delivery_dispatchbatch SET leased_until = now() + make_interval(secs => %s)"
            " WHERE id = %s AND token = %s AND state = 'leased'",
            [LEASE.total_seconds(), lease.batch_id, lease.token],
        )
        return bool(cursor.rowcount == 1)


def mark(lease: Lease, wanted: int) -> Slice:
    """Mark up to `wanted` queued messages `sending`, in one transaction.

    Judges each again by the gate, takes the caps from `contact_load` under locks in
    customer order, and skips who may no longer be written to.
    """
    now = timezone.now()
    with tenant_scope(lease.tenant_id):
        if not renew(lease):
            return Slice([], lost=True)
        run = SendRun.objects.only("state", "kind", "purpose").get(pk=lease.run_id)
        if run.state != SendRun.State.FROZEN:
            return Slice([], lost=True)
        gate = build_gate(
            config=policy.get_config(),
            channel=lease.channel,
            purpose=run.purpose,
            now=now,
            tenant_id=lease.tenant_id,
            has_suppressions=Suppression.objects.filter(channel=lease.channel).exists(),
        )
        tenant = Tenant.objects.get(pk=lease.tenant_id)
        opens = opening_times(tenant=tenant, purpose=run.purpose, channel=lease.channel, now=now)
        if any(opens.values()):
            _park(lease, tenant, opens, now)
        rows = _judge_queued(lease, gate, now, wanted)
        if not rows:
            return Slice([], exhausted=True)
        spares_caps = run.purpose == "transactional" or run.kind == SendRun.Kind.TEST
        skipped: dict[uuid.UUID, str] = {}
        by_customer: dict[uuid.UUID, uuid.UUID] = {}
        for message_id, customer_id, reason in rows:
            if reason and run.kind != SendRun.Kind.TEST:
                skipped[message_id] = reason
            else:
                # A second message to the same person waits for the next slice.
                by_customer.setdefault(customer_id, message_id)
        if not spares_caps:
            for customer_id, reason in _take_caps(gate, list(by_customer), now).items():
                skipped[by_customer.pop(customer_id)] = reason
        slot_at = None if spares_caps else now
        return Slice(_write_marks(lease, list(by_customer.values()), skipped, now, slot_at))


def _park(lease: Lease, tenant: Tenant, opens: dict[str, str | None], now: dt.datetime) -> None:
    """What is outside its window by now waits until the window opens again."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE delivery_message m SET not_before = v.opens_at, reason = 'outside_window'
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
                "opens": json.dumps(opens),
                "zone": tenant.time_zone,
                "batch": lease.batch_id,
                "first": lease.first_id,
                "last": lease.last_id,
                "now": now,
            },
        )


def _judge_queued(
    lease: Lease, gate: Gate, now: dt.datetime, wanted: int
) -> list[tuple[uuid.UUID, uuid.UUID, str | None]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH queued AS MATERIALIZED (
                SELECT id, customer_id, address, branch_id FROM delivery_message
                WHERE batch_id = %(batch)s AND id BETWEEN %(first)s AND %(last)s
                  AND state = 'queued' AND (not_before IS NULL OR not_before <= %(now)s)
                ORDER BY id LIMIT %(wanted)s FOR UPDATE
            )
            SELECT c.message_id, c.id, {gate.case(but=CAPS)}
            FROM (SELECT id AS message_id, customer_id AS id, address,
                         branch_id AS charged_branch_id FROM queued) c
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
        rows: list[tuple[uuid.UUID, uuid.UUID, str | None]] = cursor.fetchall()
    return rows


def _take_caps(gate: Gate, customers: list[uuid.UUID], now: dt.datetime) -> dict[uuid.UUID, str]:
    """Take a slot for each customer; returns those who had no room, with the cap they met."""
    capped = gate.case(only=CAPS)
    params = {**gate.values, "customers": customers, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO delivery_contactload (tenant_id, customer_id, sent)
            SELECT %(tenant_id)s, id, '{}' FROM unnest(%(customers)s::uuid[]) AS id
            ORDER BY id ON CONFLICT (customer_id) DO NOTHING
            """,
            params,
        )
        cursor.execute(
            f"""
            SELECT l.customer_id, {capped} FROM delivery_contactload l
            WHERE l.customer_id = ANY(%(customers)s) ORDER BY l.customer_id FOR UPDATE
            """,  # noqa: S608  the gate's SQL is ours, its values are parameters
            params,
        )
        refused = {customer_id: reason for customer_id, reason in cursor.fetchall() if reason}
        cursor.execute(
            """
            UPDATE delivery_contactload l
            SET sent = array_append(
                ARRAY(SELECT at FROM unnest(l.sent) AS at WHERE at > %(week_ago)s ORDER BY at),
                %(now)s)
            WHERE l.customer_id = ANY(%(customers)s) AND NOT l.customer_id = ANY(%(refused)s)
            """,
            {**params, "refused": list(refused)},
        )
    return refused


def _write_marks(
    lease: Lease,
    sending: list[uuid.UUID],
    skipped: dict[uuid.UUID, str],
    now: dt.datetime,
    slot_at: dt.datetime | None,
) -> list[Marked]:
    with connection.cursor() as cursor:
        if skipped:
            cursor.execute(
                """
                UPDATE delivery_message m SET state = 'skipped', reason = v.reason, cost = 0
                FROM unnest(%s::uuid[], %s::text[]) AS v(id, reason)
                WHERE m.id = v.id AND m.id BETWEEN %s AND %s
                """,
                [list(skipped), list(skipped.values()), lease.first_id, lease.last_id],
            )
        cursor.execute(
            """
            UPDATE delivery_message
            SET state = 'sending', sending_at = %s, slot_at = %s, tries = tries + 1, reason = ''
            WHERE id = ANY(%s) AND id BETWEEN %s AND %s
            RETURNING id, tenant_id, customer_id, address, language, variables,
                      template_version_id, segments, tries
            """,
            [now, slot_at, sending, lease.first_id, lease.last_id],
        )
        marked = [
            Marked(*row[:5], json.loads(row[5]), *row[6:])  # type: ignore[call-arg]
            for row in cursor.fetchall()
        ]
        cursor.execute(
            "UPDATE delivery_dispatchbatch SET queued = queued - %s, sending = sending + %s,"
            " skipped = skipped + %s, is_settled = false WHERE id = %s",
            [len(sending) + len(skipped), len(sending), len(skipped), lease.batch_id],
        )
    causes = Counter((lease.batch_id, "skipped", reason) for reason in skipped.values())
    count_causes(dict(causes))
    return marked


def release(lease: Lease) -> None:
    """Give the batch back: done when nothing is queued or under way, else due again.

    A batch of a run that was paused or cancelled meanwhile stops with it.
    """
    with tenant_scope(lease.tenant_id):
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE delivery_dispatchbatch b
                SET token = NULL, leased_until = NULL,
                    state = CASE WHEN b.queued + b.sending = 0 THEN 'done'
                                 WHEN r.state = 'paused' THEN 'stopped' ELSE 'waiting' END,
                    next_at = greatest(now(), coalesce((
                        SELECT min(m.not_before) FROM delivery_message m
                        WHERE m.batch_id = b.id AND m.id BETWEEN b.first_id AND b.last_id
                          AND m.state = 'queued'), now()),
                        CASE WHEN b.queued = 0 THEN now() + make_interval(secs => %s)
                             ELSE now() END)
                FROM delivery_sendrun r
                WHERE b.id = %s AND b.token = %s AND r.id = b.run_id
                RETURNING b.state, r.state
                """,
                [LEASE.total_seconds(), lease.batch_id, lease.token],
            )
            row = cursor.fetchone()
        if row is None:
            return
        state, run_state = row
        if run_state == SendRun.State.CANCELLED and state != "done":
            skip_queued(run_id=lease.run_id, batch_id=lease.batch_id)
        with transaction.atomic():
            finish_run_if_done(run_id=lease.run_id)
