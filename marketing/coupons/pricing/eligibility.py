"""Whether an offer may come into question for this bill, and every reason why not."""

import datetime as dt
from dataclasses import replace

from marketing.coupons.pricing.compiled import GROUP, CompiledOffer
from marketing.coupons.pricing.effects import Candidate, amount_fault
from marketing.coupons.pricing.facts import Customer, OfferUsage
from marketing.coupons.pricing.groups import amount_to_buy, shortage
from marketing.coupons.pricing.opening import blackout_on, days_of, next_opening
from marketing.coupons.pricing.reasons import Reason, ReasonCode, reason
from marketing.coupons.pricing.running import Bill
from marketing.coupons.pricing.terms import BudgetPolicy, Measure, OfferTerms

_INACTIVE = Reason(ReasonCode.INACTIVE)
_OUTSIDE_HOURS = Reason(ReasonCode.OUTSIDE_HOURS)
_WRONG_BRANCH = Reason(ReasonCode.WRONG_BRANCH)
_SERVICE_EXCLUDED = Reason(ReasonCode.SERVICE_EXCLUDED)
_CUSTOMER_REQUIRED = Reason(ReasonCode.CUSTOMER_REQUIRED)
_FINAL = {ReasonCode.INACTIVE, ReasonCode.WRONG_BRANCH, ReasonCode.EXPIRED}


def judge(
    offer: CompiledOffer,
    bill: Bill,
    customer: Customer | None,
    usage: OfferUsage,
    code: str,
) -> tuple[Candidate, list[Reason]]:
    """The offer in the light of this bill, and all that stands against it (nothing: it may).

    An automatic offer that is off, over or of other branches is looked at no further.
    """
    terms = offer.terms
    reasons: list[Reason] = []
    if not terms.active:
        reasons.append(_INACTIVE)
    if offer.is_placed and not _is_here(terms, bill):
        reasons.append(_WRONG_BRANCH)
    if offer.is_timed:
        reasons += _time(terms, bill)
    if reasons and not code and reasons[0].code in _FINAL:
        return Candidate(offer, 0, 0), reasons
    cap, budget_left = None, None
    if offer.is_limited:
        reasons += _limits(terms, customer, usage)
        if terms.limits.budget is not None:
            left = terms.limits.budget - usage.spent
            if terms.limits.budget_policy is BudgetPolicy.PARTIAL:
                cap = left
            else:
                budget_left = left
    if offer.selective:
        reasons += _audience(terms, customer)
    mask = bill.all_mask if offer.whole_bill else _lines(offer, bill)
    got = mask
    if terms.buy_get is not None and terms.buy_get.get is not None:
        got = bill.of(terms.buy_get.get)
        if terms.skip_addons:
            got &= bill.plain_mask
    candidate = Candidate(offer, mask, got, cap, budget_left, code)
    if offer.has_conditions_of_bill or offer.tiers:
        candidate, more = _amounts(candidate, bill)
        reasons += more
    if not mask:
        reasons.append(_SERVICE_EXCLUDED)
    elif offer.stage == GROUP and not reasons:
        need, have, of_get = shortage(terms, bill, candidate.mask, candidate.got)
        if have < need:
            reasons.append(_short(need, have, of_get))
        else:
            reasons += _too_little_bought(candidate, bill)
    return candidate, reasons


def opens_at(terms: OfferTerms, bill: Bill) -> str:
    """When the offer next holds, RFC 3339 in the branch's zone; empty if it does not again."""
    moment = next_opening(terms.timetable, bill.local)
    return "" if moment is None else _at(moment, bill).isoformat()


def _lines(offer: CompiledOffer, bill: Bill) -> int:
    mask = bill.of(offer.terms.selection)
    return mask & bill.plain_mask if offer.terms.skip_addons else mask


def _is_here(terms: OfferTerms, bill: Bill) -> bool:
    branch, places = bill.cart.branch, terms.places
    return branch not in places.excluded_branches and (
        not places.branches or branch in places.branches
    )


def _time(terms: OfferTerms, bill: Bill) -> list[Reason]:
    table = terms.timetable
    now = bill.local
    if table.ends is not None and now >= table.ends:
        return [reason(ReasonCode.EXPIRED, ended=_at(table.ends, bill))]
    if table.starts is not None and now < table.starts:
        return [reason(ReasonCode.NOT_STARTED, starts=_at(table.starts, bill))]
    if not table.hours and not table.blackouts:
        return []
    days = days_of(table.hours, now)
    if not days:
        return [_OUTSIDE_HOURS]
    closed = [blackout_on(table.blackouts, day) for day in days]
    if None not in closed and closed[0] is not None:
        return [reason(ReasonCode.BLACKOUT, first=closed[0].first, last=closed[0].last)]
    return []


def _at(moment: dt.datetime, bill: Bill) -> dt.datetime:
    return moment.replace(tzinfo=bill.zone)


def _limits(terms: OfferTerms, customer: Customer | None, usage: OfferUsage) -> list[Reason]:
    limits = terms.limits
    reasons = []
    if limits.total is not None and usage.total >= limits.total:
        reasons.append(reason(ReasonCode.LIMIT_TOTAL, n=usage.total, limit=limits.total))
    if limits.per_branch is not None and usage.branch >= limits.per_branch:
        reasons.append(reason(ReasonCode.LIMIT_BRANCH, n=usage.branch, limit=limits.per_branch))
    if limits.budget is not None and usage.spent >= limits.budget:
        reasons.append(reason(ReasonCode.BUDGET_LEFT, left=0, need=0))
    if limits.per_customer is None and limits.per_period is None:
        return reasons
    if customer is None:
        return [*reasons, _CUSTOMER_REQUIRED]
    if limits.per_customer is not None and usage.customer >= limits.per_customer:
        reasons.append(
            reason(ReasonCode.LIMIT_CUSTOMER, n=usage.customer, limit=limits.per_customer)
        )
    if limits.per_period is not None and usage.in_period >= limits.per_period:
        resets = {"resets_at": usage.period_resets_at} if usage.period_resets_at else {}
        reasons.append(
            reason(
                ReasonCode.LIMIT_PERIOD,
                n=usage.in_period,
                limit=limits.per_period,
                period=limits.period.value,
                **resets,
            )
        )
    return reasons


def _audience(terms: OfferTerms, customer: Customer | None) -> list[Reason]:
    who = terms.audience
    if customer is None:
        return [_CUSTOMER_REQUIRED]
    reasons = []
    if (who.segments and who.segments.isdisjoint(customer.segments)) or not (
        who.excluded_segments.isdisjoint(customer.segments)
    ):
        named = who.segments | (who.excluded_segments & customer.segments)
        reasons.append(reason(ReasonCode.SEGMENT, segments=named))
    if who.tiers and customer.tier not in who.tiers:
        reasons.append(reason(ReasonCode.TIER, tiers=who.tiers, have=customer.tier))
    visit = customer.visits + 1
    if who.nth_visit is not None and visit != who.nth_visit:
        if who.nth_visit == 1:
            reasons.append(reason(ReasonCode.NOT_FIRST_VISIT, visit=visit))
        else:
            reasons.append(reason(ReasonCode.NOT_NTH_VISIT, need=who.nth_visit, visit=visit))
    return reasons


def _amounts(candidate: Candidate, bill: Bill) -> tuple[Candidate, list[Reason]]:
    """What is too little or too much on the bill; the lines left where days are counted."""
    offer = candidate.offer
    terms = offer.terms
    reasons = []
    limits = terms.thresholds
    fault = None
    if candidate.mask or limits.measure is Measure.BILL:
        fault = amount_fault(candidate, bill, bill.start)
    if fault:
        reasons.append(fault)
    if candidate.mask and limits.min_quantity > 1:
        kept, most = bill.best_day(terms, candidate.mask)
        if kept:
            got = kept if candidate.got == candidate.mask else candidate.got
            candidate = replace(candidate, mask=kept, got=got)
        else:
            reasons.append(_short(limits.min_quantity, most))
    if limits.requires is not None:
        have = bill.quantity(bill.of(limits.requires))
        if have < limits.requires_quantity:
            reasons.append(
                reason(
                    ReasonCode.REQUIRES_MISSING,
                    services=limits.requires.services,
                    categories=limits.requires.categories,
                    short_by=limits.requires_quantity - have,
                )
            )
    return candidate, reasons


def _too_little_bought(candidate: Candidate, bill: Bill) -> list[Reason]:
    """Why the services that are to be bought for an amount do not come to it."""
    terms = candidate.offer.terms
    need, have = amount_to_buy(terms, bill, candidate.mask, candidate.got)
    if have >= need:
        return []
    return [
        reason(
            ReasonCode.MIN_AMOUNT_SHORT,
            need=need,
            have=have,
            short_by=need - have,
            services=terms.selection.services,
            categories=terms.selection.categories,
        )
    ]


def _short(need: int, have: int, of_get: int = 0) -> Reason:
    extra = {"of_get": of_get} if of_get else {}
    return reason(
        ReasonCode.MIN_QUANTITY_SHORT, need=need, have=have, short_by=need - have, **extra
    )
