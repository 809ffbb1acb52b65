"""How bills are priced and held for whoever stands at a till: the counter's calls and its page."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from billing_bridge.bills import CounterBill, at_its_field
from marketing.core.actor import Actor
from marketing.core.errors import DomainError
from marketing.core.idempotency import StillRunning
from marketing.coupons import selectors, services
from marketing.coupons.errors import Busy, QuoteChanged
from marketing.coupons.pricing.answer import CodeDecision
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
def wary_of_guesses(actor: Actor, bill: CounterBill) -> Iterator[list[CodeDecision]]:
    """Around what reserves a bill: wrong codes count, whatever is rolled back.

    Those of a bill that is reserved all the same are to be put into the list.
    """
    if bill.cart.codes:
        services.require_patience(actor=actor, branch_id=bill.branch_id)
    told: list[CodeDecision] = []
    try:
        yield told
    except QuoteChanged as error:
        told += error.priced.quote.codes
        raise
    except DomainError as error:
        note_refused(actor, bill.branch_id, [error.details])
        raise
    finally:
        if told:
            services.note_codes(actor=actor, branch_id=bill.branch_id, codes=told)


def note_refused(actor: Actor, branch_id: uuid.UUID, refusals: Iterable[Mapping[str, Any]]) -> None:
    """Count the codes that were wrong, of the details of refusals."""
    services.note_codes(
        actor=actor,
        branch_id=branch_id,
        codes=[
            EnteredCode(code=said["code"], fault=Reason(ReasonCode(why["code"])))
            for said in refusals
            for why in said.get("reasons", ())
            if "code" in said
        ],
    )


def patiently(work: Callable[[], Made]) -> Made:
    """`work`, tried three times within half a second before it is told as busy or still running."""
    for pause in PAUSES:
        try:
            return work()
        except (Busy, StillRunning):
            time.sleep(pause)
    return work()
