"""What people write or ask for: honoured at once, kept in their timeline, answered once."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from customers import services as customers
from customers.models import Channel, ContactPoint, Customer, Purpose, Suppression
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id
from marketing.delivery.models import ExtraKeyword
from marketing.delivery.providers.base import Inbound
from marketing.delivery.webhooks import replies
from marketing.delivery.webhooks.heard import Heard
from marketing.delivery.webhooks.keywords import START, STOP, keyword_of, normalize
from marketing.policy import selectors as policy

TEXT_LENGTH = 2000
EVENT = "message.inbound"
TYPED, CONTROL = "customer_request", "provider"
# Where nobody may write to who has opted out by phone.
PHONE_CHANNELS = (Channel.WHATSAPP, Channel.SMS)

# What was said before comes back with nothing.
NOTE = """
INSERT INTO delivery_inboundmessage
    (tenant_id, account_id, key, channel, sender, is_known, text, keyword, said_at)
SELECT %s, * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::boolean[], %s::text[],
                         %s::text[], %s::timestamptz[])
ON CONFLICT DO NOTHING RETURNING id, account_id, key
"""


@dataclass(frozen=True)
class Case:
    """A new thing said, what it means and who may have said it, lowest id first."""

    id: uuid.UUID
    heard: Heard
    keyword: str
    people: list[Customer]


def senders_of(heard: Sequence[Heard]) -> set[uuid.UUID]:
    """The customers who may have said these things, to be locked before anything else."""
    return {person.pk for people in _match(heard) for person in people}


def take(heard: Sequence[Heard]) -> None:
    """Take in what is new of it, in the open transaction, however often vendors repeat it."""
    if not heard:
        return
    actor = Actor.system(current_tenant_id())
    cases = _note(heard)
    _remember_scoped_ids(actor, cases)
    _tell_timelines(actor, cases)
    for case in cases:
        if case.keyword == STOP:
            _stop(actor, case)
        elif case.keyword == START:
            _start(actor, case)
        if case.keyword:
            replies.answer(case_id=case.id, heard=case.heard, keyword=case.keyword, to=case.people)


def _note(heard: Sequence[Heard]) -> list[Case]:
    """Write down what is new; everything said comes back once."""
    words = {normalize(row.word): row.keyword for row in ExtraKeyword.objects.all()}
    cases = {
        (one.account.pk, one.said.key[:255]): (one, _meaning(one.said, words), people)
        for one, people in zip(heard, _match(heard), strict=True)
        if one.sender
    }
    columns: list[list[Any]] = [
        [account_id for account_id, _ in cases],
        [key for _, key in cases],
        [one.account.channel for one, *_ in cases.values()],
        [one.sender[:254] for one, *_ in cases.values()],
        [bool(people) for *_, people in cases.values()],
        ["" if people else _text(one.said) for one, _, people in cases.values()],
        [keyword for _, keyword, _ in cases.values()],
        [one.said.at for one, *_ in cases.values()],
    ]
    with connection.cursor() as cursor:
        cursor.execute(NOTE, [current_tenant_id(), *columns])
        new = {(account_id, key): pk for pk, account_id, key in cursor.fetchall()}
    return [Case(pk, *cases[place]) for place, pk in sorted(new.items(), key=lambda item: item[1])]


def _meaning(said: Inbound, words: Mapping[str, str]) -> str:
    if said.opt_out is not None:
        return STOP if said.opt_out else START
    return keyword_of(said.text, words)


def _text(said: Inbound) -> str:
    return said.text[:TEXT_LENGTH].replace("\0", "")


def _match(heard: Sequence[Heard]) -> list[list[Customer]]:
    """Who may have said each: by WhatsApp's scoped id, else by the address; families share one.

    Who has the phone and no scoped id yet belongs to those whom the id names.
    """
    addresses = {one.said.address for one in heard if one.said.address}
    scoped_ids = {one.said.scoped_id for one in heard if one.said.scoped_id}
    active = Customer.objects.filter(status=Customer.Status.ACTIVE).order_by("pk")
    by_address: dict[str, list[Customer]] = defaultdict(list)
    for column in ("phone", "email"):
        for person in active.filter(**{f"{column}__in": addresses}):
            by_address[getattr(person, column)].append(person)
    points = ContactPoint.objects.filter(
        kind=ContactPoint.Kind.WHATSAPP, value__in=scoped_ids, customer__in=active
    )
    by_scoped_id: dict[str, list[Customer]] = defaultdict(list)
    for point in points.select_related("customer").order_by("customer_id"):
        by_scoped_id[point.value].append(point.customer)

    def people(said: Inbound) -> list[Customer]:
        known, others = by_scoped_id.get(said.scoped_id, []), by_address.get(said.address, [])
        if not known:
            return others
        nameless = [person for person in others if not person.whatsapp_id]
        return sorted({*known, *nameless}, key=lambda person: person.pk)

    return [people(one.said) for one in heard]


def _remember_scoped_ids(actor: Actor, cases: Sequence[Case]) -> None:
    """The id by which a person is known when her phone is not shown any more.

    Each business portfolio of WhatsApp's knows her by another one. She is written to by that of
    the portfolio that sends; the others only tell who wrote.
    """
    named = [case for case in cases if case.heard.said.scoped_id]
    if not named:
        return
    sender = policy.default_account(Channel.WHATSAPP)
    noted = set(
        ContactPoint.objects.filter(
            kind=ContactPoint.Kind.WHATSAPP,
            value__in={case.heard.said.scoped_id for case in named},
        ).values_list("customer_id", "value", "heard_by")
    )
    for case in named:
        scoped_id, account = case.heard.said.scoped_id, case.heard.account
        is_senders = not (sender and account.is_of_another_portfolio(sender))
        for person in case.people:
            is_noted = (person.pk, scoped_id, account.pk) in noted
            if is_noted and (person.whatsapp_id == scoped_id or not is_senders):
                continue
            noted.add((person.pk, scoped_id, account.pk))
            customers.note_whatsapp_id(
                actor=actor,
                customer=person,
                value=scoped_id,
                heard_by=account.pk,
                is_senders=is_senders,
            )


def _tell_timelines(actor: Actor, cases: Sequence[Case]) -> None:
    told: list[customers.ReportedEvent] = []
    for case in cases:
        text = _text(case.heard.said)
        for person in case.people if text else ():
            others = [str(other.pk) for other in case.people if other.pk != person.pk]
            told.append(
                customers.ReportedEvent(
                    external_id=f"inbound:{case.id}:{person.pk}",
                    name=EVENT,
                    customer_id=person.pk,
                    occurred_at=case.heard.said.at,
                    properties={
                        "channel": case.heard.account.channel,
                        "text": text,
                        **({"sharedWith": others} if others else {}),
                    },
                )
            )
    if told:
        customers.record_events(actor=actor, events=told)


def _stop(actor: Actor, case: Case) -> None:
    """In words: no marketing at all. By the vendor's switch: none on its channel."""
    channel = case.heard.account.channel
    if not case.people:
        _suppress_stranger(case.heard)
    elif not case.heard.is_control:
        for person in case.people:
            customers.opt_out(actor=actor, customer=person, source=TYPED)
    elif channel == Channel.WHATSAPP:
        customers.withdraw_for_many(
            actor=actor,
            customer_ids=[person.pk for person in case.people],
            channel=channel,
            purpose=Purpose.PROMOTIONAL,
            source=CONTROL,
        )
    else:
        for person in case.people:
            customers.opt_out(actor=actor, customer=person, source=CONTROL, channel=channel)


def _start(actor: Actor, case: Case) -> None:
    """Reopen what she closed herself: in words, or on WhatsApp's switch what that had closed."""
    channel = case.heard.account.channel
    is_switch = case.heard.is_control and channel == Channel.WHATSAPP
    for person in case.people:
        customers.reopen_consent(
            actor=actor,
            customer=person,
            channel=channel,
            purpose=Purpose.PROMOTIONAL if is_switch else "",
            source=CONTROL if case.heard.is_control else TYPED,
        )
    if not case.people:
        customers.lift_opt_outs(channels=_channels(case.heard), addresses=_addresses(case.heard))


def _suppress_stranger(heard: Heard) -> None:
    """Nobody is known by the address yet: it must stay quiet when it is imported later."""
    customers.suppress_addresses(
        (channel, address, Suppression.Reason.OPTED_OUT)
        for channel in _channels(heard)
        for address in _addresses(heard)
    )


def _channels(heard: Heard) -> Sequence[str]:
    if heard.is_control or heard.account.channel == Channel.EMAIL:
        return (heard.account.channel,)
    return PHONE_CHANNELS


def _addresses(heard: Heard) -> list[str]:
    return [address for address in (heard.said.address, heard.said.scoped_id) if address]
