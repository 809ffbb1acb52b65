"""Asking vendors what became of messages whose answer was lost, where they can be asked."""

import datetime as dt
import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F

from marketing.content.models import TemplateVersion
from marketing.core import clock
from marketing.core.errors import ProviderFailed
from marketing.core.tenancy import tenant_scope
from marketing.delivery import http
from marketing.delivery.dispatch import outcomes
from marketing.delivery.dispatch.lease import Marked
from marketing.delivery.dispatch.outcomes import Outcome
from marketing.delivery.dispatch.rendering import MessageRenderer
from marketing.delivery.models import DispatchBatch, Message, ProviderReference
from marketing.delivery.providers.base import Account, Envelope
from marketing.delivery.registry import account_of, vendor
from marketing.delivery.rules import MAX_TRIES, Result, ResultClass
from marketing.policy.models import ProviderAccount

logger = logging.getLogger(__name__)

# The vendor's own webhook mostly comes first.
ASKED_AFTER = dt.timedelta(minutes=2)
# A vendor is asked for as many at once; the rest has its turn in the next round.
MESSAGES_A_ROUND = 100
ROUND_SECONDS = 30.0
# What a vendor tells of a message it has: anything else proves nothing.
TELLING = (ResultClass.ACCEPTED, ResultClass.FAIL_RECIPIENT, ResultClass.FAIL_OPTOUT,
           ResultClass.FAIL_CONTENT, ResultClass.RETRY_LATER_24H)  # fmt: skip

# `not_before` of an unknown message is when to ask again: each time after twice as long.
DUE = """
    SELECT m.id FROM delivery_message m
    WHERE m.batch_id = %(batch)s AND m.id BETWEEN %(first)s AND %(last)s AND m.state = 'unknown'
      AND coalesce(m.not_before, m.sending_at + %(asked_after)s) <= %(now)s
    ORDER BY m.id LIMIT %(most)s
"""
ASK_LATER = """
    UPDATE delivery_message SET not_before = %(now)s + (%(now)s - sending_at)
    WHERE id = ANY(%(ids)s) AND id BETWEEN %(first)s AND %(last)s AND state = 'unknown'
"""

MARKED = ("id", "tenant_id", "customer_id", "address", "language", "variables", "segments", "tries")


@dataclass(frozen=True)
class Lost:
    """Messages of a batch whose answer was lost, rendered as they were sent."""

    batch: DispatchBatch
    account: Account
    envelopes: list[Envelope]
    segments: dict[uuid.UUID, int]


def look_up_unknown() -> None:
    """Ask for what is unknown since two minutes, and write what the vendors know."""
    until = time.monotonic() + ROUND_SECONDS
    batches = DispatchBatch.objects.filter(unknown__gt=0).exclude(first_id=None)
    for batch in batches.order_by("?")[:MESSAGES_A_ROUND]:
        if time.monotonic() > until:
            return
        if lost := _load(batch):
            _reconcile(lost, until)


def _load(batch: DispatchBatch) -> Lost | None:
    """The batch's lost messages, put off before they are asked for; None when none is due."""
    with tenant_scope(batch.tenant_id):
        row = ProviderAccount.objects.filter(pk__in=[batch.account_id]).first()
        if row is None or not hasattr(vendor(row.provider).client, "look_up"):
            return None
        place: dict[str, Any] = {"first": batch.first_id, "last": batch.last_id, "now": clock.now()}
        with connection.cursor() as cursor:
            cursor.execute(
                DUE,
                place | {"batch": batch.pk, "asked_after": ASKED_AFTER, "most": MESSAGES_A_ROUND},
            )
            due = Message.objects.filter(pk__in=[message_id for (message_id,) in cursor.fetchall()])
            found = due.filter(pk__range=(batch.first_id, batch.last_id)).order_by("pk")
            rows: Any = found.values(*MARKED, version_id=F("template_version_id"))
            marked = [Marked(**row) for row in rows]
            cursor.execute(ASK_LATER, place | {"ids": [message.id for message in marked]})
        if not marked:
            return None
        versions = TemplateVersion.objects.select_related("template", "tenant").in_bulk(
            {message.version_id for message in marked if message.version_id}
        )
        renderer = MessageRenderer(versions)
        return Lost(
            batch,
            account_of(row),
            [renderer.render(message)[0] for message in marked],
            {message.id: message.segments for message in marked},
        )


def _reconcile(lost: Lost, until: float) -> None:
    """Ask outside any transaction, a few messages at a time; write what was told."""
    client = vendor(lost.account.provider).client
    told: dict[uuid.UUID, Result] = {}
    size = int(client.LOOK_UP_BATCH)
    for start in range(0, len(lost.envelopes), size):
        asked = lost.envelopes[start : start + size]
        if time.monotonic() > until:
            break
        try:
            answer = http.ask(client.look_up(lost.account, asked))
        except ProviderFailed as error:
            logger.warning("%s cannot be asked: %s", lost.account.provider, error.details)
            break
        results = client.interpret_look_up(asked, answer)
        for envelope, result in zip(asked, results, strict=True):
            if result is not None and result.outcome in TELLING:
                told[envelope.message_id] = result
    if told:
        _write(lost, told)


def _write(lost: Lost, told: dict[uuid.UUID, Result]) -> None:
    """A reference that is another message's, or told of two, is no match."""
    batch = lost.batch
    assert batch.first_id is not None
    assert batch.last_id is not None
    references = [result.reference for result in told.values() if result.reference]
    with tenant_scope(batch.tenant_id):
        known = ProviderReference.objects.filter(
            account_id=lost.account.id, reference__in=references
        )
        owner = dict(known.values_list("reference", "message_id"))
    matched = _matched(told, owner, references)
    if matched:
        outcomes.write(
            batch.tenant_id,
            [Outcome(pk, told[pk], MAX_TRIES, lost.segments[pk]) for pk in sorted(matched)],
            batch.first_id,
            batch.last_id,
        )
        logger.info("%d lost answers of batch %d were found", len(matched), batch.pk)


def _matched(
    told: dict[uuid.UUID, Result], owner: dict[str, uuid.UUID], references: Sequence[str]
) -> list[uuid.UUID]:
    return [
        pk
        for pk, result in told.items()
        if not result.reference
        or (references.count(result.reference) == 1 and owner.get(result.reference, pk) == pk)
    ]
