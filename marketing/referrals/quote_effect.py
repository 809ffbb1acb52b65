"""Referrals' part in bills: a friend's code, her welcome, and who is thanked for her."""

import datetime as dt
import uuid
from collections.abc import Sequence

from marketing.coupons.code_symbols import key_of, normalise
from marketing.coupons.pricing.answer import Quote
from marketing.coupons.pricing.bill import EnteredCode
from marketing.coupons.pricing.reasons import Reason, ReasonCode, reason
from marketing.coupons.quote_effects import Basket, Contribution, Held, Json, Paid, Returned
from marketing.referrals.models import ReferralHold
from marketing.referrals.selectors import judging, welcome_of
from marketing.referrals.selectors.judging import Fault, FoundCode, Friend
from marketing.referrals.services import PaidBill, holds, take_paid_bill, take_refund

# What keeps a code from counting; all else keeps only its discount off the bill.
FAULTS = {fault.value for fault in Fault} | {"customer_required", "code_unknown"}


class ReferralEffect:
    """Registered with coupons as `referral`.

    The code is among those typed, or said as `{"code": …}`. A bill without one, of a customer who
    has been here before, costs no statement to price.
    """

    name = "referral"

    def ask(self, basket: Basket) -> None:
        """Nothing: of most bills there is nothing to ask."""

    def contribute(self, basket: Basket) -> Contribution:
        """What the code opens, or why it opens nothing; her welcome, if she was brought before."""
        text = _said(basket)
        found = judging.find_code(text, basket.now) if text else None
        if found is None:
            if basket.asked.get("code"):
                unknown = Reason(ReasonCode.CODE_UNKNOWN)
                return Contribution(brought=[EnteredCode(code=text, fault=unknown)])
            return self._welcome(basket)
        fault = _fault(found, basket)
        offer = str(found.friend_offer_id) if found.opens_offer else ""
        entered = EnteredCode(code=found.code, offer=offer, fault=fault)
        is_taken = fault is None and not offer
        if _key(text) in map(_key, basket.typed):
            return Contribution(codes={found.code: None if is_taken else entered})
        return Contribution(brought=[] if is_taken else [entered])

    def tell(self, basket: Basket, quote: Quote) -> Json:
        """The code and whether it was taken: what stands beside the price."""
        text = _said(basket)
        if not text:
            return {}
        fault = _fault_in(quote, text)
        if fault == ReasonCode.CODE_UNKNOWN and not basket.asked.get("code"):
            return {}
        return {"code": _key(text), "applies": not fault, "reason": fault}

    def hold(self, basket: Basket, quote: Quote, reservation_id: uuid.UUID) -> Json:
        """Keep a place of the code's month; one that cannot be taken keeps nothing."""
        if basket.reservation_id is not None:
            holds.let_go([reservation_id])
        text = _said(basket)
        found = judging.find_code(text, basket.now) if text else None
        if found is None or basket.customer_id is None or _fault_in(quote, text):
            return {}
        verdict = judging.judge(found, Friend(customer_id=basket.customer_id), holds_place=True)
        if verdict.fault is not None:
            return {}
        if verdict.referral is None:
            holds.hold_place(reservation_id, found)
        return {"code": found.code}

    def renew(self, held: Held, until: dt.datetime) -> None:
        """A place is kept as long as the reservation lasts."""

    def release(self, held: Sequence[Held]) -> None:
        """Give the places back."""
        holds.let_go([each.reservation_id for each in held])

    def commit(self, paid: Paid) -> Json:
        """Attribute the friend and convert who is due."""
        is_unconcerned = paid.known is False
        if paid.held.customer_id is None or is_unconcerned:
            return {}
        code = str(paid.held.kept.get("code", ""))
        holds_place = bool(code) and holds.use(paid.held.reservation_id)
        return take_paid_bill(
            PaidBill(
                branch_id=paid.held.branch_id,
                customer_id=paid.held.customer_id,
                invoice_id=paid.invoice_id,
                cart=paid.cart,
                quote=paid.quote,
                at=paid.at,
                code=code if holds_place else str(paid.asked.get("code", "")),
                has_place=holds_place,
                by=paid.by,
            )
        )

    def reverse(self, returned: Returned) -> Json:
        """Half of the bill or more came back: nobody is thanked for it."""
        return take_refund(
            returned.kept,
            returned.lines,
            is_whole=returned.is_whole,
            is_mistake=returned.is_mistake,
        )

    def _welcome(self, basket: Basket) -> Contribution:
        """The friend's first bill, where she was brought at sign-up and says no code."""
        if basket.customer_id is None or basket.visits:
            return Contribution()
        is_concerned, code, offer = welcome_of(basket.customer_id)
        brought = [EnteredCode(code=code, offer=str(offer))] if code else []
        return Contribution(brought=brought, known=is_concerned)


def _said(basket: Basket) -> str:
    """The referral code of the bill: said apart, else the first typed one that looks like one."""
    if said := basket.asked.get("code"):
        return str(said)
    return next((code for code in basket.typed if judging.looks_like_code(code)), "")


def _key(text: str) -> str:
    return key_of(normalise(text))


def _fault_in(quote: Quote, text: str) -> str:
    """Why the quote says that the code does not count; empty where it does."""
    said = [why for code in quote.codes if _key(code.code) == _key(text) for why in code.reasons]
    return next((why.code.value for why in said if why.code.value in FAULTS), "")


def _fault(found: FoundCode, basket: Basket) -> Reason | None:
    if basket.customer_id is None:
        return Reason(ReasonCode.CUSTOMER_REQUIRED)
    fault = judging.judge(
        found,
        Friend(customer_id=basket.customer_id),
        holds_place=_has_place(found, basket),
    ).fault
    if fault is None:
        return None
    if fault is Fault.REFERRAL_LIMIT:
        return reason(ReasonCode.REFERRAL_LIMIT, limit=found.limit)
    return Reason(ReasonCode(fault.value))


def _has_place(found: FoundCode, basket: Basket) -> bool:
    if basket.reservation_id is None:
        return False
    held = ReferralHold.objects.filter(reservation_id=basket.reservation_id, code_id=found.id)
    return held.exists()
