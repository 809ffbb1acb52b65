"""A bill that comes without anything reserved or asked for: no offer of ours was on it."""

import uuid
from collections.abc import Mapping
from typing import Any

from marketing.core import audit, clock, events
from marketing.core.actor import Actor
from marketing.core.whole import whole
from marketing.coupons.models import Reservation
from marketing.coupons.pricing.bill import Cart
from marketing.coupons.pricing.canonical import promise_hash
from marketing.coupons.pricing.compiled import Catalogue
from marketing.coupons.pricing.engine import quote
from marketing.coupons.rules import local_day
from marketing.coupons.selectors.prices import Facts, require_no_faults
from marketing.coupons.selectors.replay import KeptBill, pack
from marketing.coupons.selectors.settings import present_settings
from marketing.coupons.services.bills import require_branch, stand_for
from marketing.coupons.services.locks import counter_call
from marketing.coupons.services.redemptions import (
    Redeemed,
    again,
    commit_effects,
    keep_effects,
    require_invoice,
)
from marketing.coupons.services.reservations import sold_of

State = Reservation.State


@whole()
def record_bill(
    *,
    actor: Actor,
    branch_id: uuid.UUID,
    customer_id: uuid.UUID | None,
    cart: Cart,
    invoice_id: str,
    asked: Mapping[str, Mapping[str, Any]] | None = None,
    wallet: int = 0,
) -> Redeemed:
    """Let effects take part in a paid bill that no offer was on; it can be reversed as others can.

    What was taken off its lines is their `manual_discount`; `cart` has its time zone. It may be of
    any time before now: nothing is judged by its hour. The same invoice again is answered with
    what was done. Raises `ValidationFailed` at the fields of the cart, and what effects raise.
    """
    require_branch(actor, branch_id)
    require_invoice(invoice_id)
    require_no_faults(cart)
    with counter_call():
        done = Reservation.objects.filter(
            branch=branch_id, invoice_id=invoice_id, state=State.REDEEMED
        ).first()
        if done is not None:
            return again(done)
        facts = Facts(cart=cart, customer=None, usage={}, settings=present_settings())
        answer = quote(cart, Catalogue(()), settings=facts.settings)
        now = clock.now()
        day = local_day(cart.at, cart.timezone)
        reservation = Reservation.objects.create(
            branch_id=branch_id,
            customer_id=stand_for(customer_id),
            key=f"invoice {invoice_id}"[:100],
            state=State.REDEEMED,
            quote_hash=promise_hash(answer),
            engine=answer.engine,
            # Of no offer at all: replayed, it finds none.
            catalogue=0,
            trace=pack(facts, answer, day=day, asked=asked or {}),
            applied=[],
            sold=sold_of(cart),
            discount=answer.discount,
            payable=answer.payable,
            local_day=day,
            reserved_at=now,
            expires_at=now,
            invoice_id=invoice_id,
            redeemed_at=now,
        )
        with events.together():
            bill = KeptBill(cart, answer, asked or {})
            kept = commit_effects(reservation, bill, by=actor.label, wallet=wallet)
            keep_effects(reservation, kept)
        audit.record(actor, "coupon.record_bill", reservation, {"invoiceId": invoice_id})
    return Redeemed(reservation=reservation, redemptions=[])
