"""Why the offers that do not apply do not, and what would change it (offers.md 5.8)."""

from collections.abc import Sequence
from functools import lru_cache

from marketing.coupons.pricing.answer import Decision, Unlock, UnlockKind, Verdict
from marketing.coupons.pricing.best_deal import Contender, Step, room
from marketing.coupons.pricing.compiled import combine
from marketing.coupons.pricing.effects import (
    Candidate,
    amount_fault,
    effect,
    measured,
    open_lines,
    saving,
)
from marketing.coupons.pricing.eligibility import opens_at
from marketing.coupons.pricing.facts import Settings
from marketing.coupons.pricing.groups import parts_lacking
from marketing.coupons.pricing.reasons import Reason, ReasonCode, reason
from marketing.coupons.pricing.running import Bill, State
from marketing.coupons.pricing.terms import Measure, OfferTerms, Selection

_TIME = {ReasonCode.NOT_STARTED, ReasonCode.BLACKOUT, ReasonCode.OUTSIDE_HOURS}

_CURABLE = _TIME | {
    ReasonCode.CUSTOMER_REQUIRED,
    ReasonCode.MIN_AMOUNT_SHORT,
    ReasonCode.MIN_QUANTITY_SHORT,
    ReasonCode.REQUIRES_MISSING,
    ReasonCode.SERVICE_EXCLUDED,
}


def blocked(candidate: Candidate, reasons: Sequence[Reason], bill: Bill) -> Decision:
    """It may not come into question; `unlock` only where every reason can be cured."""
    terms = candidate.offer.terms
    return Decision(
        offer=terms.id,
        revision=terms.revision,
        verdict=Verdict.BLOCKED,
        code=candidate.code,
        reasons=tuple(reasons),
        unlock=_unlock(terms, reasons, bill),
    )


def applied(candidate: Candidate, amount: int, bill: Bill) -> Decision:
    terms = candidate.offer.terms
    return Decision(
        offer=terms.id,
        revision=terms.revision,
        verdict=Verdict.APPLIED,
        saving=amount,
        code=candidate.code,
        unlock=_next_tier(candidate, bill),
    )


class Winners:
    """The set that was chosen, to say by what others were beaten."""

    def __init__(self, taken: Sequence[Step], after: State, bill: Bill, settings: Settings) -> None:
        self._taken = taken
        self._after = after
        self._bill = bill
        self._settings = settings
        self._offers = tuple(step.candidate.offer.id for step in taken)
        self._outside = reason(ReasonCode.OUTSIDE_BEST, limit=settings.compared)

    def beat(self, contender: Contender, *, compared: bool) -> Decision:
        """The contender could apply alone; `compared` if it was in the search."""
        candidate = contender.candidate
        terms = candidate.offer.terms
        return Decision(
            offer=terms.id,
            revision=terms.revision,
            verdict=Verdict.BEATEN,
            saving=contender.alone,
            code=candidate.code,
            reasons=(self._why_not(candidate) if compared else self._outside,),
            beaten_by=self._offers,
            behind_by=self._after.saved - contender.alone,
        )

    def _why_not(self, candidate: Candidate) -> Reason:
        """Why it is not beside those that were taken."""
        offer, taken, bill = candidate.offer, self._taken, self._bill
        rivals = [
            step.candidate.offer.id for step in taken if not combine(offer, step.candidate.offer)
        ]
        if rivals:
            return _not_beside(rivals)
        autos = sum(not step.candidate.code for step in taken)
        if not candidate.code and autos >= self._settings.stack_size:
            return reason(ReasonCode.STACK_FULL, limit=self._settings.stack_size)
        before = [step for step in taken if step.candidate.offer.order < offer.order]
        state = taken[len(before)].before if len(before) < len(taken) else self._after
        if saving(candidate, bill, state, room(self._settings, state)):
            return Reason(ReasonCode.LESS_SAVED)
        fault = amount_fault(candidate, bill, state) if offer.running else None
        if fault:
            return fault
        lost = candidate.got & ~open_lines(candidate, bill, state)
        holders = [step.candidate.offer.id for step in before if step.done.covered & lost]
        return _not_beside(holders) if holders else Reason(ReasonCode.NO_EFFECT)


def gives_nothing(candidate: Candidate, bill: Bill) -> Reason:
    """Why an offer against which nothing stands gives nothing on this bill even alone."""
    left = candidate.budget_left
    if left is not None:
        unbounded = Candidate(candidate.offer, candidate.mask, candidate.got)
        need = effect(unbounded, bill, bill.start, None).total
        if need > left:
            return reason(ReasonCode.BUDGET_LEFT, left=left, need=need)
    return Reason(ReasonCode.NO_EFFECT)


def _not_beside(ids: Sequence[str]) -> Reason:
    return reason(ReasonCode.NOT_STACKABLE_WITH, **{"with": frozenset(ids)})


def _next_tier(candidate: Candidate, bill: Bill) -> tuple[Unlock, ...]:
    tiers = candidate.offer.tiers
    if not tiers:
        return ()
    have = measured(candidate, bill, bill.start)
    above = [tier.threshold for tier in tiers if tier.threshold > have]
    if not above:
        return ()
    return (_spend_more(candidate.offer.terms, min(above) - have),)


def _unlock(terms: OfferTerms, reasons: Sequence[Reason], bill: Bill) -> tuple[Unlock, ...]:
    if any(why.code not in _CURABLE for why in reasons):
        return ()
    steps: list[Unlock] = []
    for why in reasons:
        new = _steps(terms, why, bill)
        if not new:
            return ()
        steps += [step for step in new if step not in steps]
    return tuple(steps)


def _steps(terms: OfferTerms, why: Reason, bill: Bill) -> list[Unlock]:
    code = why.code
    if code in _TIME:
        moment = opens_at(terms, bill)
        return [Unlock(kind=UnlockKind.COME_AT, at=moment)] if moment else []
    if code is ReasonCode.CUSTOMER_REQUIRED:
        return [Unlock(kind=UnlockKind.SAY_WHO)]
    short = why.get("short_by")
    short_by = short if isinstance(short, int) else 1
    if code is ReasonCode.MIN_AMOUNT_SHORT:
        if why.get("services") is None:
            return [_spend_more(terms, short_by)]
        return [_spend(terms.selection, short_by)]
    if code is ReasonCode.SERVICE_EXCLUDED:
        units = terms.buy_get.buy_quantity if terms.buy_get else 0
        return [_add(terms.selection, max(1, units, terms.thresholds.min_quantity))]
    if code is ReasonCode.REQUIRES_MISSING and terms.thresholds.requires:
        return [_add(terms.thresholds.requires, short_by)]
    if code is ReasonCode.MIN_QUANTITY_SHORT:
        return _units(terms, why, short_by, bill)
    return []


def _units(terms: OfferTerms, why: Reason, short_by: int, bill: Bill) -> list[Unlock]:
    of_get = why.get("of_get")
    steps = []
    if terms.bundle is not None:
        lacking = parts_lacking(terms, bill, bill.all_mask)
        return [_add(part.selection, missing) for part, missing in lacking]
    if isinstance(of_get, int) and terms.buy_get is not None and terms.buy_get.get is not None:
        steps.append(_add(terms.buy_get.get, of_get))
        short_by -= of_get
    if short_by > 0:
        steps.append(_add(terms.selection, short_by))
    return steps


def _add(selection: Selection, quantity: int) -> Unlock:
    return Unlock(
        kind=UnlockKind.ADD_UNITS,
        quantity=quantity,
        services=_sorted(selection.services),
        categories=_sorted(selection.categories),
    )


def _spend_more(terms: OfferTerms, amount: int) -> Unlock:
    is_on_eligible = terms.thresholds.measure is Measure.ELIGIBLE
    return _spend(terms.selection if is_on_eligible else Selection(), amount)


def _spend(on: Selection, amount: int) -> Unlock:
    return Unlock(
        kind=UnlockKind.SPEND_MORE,
        amount=amount,
        services=_sorted(on.services),
        categories=_sorted(on.categories),
    )


@lru_cache(maxsize=4_096)
def _sorted(ids: frozenset[str]) -> tuple[str, ...]:
    """Remembered, as every bill names the same sets of the same offers."""
    return tuple(sorted(ids))
