"""What a customer agrees to: ledger, current state, audit and news in one transaction.

Locks are taken in this order everywhere: the customer's row, then the consent state.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from customers import consent_defaults, rules, selectors
from customers.facts import mark_stale
from customers.models import Channel, ConsentRecord, ConsentState, Customer
from customers.selectors import suppressions_of
from customers.services.standing import standing_ids
from customers.services.suppression import lift_opt_out
from marketing.core import audit, clock, events
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, ValidationFailed

PREFERENCES = {"preferred_channel": "preferred_channel", "preferred_language": "language"}
CHANGES = frozenset(
    {
        "is_dnd",
        "marketing_opted_out",
        *PREFERENCES,
        *(
            f"{channel}_{suffix}"
            for channel in rules.CHANNELS
            for suffix in ("consent", *rules.CONSENT_PURPOSES)
        ),
    }
)
# Consent is assumed only for people whom someone of the business, or its systems, entered.
ASSUMING_SOURCES = frozenset({"staff", "counter", "api"})


@transaction.atomic
def record_consent(
    *,
    actor: Actor,
    customer: Customer,
    changes: Mapping[str, bool | str],
    source: str,
    reason: str = "",
    ip_address: str | None = None,
    wording_version: str = "",
    language: str = "",
) -> ConsentState:
    """Write down what the customer said, and what follows from it.

    `changes` is keyed as Module 11 in snake case: whatsapp_consent, sms_consent,
    email_consent (every purpose of the channel), <channel>_promotional, <channel>_service,
    is_dnd, marketing_opted_out, preferred_channel, preferred_language. What already stands
    is not written again; only a refusal is, where it may stand because of a merge alone. Raises
    `ValidationFailed` for unknown keys or values, `Conflict` when the customer was erased.
    """
    _check(actor, changes)
    locked, state = _lock(customer)
    said = rules.statements(fields_of(state), changes)
    if selectors.may_come_apart([locked.pk]):
        said += [line for line in rules.refusals(changes) if line not in said]
    write_lines(
        actor,
        locked,
        state,
        said,
        source=source,
        reason=reason,
        ip_address=ip_address,
        wording_version=wording_version,
        language=language,
    )
    _prefer(actor, locked, changes)
    for line in said:
        if line.state == ConsentRecord.State.GRANTED:
            lift_opt_out(channel=line.channel, customer=locked)
    return state


def opt_out(
    *, actor: Actor, customer: Customer, source: str, channel: str = "", **evidence: Any
) -> ConsentState:
    """Stop marketing to the customer: on one channel, or on all when none is named."""
    changes = {f"{channel}_consent": False} if channel else {"marketing_opted_out": True}
    return record_consent(
        actor=actor, customer=customer, changes=changes, source=source, **evidence
    )


def assume_consent(*, actor: Actor, customer: Customer, source: str) -> None:
    """Give a new customer what the business assumes, unless her address has opted out before.

    Part of the transaction that creates her.
    """
    state = ConsentState(customer=customer)
    state.save(force_insert=True)
    if source not in ASSUMING_SOURCES:
        return
    channels = consent_defaults.assumed_channels()
    if not channels or _known_to_refuse(customer):
        return
    said = [
        rules.Statement(ConsentRecord.State.GRANTED, channel=channel, basis=rules.ASSUMED)
        for channel in rules.CHANNELS
        if channel in channels
    ]
    _append(actor, customer, state, said, source=source)


def withdraw_everything(*, actor: Actor, customer: Customer, source: str) -> None:
    """End every consent and opt out: the ledger's last lines for a person who is erased."""
    channels = {f"{channel}_consent": False for channel in rules.CHANNELS}
    changes = {**channels, "marketing_opted_out": True}
    record_consent(actor=actor, customer=customer, changes=changes, source=source)


def _check(actor: Actor, changes: Mapping[str, bool | str]) -> None:
    wrong: dict[str, list[str]] = {}
    for name, value in changes.items():
        if name not in CHANGES:
            wrong[name] = [_("There is no such field.")]
        elif name == "preferred_channel":
            if value not in Channel.values:
                wrong[name] = [_("Choose WhatsApp, SMS or e-mail.")]
        elif name == "preferred_language":
            if not isinstance(value, str) or not 0 < len(value) <= 10:
                wrong[name] = [_("Choose a language.")]
        elif not isinstance(value, bool):
            wrong[name] = [_("Write true or false.")]
    if wrong:
        raise ValidationFailed(fields=wrong)


def _lock(customer: Customer) -> tuple[Customer, ConsentState]:
    """The customer, or whom she was merged into: what she said is not lost."""
    pk = standing_ids([customer.pk])[customer.pk]
    locked = Customer.objects.select_for_update(no_key=True).get(pk=pk)
    if locked.status != Customer.Status.ACTIVE:
        raise Conflict(_("This customer was erased."))
    state, _made = ConsentState.objects.select_for_update(no_key=True).get_or_create(
        customer=locked
    )
    return locked, state


def fields_of(state: ConsentState) -> dict[str, Any]:
    """The consent state as `rules` takes it."""
    return {name: getattr(state, name) for name in rules.no_consent()}


def write_lines(
    actor: Actor,
    customer: Customer,
    state: ConsentState,
    said: Sequence[rules.Statement],
    *,
    source: str,
    **evidence: Any,
) -> None:
    """Ledger, state, audit and news of these lines; customer and state are locked."""
    if not said:
        return
    before = fields_of(state)
    _append(actor, customer, state, said, source=source, **evidence)
    after = fields_of(state)
    moved = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    audit.record(actor, "consent.update", customer, moved | {"source": source})
    for name, (old, new) in moved.items():
        events.record(
            "consent.updated",
            {
                "customerId": str(customer.pk),
                "field": name,
                "oldValue": old,
                "newValue": new,
            },
            actor_id=actor.user_id,
        )
    if any(line.state == ConsentRecord.State.OPTED_OUT for line in said):
        events.record(
            "consent.opted_out",
            {"customerId": str(customer.pk), "source": source},
            actor_id=actor.user_id,
        )


def _append(
    actor: Actor,
    customer: Customer,
    state: ConsentState,
    said: Sequence[rules.Statement],
    *,
    source: str,
    **evidence: Any,
) -> None:
    """Write the lines, and set the state to what follows from them."""
    at = clock.now()
    fields = fields_of(state)
    for line in said:
        fields = rules.follow(fields, line, source=source, at=at)
    ConsentRecord.objects.bulk_create(
        ConsentRecord(
            customer=customer,
            channel=line.channel,
            purpose=line.purpose,
            state=line.state,
            basis=line.basis,
            source=source,
            user=actor.user,
            at=at,
            **evidence,
        )
        for line in said
    )
    for name, value in fields.items():
        setattr(state, name, value)
    state.save()
    mark_stale([customer.pk])


def _prefer(actor: Actor, customer: Customer, changes: Mapping[str, bool | str]) -> None:
    values = {PREFERENCES[name]: value for name, value in changes.items() if name in PREFERENCES}
    differences = audit.difference(customer, values)
    if not differences:
        return
    for name in differences:
        setattr(customer, name, values[name])
    customer.version += 1
    customer.save(update_fields=[*differences, "version", "updated_at"])
    audit.record(actor, "customer.update", customer, differences)
    mark_stale([customer.pk])


def _known_to_refuse(customer: Customer) -> bool:
    """Whether somebody with one of her addresses has opted out, or was erased."""
    addresses = {"phone": customer.phone, "email": customer.email}
    for kind, address in addresses.items():
        if not address:
            continue
        holders = selectors.customers_with_address(kind, address)
        refusing = ConsentState.objects.filter(
            customer__in=holders.order_by().values("pk"), marketing_opted_out=True
        )
        if refusing.exclude(customer=customer).exists():
            return True
    return suppressions_of(addresses.values()).exists()
