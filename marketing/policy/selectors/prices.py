"""What a message costs: rate cards by day, channel, country and category."""

import datetime as dt
import logging
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from customers.models import Channel
from marketing.core.errors import NoExchangeRate
from marketing.policy.models import (
    RateCard,
)
from marketing.policy.rules import converted, prices_by_dialling_code

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prices:
    """What a message, or an SMS segment, costs on a day, four places: by the beginning of the
    phone it goes to ("+880", the longest first), else `home`."""

    home: Decimal
    by_dialling_code: list[tuple[str, Decimal]]


def prices_of_ways(
    ways: Collection[tuple[str, str]], *, home: str, category: str, on: dt.date
) -> dict[tuple[str, str], Prices]:
    """The prices of each provider and channel for a chain whose country is `home`; one query.

    All are in the chain's currency. A country without a price of its own costs as much as home;
    home without one costs 0, with a warning in the log. Raises `NoExchangeRate` when one of them
    is in another currency and its rate was not entered.
    """
    kinds = ("provider", "channel", "country")
    cards = RateCard.objects.filter(
        provider__in={provider for provider, _channel in ways},
        channel__in={channel for _provider, channel in ways},
        category=category,
        effective_from__lte=on,
    )
    newest = cards.order_by(*kinds, "-effective_from").distinct(*kinds).select_related("tenant")
    tables: dict[tuple[str, str], dict[str, Decimal]] = {way: {} for way in ways}
    for card in newest:
        table = tables.get((card.provider, card.channel))
        if table is not None:
            table[card.country] = _in_own_currency(card)
    found = {}
    for (provider, channel), table in tables.items():
        if home not in table:
            logger.warning(
                "no price for %s %s %s in %s on %s", provider, channel, category, home, on
            )
        abroad = table.keys() - {home}
        by_phone = prices_by_dialling_code(table) if abroad and channel != Channel.EMAIL else []
        found[provider, channel] = Prices(table.get(home, Decimal(0)), by_phone)
    return found


def _in_own_currency(card: RateCard) -> Decimal:
    own = card.tenant.currency
    price = converted(card.amount, card.currency, card.exchange_rate, own)
    if price is None:
        raise NoExchangeRate(
            _(
                "%(provider)s charges %(country)s in %(currency)s. Enter among the prices what one"
                " %(currency)s costs in %(own)s."
            )
            % {
                "provider": card.get_provider_display(),
                "country": card.country,
                "currency": card.currency,
                "own": own,
            }
        )
    return price


def message_price(
    *, provider: str, channel: str, country: str, category: str, on: dt.date
) -> Decimal:
    """The price (four places) of a message, or of an SMS segment, in a country on a day.

    0 and a warning in the log when no price list covers it. Raises `NoExchangeRate`.
    """
    way = (provider, channel)
    return prices_of_ways([way], home=country, category=category, on=on)[way].home


@dataclass(frozen=True)
class DatedPrice:
    """A price and when it holds: `until` is the day before the next one, None when none follows.

    `own_price` is in the chain's currency, None when no rate is known.
    """

    card: RateCard
    until: dt.date | None
    state: str
    own_price: Decimal | None


def dated_prices(today: dt.date) -> list[DatedPrice]:
    """Every price the tenant has, the newest of each kind first; state past, active, scheduled."""
    kinds = ("channel", "provider", "category", "country")
    found: list[DatedPrice] = []
    later: RateCard | None = None
    cards = RateCard.objects.select_related("tenant").order_by(*kinds, "-effective_from")
    for card in cards:
        if later and any(getattr(card, kind) != getattr(later, kind) for kind in kinds):
            later = None
        until = later.effective_from - dt.timedelta(days=1) if later else None
        state = (
            "scheduled"
            if card.effective_from > today
            else "past"
            if until and until < today
            else "active"
        )
        own_price = converted(card.amount, card.currency, card.exchange_rate, card.tenant.currency)
        found.append(DatedPrice(card, until, state, own_price))
        later = card
    return found
