"""What follows when a vendor says to leave somebody alone: her offers end, or her address does,
or her numbers get no more promotional SMS."""

import uuid
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from django.db import connection

from customers.models import Channel, Customer, Purpose, Suppression
from customers.services import set_dnd_for_many, suppress_addresses, withdraw_for_many
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id
from marketing.delivery.rules import ResultClass

OPTED_OUT = Suppression.Reason.OPTED_OUT.value

PEOPLE = """
SELECT DISTINCT customer_id FROM delivery_message
WHERE id = ANY(%(ids)s) AND id BETWEEN %(first)s AND %(last)s
"""


class Told(NamedTuple):
    """What a vendor said of the person behind a message: `suppress` as in `rules.Result`.

    A test went to staff: what is said of its reader is said of no customer.
    """

    customer_id: uuid.UUID | None
    channel: str
    address: str
    error_class: str
    suppress: str

    @property
    def reason(self) -> str:
        """Why she is to be left alone; "" when nothing was said of it."""
        opted_out = OPTED_OUT if self.error_class == ResultClass.FAIL_OPTOUT else ""
        return self.suppress or opted_out

    @property
    def ends_offers_only(self) -> bool:
        """WhatsApp's own "stop" is about offers; elsewhere the vendor refuses everything."""
        return self.channel == Channel.WHATSAPP and self.reason == OPTED_OUT


def leave_alone(told: Iterable[Told]) -> None:
    """End offers on WhatsApp for who stopped them there, suppress the other addresses.

    The people whose offers end are locked by the caller, before their messages.
    """
    heard = list(told)
    withdraw_for_many(
        actor=Actor.system(current_tenant_id()),
        customer_ids=[one.customer_id for one in heard if one.ends_offers_only and one.customer_id],
        channel=Channel.WHATSAPP,
        purpose=Purpose.PROMOTIONAL,
        source="provider",
    )
    suppress_addresses(
        (one.channel, one.address, one.reason)
        for one in heard
        if one.reason and one.address and not one.ends_offers_only
    )


def note_dnd(customer_ids: Iterable[uuid.UUID]) -> None:
    """Note that these people, locked by the caller, are on the do-not-disturb register."""
    set_dnd_for_many(
        actor=Actor.system(current_tenant_id()),
        customer_ids=set(customer_ids),
        source="provider",
    )


def people_of(message_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Whose messages these are."""
    if not message_ids:
        return set()
    place: dict[str, Any] = {
        "ids": list(message_ids),
        "first": min(message_ids),
        "last": max(message_ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, place)
        return {customer_id for (customer_id,) in cursor.fetchall()}


def lock_people(ids: Collection[uuid.UUID]) -> None:
    """Lock customers in the order of their ids, before any message is locked."""
    if ids:
        people = Customer.objects.filter(pk__in=ids).order_by("pk")
        list(people.select_for_update(no_key=True).values_list("pk"))
