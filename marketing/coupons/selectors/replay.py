"""A past bill priced again from what was kept of it."""

import dataclasses
import datetime as dt
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from orjson import Fragment

from marketing.coupons.models import OfferRevision, Reservation
from marketing.coupons.pricing.answer import Quote
from marketing.coupons.pricing.bill import Cart
from marketing.coupons.pricing.canonical import encode, from_plain
from marketing.coupons.pricing.compiled import Catalogue
from marketing.coupons.pricing.engine import quote
from marketing.coupons.pricing.facts import Customer, OfferUsage, Settings
from marketing.coupons.pricing.terms import OfferTerms
from marketing.coupons.quote_effects import Basket
from marketing.coupons.rules import last_day
from marketing.coupons.selectors.prices import Facts


def pack(
    facts: Facts,
    answer: Quote,
    *,
    day: dt.date,
    asked: Mapping[str, Any],
    typed: Sequence[str] = (),
) -> bytes:
    """What `replay` needs, and the whole answer; a bill's takes some kilobytes.

    Two streams, one after the other: the bill and its amounts, which whoever pays or returns it
    reads; and why each offer did or did not apply, ten times as much, with what that was seen by.
    """
    bill = {
        "cart": Fragment(encode(facts.cart)),
        "quote": Fragment(encode(dataclasses.replace(answer, decisions=(), codes=()))),
        "asked": asked,
        "typed": typed,
    }
    why = {
        "day": day.isoformat(),
        "customer": Fragment(encode(facts.customer)),
        "usage": {offer: Fragment(encode(used)) for offer, used in facts.usage.items()},
        "settings": Fragment(encode(facts.settings)),
        "why": {
            "decisions": Fragment(encode(answer.decisions)),
            "codes": Fragment(encode(answer.codes)),
        },
    }
    return b"".join(zlib.compress(orjson.dumps(part), 1) for part in (bill, why))


def kept_quote(reservation: Reservation) -> Quote:
    """The answer that was given."""
    kept: Quote = from_plain(Quote, _unpack(reservation)["quote"])
    return kept


@dataclasses.dataclass(frozen=True, slots=True)
class KeptBill:
    """A bill as it was priced, and what the counter said to effects, by their names."""

    cart: Cart
    quote: Quote
    asked: Mapping[str, Mapping[str, Any]]


def kept_bill(reservation: Reservation) -> KeptBill:
    """The bill and its amounts; why other offers did not apply is left out, which takes long."""
    kept, _why = _streams(reservation)
    amounts = kept["quote"] | {"decisions": [], "codes": []}
    cart, answer = from_plain(Cart, kept["cart"]), from_plain(Quote, amounts)
    return KeptBill(cart, answer, kept["asked"])


def kept_basket(reservation: Reservation, effect: str) -> Basket:
    """The basket as that effect was shown it, at the time of the reservation."""
    kept, _why = _streams(reservation)
    return Basket(
        branch_id=reservation.branch_id,
        customer_id=reservation.customer_id,
        cart=from_plain(Cart, kept["cart"]),
        now=reservation.reserved_at,
        asked=kept["asked"].get(effect, {}),
        reservation_id=reservation.pk,
        kept=reservation.effects.get(effect, {}),
        typed=tuple(kept["typed"]),
    )


def replay(reservation: Reservation) -> Quote:
    """The bill priced again with the offers of then; equals `kept_quote` to the byte.

    Unless the answer was `bounded` by time, or the engine is another one now.
    """
    kept = _unpack(reservation)
    cart = from_plain(Cart, kept["cart"])
    customer = kept["customer"]
    return quote(
        cart,
        _catalogue(reservation.catalogue, kept["day"], {entry.offer for entry in cart.codes}),
        customer=None if customer is None else from_plain(Customer, customer),
        usage={offer: from_plain(OfferUsage, used) for offer, used in kept["usage"].items()},
        settings=from_plain(Settings, kept["settings"]),
    )


def _unpack(reservation: Reservation) -> dict[str, Any]:
    kept, rest = _streams(reservation)
    if rest:
        kept |= orjson.loads(zlib.decompress(rest))
        kept["quote"] |= kept["why"]
    return kept


def _streams(reservation: Reservation) -> tuple[dict[str, Any], bytes]:
    """The first one, read, and the rest as it is: none where all is in one, as it once was kept."""
    first = zlib.decompressobj()
    bill: dict[str, Any] = orjson.loads(first.decompress(bytes(reservation.trace)))
    return bill, first.unused_data


def _catalogue(number: int, day: str, opened: set[str]) -> Catalogue:
    latest = (
        OfferRevision.objects.filter(since__lte=number)
        .order_by("offer_id", "-revision")
        .distinct("offer_id")
        .values_list("terms", flat=True)
    )
    offers = [from_plain(OfferTerms, terms) for terms in latest]
    live = [
        terms
        for terms in offers
        if terms.active and ((last := last_day(terms)) is None or last.isoformat() >= day)
    ]
    known = {terms.id for terms in live}
    catalogue = Catalogue(live)
    for terms in offers:
        if terms.id in opened and terms.id not in known:
            catalogue.by_id |= Catalogue([terms]).by_id
    return catalogue
