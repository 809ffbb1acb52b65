"""Bills that are paid without having been reserved."""

import uuid
from collections.abc import Mapping
from typing import Any

from marketing.core import clock, events
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
from marketing.coupons.services import counters
from marketing.coupons.services.bills import (
    FOUND_OR_NEW,
    find_or_begin,
    require_branch,
    stand_for,
)
from marketing.coupons.services.counters import USE_AT_ONCE, Changes
from marketing.coupons.services.locks import counter_call
from marketing.coupons.services.promises import (
    hold_effects,
    priced_for_her,
    promise,
    require_promise,
    sold_of,
    uses_of,
)
from marketing.coupons.services.redemptions import (
    Redeemed,
    again,
    commit_effects,
    count_uses,
    keep_effects,
    redemption_of,
    require_invoice,
    tell_redeemed,
)
from marketing.coupons.services.writing import write_paid

State = Reservation.State

FIND = FOUND_OR_NEW.format(found="bill.invoice_id = %(invoice)s AND bill.state = 'redeemed'")


@whole()
def redeem_bill(
    *,
    actor: Actor,
    branch_id: uuid.UUID,
    customer_id: uuid.UUID | None,
    cart: Cart,
    invoice_id: str,
    quote_hash: str | None = None,
    asked: Mapping[str, Mapping[str, Any]] | None = None,
    wallet: int = 0,
) -> Redeemed:
    """Price and redeem in one, for counters that reserve nothing; refused as the two are."""
    require_branch(actor, branch_id)
    require_invoice(invoice_id)
    with counter_call(), events.together():
        bill = _find(branch_id, invoice_id)
        if bill.state == State.REDEEMED:
            return again(bill)
        priced = priced_for_her(
            branch_id=branch_id, customer_id=customer_id, cart=cart, asked=asked
        )
        require_promise(priced, quote_hash)
        promise(bill, priced)
        bill.effects = hold_effects(bill, priced)
        _pay(bill, invoice_id)
        used = uses_of(bill, priced)
        rows = write_paid(actor, "coupon.redeem", bill, used)
        redemptions = [redemption_of(bill, rows[each.use.offer_id], each) for each in used]
        tell_redeemed(redemptions)
        priced_bill = KeptBill(priced.facts.cart, priced.quote, priced.asked)
        kept = commit_effects(bill, priced_bill, by=actor.label, wallet=wallet, known=priced.known)
        keep_effects(bill, kept)
        # Last: every bill with a limited offer waits for its row until this one is over.
        changes: Changes = {}
        counters.add(changes, [each.use for each in used], USE_AT_ONCE)
        count_uses(changes)
    return Redeemed(reservation=bill, redemptions=redemptions)


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
        bill = _find(branch_id, invoice_id)
        if bill.state == State.REDEEMED:
            return again(bill)
        facts = Facts(cart=cart, customer=None, usage={}, settings=present_settings())
        answer = quote(cart, Catalogue(()), settings=facts.settings)
        bill.customer_id = stand_for(customer_id)
        bill.quote_hash = promise_hash(answer)
        bill.engine = answer.engine
        # Of no offer at all: replayed, it finds none.
        bill.catalogue = 0
        bill.local_day = local_day(cart.at, cart.timezone)
        bill.trace = pack(facts, answer, day=bill.local_day, asked=asked or {})
        bill.applied = []
        bill.sold = sold_of(cart)
        bill.discount = answer.discount
        bill.payable = answer.payable
        bill.reserved_at = bill.expires_at = clock.now()
        _pay(bill, invoice_id)
        write_paid(actor, "coupon.record_bill", bill, ())
        with events.together():
            paid = KeptBill(cart, answer, asked or {})
            keep_effects(bill, commit_effects(bill, paid, by=actor.label, wallet=wallet))
    return Redeemed(reservation=bill, redemptions=[])


def _find(branch_id: uuid.UUID, invoice_id: str) -> Reservation:
    """What the invoice was redeemed by, else a bill that is still to be filled in."""
    return find_or_begin(FIND, branch_id, key=f"invoice {invoice_id}"[:100], invoice=invoice_id)


def _pay(bill: Reservation, invoice_id: str) -> None:
    bill.state = State.REDEEMED
    bill.invoice_id, bill.redeemed_at = invoice_id, clock.now()
