"""What vendors report of many people's consent, and what a person opens again herself."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db import connection, transaction

from customers import rules, selectors
from customers.facts import mark_stale
from customers.models import ConsentRecord, ConsentState, Customer
from customers.services.consent import record_consent
from customers.services.standing import standing_ids
from marketing.core import clock, events
from marketing.core.actor import Actor
from marketing.core.models import AuditEntry

# How a person says something of herself; what staff or another system closed stays closed.
OWN_SOURCES = frozenset({"customer_request", "preference_centre", "unsubscribe_link", "provider"})


@transaction.atomic
def withdraw_for_many(
    *,
    actor: Actor,
    customer_ids: Collection[uuid.UUID],
    channel: str,
    purpose: str,
    source: str,
) -> int:
    """End one purpose of a channel for each of these active people who still agrees to it.

    Ledger, current state, audit and news as `record_consent` writes them, set-based. Returns
    for how many it ended.
    """
    field = f"{channel}_{purpose}"
    if not customer_ids:
        return 0
    others = [f"NOT {channel}_{name}" for name in rules.CONSENT_PURPOSES if name != purpose]
    people = _lock(customer_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE customers_consentstate s
            SET {field} = false, updated_at = now(),
                {channel}_basis = CASE WHEN {" AND ".join(others)} THEN '' ELSE {channel}_basis END
            FROM customers_customer c
            WHERE c.id = s.customer_id AND c.status = 'active' AND c.id = ANY(%s) AND s.{field}
            RETURNING s.customer_id
            """,  # noqa: S608  the names of our own columns
            [people],
        )
        ended = [customer_id for (customer_id,) in cursor.fetchall()]
    said = rules.Statement(ConsentRecord.State.WITHDRAWN, channel, purpose)
    _write_down(
        actor,
        ended,
        said,
        field=field,
        change=(True, False),
        source=source,
    )
    _note_again(actor, people, ended, said, source=source)
    return len(ended)


@transaction.atomic
def set_dnd_for_many(*, actor: Actor, customer_ids: Collection[uuid.UUID], source: str) -> int:
    """Note that each of these active people is on the do-not-disturb register.

    Written as `withdraw_for_many` writes. Returns of how many it was news.
    """
    if not customer_ids:
        return 0
    people = _lock(customer_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE customers_consentstate s SET is_dnd = true, updated_at = now()
            FROM customers_customer c
            WHERE c.id = s.customer_id AND c.status = 'active' AND c.id = ANY(%s)
              AND NOT s.is_dnd
            RETURNING s.customer_id
            """,
            [people],
        )
        noted = [customer_id for (customer_id,) in cursor.fetchall()]
    statement = rules.Statement(ConsentRecord.State.DND_SET)
    _write_down(actor, noted, statement, field="is_dnd", change=(False, True), source=source)
    _note_again(actor, people, noted, statement, source=source)
    return len(noted)


def _lock(customer_ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Lock these people, each as who she is by now; returns their ids."""
    people = sorted(set(standing_ids(customer_ids).values()))
    list(Customer.objects.select_for_update(no_key=True).filter(pk__in=people).order_by("pk"))
    return people


def _note_again(
    actor: Actor,
    people: Collection[uuid.UUID],
    written: Collection[uuid.UUID],
    said: rules.Statement,
    *,
    source: str,
) -> None:
    """Note it in the ledger of those too in whom it may stand because of a merge alone."""
    _append(actor, selectors.may_come_apart(people).difference(written), said, source=source)


def _write_down(
    actor: Actor,
    customer_ids: Sequence[uuid.UUID],
    said: rules.Statement,
    *,
    field: str,
    change: tuple[bool, bool],
    source: str,
) -> None:
    """Ledger, audit and news of what changed in the consent state of these people."""
    mark_stale(customer_ids)
    _append(actor, customer_ids, said, source=source)
    AuditEntry.objects.bulk_create(
        AuditEntry(
            tenant_id=actor.tenant_id,
            user_id=actor.user_id,
            actor_label=actor.label,
            action="consent.update",
            object_type=Customer._meta.label_lower,
            object_id=customer_id,
            changes={field: list(change), "source": source},
        )
        for customer_id in customer_ids
    )
    if events.has_subscribers("consent.updated"):
        told = {"field": field, "oldValue": change[0], "newValue": change[1]}
        for customer_id in customer_ids:
            events.record("consent.updated", {"customerId": str(customer_id), **told})


def _append(
    actor: Actor, customer_ids: Iterable[uuid.UUID], said: rules.Statement, *, source: str
) -> None:
    at = clock.now()
    ConsentRecord.objects.bulk_create(
        ConsentRecord(
            customer_id=customer_id,
            channel=said.channel,
            purpose=said.purpose,
            state=said.state,
            source=source,
            user=actor.user,
            at=at,
        )
        for customer_id in customer_ids
    )


@transaction.atomic
def reopen_consent(
    *, actor: Actor, customer: Customer, channel: str, source: str, purpose: str = ""
) -> ConsentState:
    """Give back what the person herself closed on the channel; with `purpose`, that alone.

    An opt-out of all marketing is hers when she gave it; what staff closed stays closed.
    """
    state, _made = ConsentState.objects.get_or_create(customer=customer)
    closed = _closed_by_herself(list(customer.consent_records.order_by("at", "pk")))
    purposes = [purpose] if purpose else rules.CONSENT_PURPOSES
    changes: dict[str, bool | str] = {
        f"{channel}_{name}": True for name in purposes if f"{channel}_{name}" in closed
    }
    if state.marketing_opted_out and not purpose:
        if "marketing_opted_out" not in closed:
            return state
        changes["marketing_opted_out"] = False
    if not changes:
        return state
    return record_consent(actor=actor, customer=customer, changes=changes, source=source)


def _closed_by_herself(records: Sequence[ConsentRecord]) -> set[str]:
    """The fields of the consent state that her own words closed last."""
    fields = rules.no_consent()
    closed: set[str] = set()
    for record in records:
        said = rules.Statement(record.state, record.channel, record.purpose, record.basis)
        after: dict[str, Any] = rules.follow(fields, said, source=record.source, at=record.at)
        for name, value in after.items():
            is_open = (not value) if name == "marketing_opted_out" else bool(value)
            if value == fields[name] or not isinstance(value, bool):
                continue
            if not is_open and record.source in OWN_SOURCES:
                closed.add(name)
            else:
                closed.discard(name)
        # Consent that an import brought has no line of its own: the line that ends it tells.
        if record.state == ConsentRecord.State.WITHDRAWN and record.source in OWN_SOURCES:
            purposes = [record.purpose] if record.purpose else rules.CONSENT_PURPOSES
            closed |= {f"{record.channel}_{purpose}" for purpose in purposes}
        fields = after
    return closed
