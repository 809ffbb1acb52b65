"""Addresses that must not be written to again. They are kept as hashes and outlive the person."""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import connection

from customers import changed
from customers.models import Channel, Customer, Suppression
from customers.selectors import ids_holding, suppressions_of
from marketing.core import clock
from marketing.core.tenancy import current_tenant_id

UNREACHABLE_FOR = dt.timedelta(days=30)


def suppress_address(*, channel: str, address: str, reason: str) -> None:
    """Never write to this address on this channel again; `reason` of `Suppression.Reason`."""
    suppress_addresses([(channel, address, reason)])


def suppress_addresses(addresses: Iterable[tuple[str, str, str]]) -> None:
    """The same for many `(channel, address, reason)` in one statement.

    An address that only opted out takes the harder reason; others keep their first one. Who
    could not be reached may be tried again after `UNREACHABLE_FOR`.
    """
    rows = sorted({(channel, address): reason for channel, address, reason in addresses}.items())
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_suppression AS known (
                tenant_id, channel, address_hash, reason, until)
            SELECT %(tenant)s, channel, parlour_address_hash(%(tenant)s, address), reason,
                   CASE reason WHEN 'unreachable' THEN %(until)s::timestamptz END
            FROM unnest(%(channels)s::text[], %(addresses)s::text[], %(reasons)s::text[])
                AS given(channel, address, reason)
            ON CONFLICT (tenant_id, channel, address_hash)
            DO UPDATE SET reason = excluded.reason, until = excluded.until
            WHERE known.reason = 'unreachable'
               OR (known.reason = 'opted_out' AND excluded.reason <> 'unreachable')
            """,
            {
                "tenant": current_tenant_id(),
                "until": clock.now() + UNREACHABLE_FOR,
                "channels": [channel for (channel, _address), _reason in rows],
                "addresses": [address for (_channel, address), _reason in rows],
                "reasons": [reason for _key, reason in rows],
            },
        )
        is_news = cursor.rowcount > 0
    if is_news:
        changed.tell(ids_holding(address for (_channel, address), _reason in rows))


def suppress_customer(*, customer: Customer) -> None:
    """Suppress all her addresses, as having opted out."""
    points = customer.contact_points.values_list("kind", "value")
    known = {*points, ("phone", customer.phone), ("email", customer.email)}
    known.add(("whatsapp", customer.whatsapp_id))
    channels = {
        "phone": (Channel.WHATSAPP, Channel.SMS),
        "whatsapp": (Channel.WHATSAPP,),
        "email": (Channel.EMAIL,),
    }
    suppress_addresses(
        (channel, value, Suppression.Reason.OPTED_OUT)
        for kind, value in known
        if value
        for channel in channels.get(kind, ())
    )


def lift_opt_out(*, channel: str, customer: Customer) -> None:
    """She agrees again: forget that her address had opted out. Bounces and complaints stay."""
    address = customer.email if channel == Channel.EMAIL else customer.phone
    lift_opt_outs(channels=[channel], addresses=[address, customer.whatsapp_id])


def lift_opt_outs(*, channels: Sequence[str], addresses: Iterable[str]) -> None:
    """Who has these addresses asks for messages again. Bounces and complaints stay."""
    given = list(addresses)
    lifted, _rows = (
        suppressions_of(given)
        .filter(channel__in=channels, reason=Suppression.Reason.OPTED_OUT)
        .delete()
    )
    if lifted:
        changed.tell(ids_holding(given))
