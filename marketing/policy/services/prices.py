"""The prices that messages are charged at, each from a day on."""

import re
from collections.abc import Mapping
from typing import Any

import phonenumbers
from django.db import transaction
from django.utils.translation import gettext as _

from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed
from marketing.core.tenancy import current_tenant
from marketing.policy.models import RateCard
from marketing.policy.selectors import day_of
from marketing.policy.vendors import VENDORS

CATEGORIES = ("marketing", "utility")


@transaction.atomic
def set_price(*, actor: Actor, values: Mapping[str, Any]) -> RateCard:
    """Set the price of `provider`, `category` and `country` from the day `effective_from` on.

    `amount` has four places, in `currency` (the chain's own when it is not given); a price in
    another one needs its `exchange_rate`, what one unit of it costs in the chain's own. A price
    of the same day is replaced; one of a day that is past stays, as it was charged. Raises
    `ValidationFailed`.
    """
    actor.require("config.change")
    vendor = VENDORS.get(values["provider"])
    country = str(values["country"]).strip().upper()
    own = current_tenant().currency
    currency = str(values.get("currency") or own).strip().upper()
    exchange_rate = values.get("exchange_rate") if currency != own else None
    today = day_of(clock.now())
    faults: dict[str, list[str]] = {}
    if vendor is None:
        faults["provider"] = [_("Parlour does not send by this provider.")]
    if values["category"] not in CATEGORIES:
        faults["category"] = [_("Choose one of the kinds.")]
    if country not in phonenumbers.SUPPORTED_REGIONS:
        faults["country"] = [_("Give the two letters of a country, such as IN.")]
    if values["amount"] < 0:
        faults["amount"] = [_("A price is never below 0.")]
    if not re.fullmatch("[A-Z]{3}", currency):
        faults["currency"] = [_("Give the three letters of a currency, such as INR.")]
    elif currency != own and (exchange_rate is None or exchange_rate <= 0):
        faults["exchange_rate"] = [
            _("Say what one %(currency)s costs in %(own)s.") % {"currency": currency, "own": own}
        ]
    if values["effective_from"] < today:
        faults["effective_from"] = [_("What is past was charged; choose today or later.")]
    if faults or vendor is None:
        raise ValidationFailed(fields=faults)
    card, _is_new = RateCard.objects.update_or_create(
        provider=vendor.provider,
        channel=vendor.channel,
        country=country,
        category=values["category"],
        effective_from=values["effective_from"],
        defaults={
            "amount": values["amount"],
            "currency": currency,
            "exchange_rate": exchange_rate,
        },
    )
    audit.record(
        actor,
        "rate_card.set",
        card,
        {
            "provider": card.provider,
            "category": card.category,
            "country": country,
            "amount": str(card.amount),
            "currency": currency,
            "exchangeRate": None if exchange_rate is None else str(exchange_rate),
            "effectiveFrom": card.effective_from.isoformat(),
        },
    )
    return card
