"""What a priced bill promises: kept in its row, held by effects, used of its offers."""

import uuid
from collections.abc import Mapping
from typing import Any

import orjson

from customers.services.standing import ask_to_stand
from marketing.coupons import quote_effects
from marketing.coupons.errors import QuoteChanged, refusal_of
from marketing.coupons.models import Reservation
from marketing.coupons.pricing.answer import Verdict
from marketing.coupons.pricing.bill import Cart
from marketing.coupons.pricing.canonical import encode
from marketing.coupons.pricing.reasons import ReasonCode
from marketing.coupons.rules import LASTS, LONGEST, local_day
from marketing.coupons.selectors.prices import Priced, price_bill
from marketing.coupons.selectors.replay import pack
from marketing.coupons.services.bills import OnBill, stand_for
from marketing.coupons.services.counters import Use


def priced_for_her(
    *,
    branch_id: uuid.UUID,
    customer_id: uuid.UUID | None,
    cart: Cart,
    asked: Mapping[str, Mapping[str, Any]] | None,
    mine: Reservation | None = None,
) -> Priced:
    """`price_bill` for who stands for the customer until the transaction ends; a merge waits.

    `mine`: what is reserved for this bill already.
    """

    def price(whose: uuid.UUID | None) -> Priced:
        return price_bill(
            branch_id=branch_id,
            customer_id=whose,
            cart=cart,
            asked=asked,
            reservation_id=mine.pk if mine else None,
            kept=mine.effects if mine else None,
        )

    if customer_id is None:
        return price(None)
    herself = ask_to_stand(customer_id)
    priced = price(customer_id)
    return priced if herself.rows else price(stand_for(customer_id))


def require_promise(priced: Priced, quote_hash: str | None) -> None:
    """Raises `QuoteChanged` where the hash is not of this price; without one, Module 11's refusal
    for the first code that does not apply."""
    if quote_hash is not None:
        if quote_hash != priced.quote_hash:
            raise QuoteChanged(
                priced,
                details={
                    "quote": orjson.loads(encode(priced.quote)),
                    "quoteHash": priced.quote_hash,
                },
            )
        return
    for code in priced.quote.codes:
        # One that was typed twice has opened its offer.
        repeated = any(why.code is ReasonCode.CODE_REPEATED for why in code.reasons)
        if code.verdict is Verdict.BLOCKED and not repeated:
            raise refusal_of(code.reasons, code=code.code)


def promise(reservation: Reservation, priced: Priced) -> None:
    """Put into the reservation what is promised, ten minutes from now.

    One that is still held is so no longer than thirty from when that began.
    """
    now, quote = priced.basket.now, priced.quote
    is_held = reservation.reserved_at is not None and reservation.expires_at > now
    reservation.first_reserved_at = reservation.began_at if is_held else None
    reservation.customer_id = priced.scene.customer_id
    reservation.quote_hash = priced.quote_hash
    reservation.engine = quote.engine
    reservation.catalogue = priced.live.number
    reservation.trace = pack(
        priced.facts,
        priced.quote,
        day=priced.live.day,
        asked=priced.asked,
        typed=priced.basket.typed,
    )
    reservation.applied = [
        {
            "offer": one.offer,
            "revision": one.revision,
            "code": one.code,
            "codeId": _code_id(priced, one.offer),
            "amount": one.amount,
            "shares": [
                {"line": share.line, "amount": share.amount, "units": list(share.units)}
                for share in one.shares
            ],
        }
        for one in quote.applied
    ]
    reservation.sold = sold_of(priced.facts.cart)
    reservation.discount = quote.discount
    reservation.payable = quote.payable
    reservation.local_day = local_day(priced.facts.cart.at, priced.scene.zone)
    reservation.reserved_at = now
    reservation.expires_at = min(now + LASTS, reservation.began_at + LONGEST)


def sold_of(cart: Cart) -> dict[str, Any]:
    """The lines of a bill, none of whose units came back yet."""
    return {str(line.number): {"units": line.quantity, "back": []} for line in cart.lines}


def _code_id(priced: Priced, offer: str) -> str | None:
    """The row of the code that opens the offer; an effect's code has none."""
    row = priced.entered.ids.get(offer)
    return None if row is None else str(row[0])


def hold_effects(reservation: Reservation, priced: Priced) -> dict[str, Any]:
    """What effects keep with the reservation, by their names."""
    kept = {
        effect.name: dict(effect.hold(priced.asking(effect.name), priced.quote, reservation.pk))
        for effect in quote_effects.effects()
    }
    return {name: held for name, held in kept.items() if held}


def uses_of(reservation: Reservation, priced: Priced) -> list[OnBill]:
    """What applies, none of it of no effect: the engine leaves that out."""
    found = []
    for one, entry in zip(priced.quote.applied, reservation.applied, strict=True):
        code_id, code_limit = priced.entered.ids.get(one.offer, (None, None))
        found.append(
            OnBill(
                Use(
                    offer_id=uuid.UUID(one.offer),
                    branch_id=reservation.branch_id,
                    customer_id=reservation.customer_id,
                    code_id=code_id,
                    code_limit=code_limit,
                    amount=one.amount,
                    day=reservation.local_day,
                    limits=priced.catalogue.by_id[one.offer].terms.limits,
                ),
                one.revision,
                entry["shares"],
            )
        )
    return found
