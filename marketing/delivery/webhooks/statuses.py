"""Applying what vendors say of messages: set-based, forwards only, whatever comes twice or late.

Nothing is remembered of a report: what a message already went through changes nothing, and
what follows from a change follows only where a state really changed.

Rows are locked people first, then runs, then messages by id, contact loads by customer, batches
by id.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from customers.models import Suppression
from marketing.core import clock
from marketing.core.tenancy import current_tenant_id
from marketing.delivery.counters import Move, move_counters
from marketing.delivery.engagement import note_reading
from marketing.delivery.leaving import Told, leave_alone, note_dnd, people_of
from marketing.delivery.rules import ResultClass
from marketing.delivery.services.complaints import note_complaints
from marketing.delivery.slots import give_back
from marketing.delivery.webhooks import put_off
from marketing.delivery.webhooks.reports import Details, Report, Said, Standing

# What the vendor's own id stands for, where ours is not echoed.
FIND = """
SELECT r.account_id, r.reference, r.message_id
FROM unnest(%s::uuid[], %s::text[]) AS v(account_id, reference)
JOIN delivery_providerreference r USING (account_id, reference)
"""
LOCK = """
SELECT id, batch_id, state, error_code, error_class, provider_message_id, sent_at IS NOT NULL,
       delivered_at IS NOT NULL, read_at IS NOT NULL, fallback_id IS NOT NULL
FROM delivery_message
WHERE id = ANY(%(ids)s) AND id BETWEEN %(first)s AND %(last)s ORDER BY id FOR UPDATE
"""
# Of the few messages whose people or addresses something follows for.
DETAILS = """
SELECT id, account_id, run_id, customer_id, channel, address, slot_at, sending_at, tries,
       fallback_cost IS NOT NULL, kind = 'test'
FROM delivery_message
WHERE id = ANY(%(ids)s) AND id BETWEEN %(first)s AND %(last)s ORDER BY id
"""
GO_ON = """
UPDATE delivery_message m
SET state = v.state, reason = CASE m.state WHEN 'held' THEN '' ELSE m.reason END,
    sent_at = coalesce(m.sent_at, v.sent_at,
                       CASE WHEN v.state IN ('delivered', 'read') THEN m.sending_at END),
    delivered_at = coalesce(m.delivered_at, v.delivered_at, v.read_at),
    read_at = coalesce(m.read_at, v.read_at),
    provider_message_id = CASE
        WHEN v.reference <> '' AND m.state IN ('sending', 'unknown') THEN v.reference
        ELSE coalesce(nullif(m.provider_message_id, ''), v.reference) END
FROM unnest(%(ids)s::uuid[], %(states)s::text[], %(sent)s::timestamptz[],
            %(delivered)s::timestamptz[], %(read)s::timestamptz[], %(references)s::text[])
     AS v(id, state, sent_at, delivered_at, read_at, reference)
WHERE m.id = v.id AND m.id BETWEEN %(first)s AND %(last)s
RETURNING CASE WHEN old.read_at IS NULL AND new.read_at IS NOT NULL THEN m.customer_id END
"""
# What it would have cost stays: a message that arrives after all is charged after all.
FAIL = """
UPDATE delivery_message m
SET failed_at = v.failed_at, error_code = v.code, error_class = v.class, error_detail = v.detail,
    slot_at = NULL
FROM unnest(%(ids)s::uuid[], %(failed)s::timestamptz[], %(codes)s::text[], %(classes)s::text[],
            %(details)s::text[]) AS v(id, failed_at, code, class, detail)
WHERE m.id = v.id AND m.id BETWEEN %(first)s AND %(last)s
"""
FREE = """
UPDATE delivery_message SET cost = 0
WHERE id = ANY(%(ids)s) AND id BETWEEN %(first)s AND %(last)s AND cost <> 0
RETURNING batch_id
"""
NAME = """
INSERT INTO delivery_providerreference (tenant_id, account_id, reference, message_id)
SELECT %s, * FROM unnest(%s::uuid[], %s::text[], %s::uuid[]) ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class Applied:
    """Of each report whether its message is known; the batches whose text was refused, and the
    accounts that were, with the vendor's words."""

    known: list[bool]
    refused: set[int] = field(default_factory=set)
    faulted: dict[uuid.UUID, str] = field(default_factory=dict)


def people_leaving(reports: Sequence[Report]) -> set[uuid.UUID]:
    """The customers whose consent the reports will end, or who are on the do-not-disturb
    register: to be locked before any message."""
    ended = [
        report
        for report in reports
        if report.update.error_class == ResultClass.FAIL_OPTOUT or report.update.is_on_dnd
    ]
    return people_of({target for target in _targets(ended) if target})


def apply(reports: Sequence[Report]) -> Applied:
    """Apply the reports, in the open transaction."""
    targets = _targets(reports)
    said: dict[uuid.UUID, Said] = {}
    for (_, update), target in zip(reports, targets, strict=True):
        if target is not None and (update.state or update.is_free):
            said.setdefault(target, Said()).add(update)
    open_runs = put_off.lock_runs(said)
    known = _lock(list(said))
    details = _details(
        [pk for pk in known if said[pk].failed or said[pk].suppress or said[pk].alias]
    )
    _name(details.values(), said)
    heeded = [
        row
        for pk, row in known.items()
        if not put_off.is_about_earlier_try(row, said[pk], details.get(pk))
    ]
    failed, later = _change(heeded, said, details, open_runs)
    told = {pk: _told(row, said[pk]) for pk, row in details.items()}
    leave_alone(one for pk, one in told.items() if pk in failed or not one.ends_offers_only)
    note_dnd(
        details[pk].customer_id for pk in failed if said[pk].is_on_dnd and not details[pk].is_test
    )
    # A vendor that drops a mail for an earlier complaint tells of no new one.
    note_complaints(
        [
            pk
            for pk in known
            if said[pk].suppress == Suppression.Reason.COMPLAINT and said[pk].failed is None
        ]
    )
    return Applied(
        known=[
            target in known or not (update.state or update.is_free)
            for (_, update), target in zip(reports, targets, strict=True)
        ],
        refused={
            known[pk].batch_id for pk in failed if said[pk].error_class == ResultClass.FAIL_CONTENT
        },
        faulted={
            details[pk].account_id: said[pk].detail or said[pk].code
            for pk in failed | later
            if said[pk].error_class == ResultClass.FAIL_ACCOUNT
        },
    )


def _told(row: Details, said: Said) -> Told:
    return Told(
        None if row.is_test else row.customer_id,
        row.channel,
        row.address,
        said.error_class,
        said.suppress,
    )


def _targets(reports: Iterable[Report]) -> list[uuid.UUID | None]:
    """The message that each report is about, by our id or by the vendor's."""
    asked = {(a, u.reference) for a, u in reports if not u.message_id and u.reference}
    by_reference: dict[tuple[uuid.UUID, str], uuid.UUID] = {}
    if asked:
        with connection.cursor() as cursor:
            cursor.execute(FIND, [list(column) for column in zip(*asked, strict=True)])
            by_reference = {(account, ref): message for account, ref, message in cursor.fetchall()}
    return [
        update.message_id or by_reference.get((account_id, update.reference))
        for account_id, update in reports
    ]


def _lock(ids: list[uuid.UUID]) -> dict[uuid.UUID, Standing]:
    """Lock the messages there are, in the order of their ids."""
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(LOCK, _place(ids))
        return {row[0]: Standing(*row) for row in cursor.fetchall()}


def _details(ids: list[uuid.UUID]) -> dict[uuid.UUID, Details]:
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(DETAILS, _place(ids))
        return {row[0]: Details(*row) for row in cursor.fetchall()}


def _place(ids: list[uuid.UUID]) -> dict[str, Any]:
    return {"ids": ids, "first": min(ids), "last": max(ids)}


def _name(details: Iterable[Details], said: Mapping[uuid.UUID, Said]) -> None:
    """Remember the other ids by which the vendor will name messages."""
    named = [(row.account_id, said[row.id].alias, row.id) for row in details if said[row.id].alias]
    if named:
        with connection.cursor() as cursor:
            cursor.execute(NAME, [current_tenant_id(), *map(list, zip(*named, strict=True))])


def _change(
    rows: Sequence[Standing],
    said: Mapping[uuid.UUID, Said],
    details: Mapping[uuid.UUID, Details],
    open_runs: Collection[uuid.UUID],
) -> tuple[set[uuid.UUID], set[uuid.UUID]]:
    """Write what is new, and count it; returns which messages failed for good, and which are
    tried again."""
    later = {
        row.id
        for row in rows
        if row.state_after(said[row.id]) == "failed" != row.state
        and put_off.may_be_put_off(row, said[row.id], details[row.id], open_runs)
    }
    changed = [row for row in rows if row.learns_from(said[row.id]) and row.id not in later]
    _go_on(changed, said)
    moved = [(row, row.state_after(said[row.id])) for row in changed]
    moved = [(row, new) for row, new in moved if row.state != new]
    failed = {row.id for row, new in moved if new == "failed"}
    _fail([details[pk] for pk in failed], said)
    until = {}
    if later:
        until = put_off.put_off([details[pk] for pk in later], said, clock.now())
        moved += [(row, "queued") for row in rows if row.id in later]
    give_back(
        [
            (row.customer_id, row.slot_at, None)
            for row in details.values()
            if row.slot_at and (row.id in failed or row.id in later)
        ]
    )
    moves: Counter[tuple[int, str, str, str, str]] = Counter()
    for row, new in moved:
        code = said[row.id].code if new == "failed" else row.cause
        # What another channel took over is counted no more, but what it costs is.
        moves[row.batch_id, row.state, new, row.cause, code] += not row.is_superseded
    for batch_id in _free([row.id for row in rows if said[row.id].is_free]):
        moves[batch_id, "", "", "", ""] += 0
    move_counters(
        Move(batch_id, old, new, count, old_code, new_code)
        for (batch_id, old, new, old_code, new_code), count in moves.items()
    )
    if later:
        latest_first = sorted(
            (row for row in rows if row.id in later), key=lambda row: until[row.id], reverse=True
        )
        soonest = {row.batch_id: until[row.id] for row in latest_first}
        put_off.wake(soonest, {details[pk].run_id for pk in later})
    return failed, later


def _go_on(changed: Sequence[Standing], said: Mapping[uuid.UUID, Said]) -> None:
    if not changed:
        return
    ids = [row.id for row in changed]
    with connection.cursor() as cursor:
        cursor.execute(
            GO_ON,
            {
                **_place(ids),
                "states": [row.state_after(said[row.id]) for row in changed],
                "sent": [said[pk].sent for pk in ids],
                "delivered": [said[pk].delivered for pk in ids],
                "read": [said[pk].read for pk in ids],
                "references": [said[pk].reference for pk in ids],
            },
        )
        note_reading(customer_id for (customer_id,) in cursor.fetchall())


def _fail(failed: Sequence[Details], said: Mapping[uuid.UUID, Said]) -> None:
    """Say why."""
    if not failed:
        return
    reasons = [said[row.id] for row in failed]
    with connection.cursor() as cursor:
        cursor.execute(
            FAIL,
            {
                **_place([row.id for row in failed]),
                "failed": [one.failed for one in reasons],
                "codes": [one.code for one in reasons],
                "classes": [one.error_class for one in reasons],
                "details": [one.detail for one in reasons],
            },
        )


def _free(ids: list[uuid.UUID]) -> set[int]:
    """What the vendor does not charge costs nothing; returns the batches where that is news."""
    if not ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(FREE, _place(ids))
        return {batch_id for (batch_id,) in cursor.fetchall()}
