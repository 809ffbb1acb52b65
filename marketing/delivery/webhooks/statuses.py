"""Applying what vendors say of messages: set-based, forwards only, whatever comes twice or late.

Nothing is remembered of a report: what a message already went through changes nothing, and
what follows from a change follows only where a state really changed.

Rows are locked people first, then messages by id, contact loads by customer, batches by id.
"""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from customers.models import Channel, Purpose, Suppression
from customers.services import suppress_addresses, withdraw_for_many
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id
from marketing.delivery.counters import Move, move_counters
from marketing.delivery.providers.base import StatusUpdate
from marketing.delivery.rules import RANK, ResultClass
from marketing.delivery.services.complaints import note_complaints
from marketing.delivery.slots import give_back

# What the vendor's own id stands for, where ours is not echoed.
FIND = """
SELECT r.account_id, r.reference, r.message_id
FROM unnest(%s::uuid[], %s::text[]) AS v(account_id, reference)
JOIN delivery_providerreference r USING (account_id, reference)
"""
LEAVING = """
SELECT DISTINCT customer_id FROM delivery_message
WHERE id = ANY(%(ids)s) AND id BETWEEN %(first)s AND %(last)s
"""
LOCK = """
SELECT id, batch_id, state, error_code, sent_at IS NOT NULL, delivered_at IS NOT NULL,
       read_at IS NOT NULL, fallback_id IS NOT NULL
FROM delivery_message
WHERE id = ANY(%(ids)s) AND id BETWEEN %(first)s AND %(last)s ORDER BY id FOR UPDATE
"""
# Of the few messages whose people or addresses something follows for.
DETAILS = """
SELECT id, account_id, customer_id, channel, address, slot_at FROM delivery_message
WHERE id = ANY(%(ids)s) AND id BETWEEN %(first)s AND %(last)s ORDER BY id
"""
GO_ON = """
UPDATE delivery_message m
SET state = v.state,
    sent_at = coalesce(m.sent_at, v.sent_at,
                       CASE WHEN v.state IN ('delivered', 'read') THEN m.sending_at END),
    delivered_at = coalesce(m.delivered_at, v.delivered_at, v.read_at),
    read_at = coalesce(m.read_at, v.read_at),
    provider_message_id = coalesce(nullif(m.provider_message_id, ''), v.reference)
FROM unnest(%(ids)s::uuid[], %(states)s::text[], %(sent)s::timestamptz[],
            %(delivered)s::timestamptz[], %(read)s::timestamptz[], %(references)s::text[])
     AS v(id, state, sent_at, delivered_at, read_at, reference)
WHERE m.id = v.id AND m.id BETWEEN %(first)s AND %(last)s
"""
FAIL = """
UPDATE delivery_message m
SET failed_at = v.failed_at, error_code = v.code, error_class = v.class, error_detail = v.detail,
    cost = 0, slot_at = NULL
FROM unnest(%(ids)s::uuid[], %(failed)s::timestamptz[], %(codes)s::text[], %(classes)s::text[],
            %(details)s::text[]) AS v(id, failed_at, code, class, detail)
WHERE m.id = v.id AND m.id BETWEEN %(first)s AND %(last)s
"""
NAME = """
INSERT INTO delivery_providerreference (tenant_id, account_id, reference, message_id)
SELECT %s, * FROM unnest(%s::uuid[], %s::text[], %s::uuid[]) ON CONFLICT DO NOTHING
"""


class Report(NamedTuple):
    """A vendor's word, and the account it came to."""

    account_id: uuid.UUID
    update: StatusUpdate


@dataclass
class _Said:
    """Everything one round of reports says of one message."""

    state: str = ""
    sent: dt.datetime | None = None
    delivered: dt.datetime | None = None
    read: dt.datetime | None = None
    failed: dt.datetime | None = None
    reference: str = ""
    code: str = ""
    error_class: str = ""
    detail: str = ""
    suppress: str = ""
    alias: str = ""

    def add(self, update: StatusUpdate) -> None:
        """The furthest state counts, and the earliest time of each."""
        state = update.state
        earlier = getattr(self, state)
        if earlier is None or update.at < earlier:
            setattr(self, state, update.at)
        if not self.state or RANK[state] > RANK[self.state]:
            self.state = state
        if state == "failed":
            self.code = update.code[:30]
            self.error_class = update.error_class
            self.detail = update.detail[:255]
        self.reference = update.reference or self.reference
        self.suppress = update.suppress or self.suppress
        self.alias = update.alias or self.alias


class _Message(NamedTuple):
    """A message as it stands, locked."""

    id: uuid.UUID
    batch_id: int
    state: str
    error_code: str
    has_sent_at: bool
    has_delivered_at: bool
    has_read_at: bool
    is_superseded: bool

    def state_after(self, said: _Said) -> str:
        """Never further back."""
        return said.state if RANK[said.state] > RANK[self.state] else self.state

    def learns_from(self, said: _Said) -> bool:
        """Whether anything of it is new."""
        return (
            RANK[said.state] > RANK[self.state]
            or (said.sent is not None and not self.has_sent_at)
            or (said.delivered is not None and not self.has_delivered_at)
            or (said.read is not None and not self.has_read_at)
        )


class _Details(NamedTuple):
    """Whose message it is, where it went and which cap slot it holds."""

    id: uuid.UUID
    account_id: uuid.UUID
    customer_id: uuid.UUID
    channel: str
    address: str
    slot_at: dt.datetime | None


def people_leaving(reports: Sequence[Report]) -> set[uuid.UUID]:
    """The customers whose consent the reports will end: to be locked before any message."""
    ended = [report for report in reports if report.update.error_class == ResultClass.FAIL_OPTOUT]
    targets = [target for target in _targets(ended) if target]
    if not targets:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(LEAVING, _place(targets))
        return {customer_id for (customer_id,) in cursor.fetchall()}


def apply(reports: Sequence[Report]) -> list[bool]:
    """Apply the reports, in the open transaction; tells of each whether its message is known."""
    targets = _targets(reports)
    said: dict[uuid.UUID, _Said] = {}
    for (_, update), target in zip(reports, targets, strict=True):
        if target is not None and update.state:
            said.setdefault(target, _Said()).add(update)
    known = _lock(list(said))
    details = _details(
        [pk for pk in known if said[pk].failed or said[pk].suppress or said[pk].alias]
    )
    suppress_addresses(
        (row.channel, row.address, said[row.id].suppress)
        for row in details
        if _is_lasting(said[row.id].suppress, row.channel) and row.address
    )
    _name(details, said)
    _change(known, said, details)
    # A vendor that drops a mail for an earlier complaint tells of no new one.
    note_complaints(
        [
            pk
            for pk in known
            if said[pk].suppress == Suppression.Reason.COMPLAINT and said[pk].failed is None
        ]
    )
    return [
        target in known or not update.state
        for (_, update), target in zip(reports, targets, strict=True)
    ]


def _is_lasting(reason: str, channel: str) -> bool:
    """Whether the address itself is to be left alone; who stops offers on WhatsApp is not."""
    return bool(reason) and not (
        reason == Suppression.Reason.OPTED_OUT and channel == Channel.WHATSAPP
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


def _lock(ids: list[uuid.UUID]) -> dict[uuid.UUID, _Message]:
    """Lock the messages there are, in the order of their ids."""
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(LOCK, _place(ids))
        return {row[0]: _Message(*row) for row in cursor.fetchall()}


def _details(ids: list[uuid.UUID]) -> list[_Details]:
    if not ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(DETAILS, _place(ids))
        return [_Details(*row) for row in cursor.fetchall()]


def _place(ids: list[uuid.UUID]) -> dict[str, Any]:
    return {"ids": ids, "first": min(ids), "last": max(ids)}


def _name(details: Iterable[_Details], said: dict[uuid.UUID, _Said]) -> None:
    """Remember the other ids by which the vendor will name messages."""
    named = [(row.account_id, said[row.id].alias, row.id) for row in details if said[row.id].alias]
    if named:
        with connection.cursor() as cursor:
            cursor.execute(NAME, [current_tenant_id(), *map(list, zip(*named, strict=True))])


def _change(
    known: dict[uuid.UUID, _Message], said: dict[uuid.UUID, _Said], details: Sequence[_Details]
) -> None:
    """Write what is new, and what follows from it."""
    changed = [(row, said[pk]) for pk, row in known.items() if row.learns_from(said[pk])]
    if not changed:
        return
    states = [row.state_after(one) for row, one in changed]
    with connection.cursor() as cursor:
        cursor.execute(
            GO_ON,
            {
                **_place([row.id for row, _ in changed]),
                "states": states,
                "sent": [one.sent for _, one in changed],
                "delivered": [one.delivered for _, one in changed],
                "read": [one.read for _, one in changed],
                "references": [one.reference for _, one in changed],
            },
        )
    moved = [(row, new) for (row, _), new in zip(changed, states, strict=True) if row.state != new]
    failed = {row.id for row, new in moved if new == "failed"}
    _fail([row for row in details if row.id in failed], said)
    moves = Counter(
        (row.batch_id, row.state, new, row.error_code, _code_after(row, new, said[row.id]))
        for row, new in moved
        if not row.is_superseded
    )
    move_counters(
        Move(batch_id, old, new, count, old_code, new_code)
        for (batch_id, old, new, old_code, new_code), count in moves.items()
    )


def _code_after(row: _Message, new: str, said: _Said) -> str:
    return said.code if new == "failed" else row.error_code


def _fail(failed: Sequence[_Details], said: dict[uuid.UUID, _Said]) -> None:
    """Say why, let people go who are to be left alone, and give their cap slots back."""
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
    _let_go([row for row in failed if said[row.id].error_class == ResultClass.FAIL_OPTOUT])
    give_back([(row.customer_id, row.slot_at, None) for row in failed if row.slot_at])


def _let_go(leaving: Sequence[_Details]) -> None:
    """WhatsApp's own "stop" closes offers on WhatsApp; elsewhere the vendor refuses everything."""
    withdraw_for_many(
        actor=Actor.system(current_tenant_id()),
        customer_ids=[row.customer_id for row in leaving if row.channel == Channel.WHATSAPP],
        channel=Channel.WHATSAPP,
        purpose=Purpose.PROMOTIONAL,
        source="provider",
    )
    suppress_addresses(
        (row.channel, row.address, Suppression.Reason.OPTED_OUT)
        for row in leaving
        if row.channel != Channel.WHATSAPP and row.address
    )
