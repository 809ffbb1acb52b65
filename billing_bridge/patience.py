"""How bills are priced and held for whoever stands at a till: the counter's calls and its page."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from billing_bridge.bills import CounterBill, at_its_field
from marketing.core.actor import Actor
from marketing.coupons import selectors, services
from marketing.coupons.errors import Busy, InvalidCouponCode
from marketing.coupons.pricing.bill import EnteredCode
from marketing.coupons.pricing.reasons import Reason, ReasonCode
from marketing.coupons.selectors import Priced

PAUSES = (0.1, 0.3)
Made = TypeVar("Made")


def price(actor: Actor, bill: CounterBill) -> Priced:
    """The bill's quote; wrong codes on it count. Raises `Throttled` after too many of them."""
    codes = bill.cart.codes
    if codes:
        services.require_patience(actor=actor, branch_id=bill.branch_id)
    priced = at_its_field(
        lambda: selectors.price_bill(
            branch_id=bill.branch_id,
            customer_id=bill.customer_id,
            cart=bill.cart,
            asked=bill.asked,
        )
    )
    if codes:
        services.note_codes(actor=actor, branch_id=bill.branch_id, codes=priced.quote.codes)
    return priced


@contextmanager
def wary_of_guesses(actor: Actor, bill: CounterBill) -> Iterator[None]:
    """Around what refuses a bill for its codes: a wrong one counts, whatever is rolled back."""
    if bill.cart.codes:
        services.require_patience(actor=actor, branch_id=bill.branch_id)
    try:
        yield
    except InvalidCouponCode as error:
        _note(actor, bill.branch_id, error)
        raise


def patiently(work: Callable[[], Made]) -> Made:
    """`work`, tried three times within half a second before `Busy` is told."""
    for pause in PAUSES:
        try:
            return work()
        except Busy:
            time.sleep(pause)
    return work()


def _note(actor: Actor, branch_id: uuid.UUID, error: InvalidCouponCode) -> None:
    wrong = EnteredCode(code=error.details.get("code", ""), fault=Reason(ReasonCode.CODE_UNKNOWN))
    services.note_codes(actor=actor, branch_id=branch_id, codes=[wrong])
