"""Which candidates apply, with a decision on every one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from marketing.coupons.pricing import explain
from marketing.coupons.pricing.answer import Decision
from marketing.coupons.pricing.best_deal import (
    Contender,
    Deal,
    OutOfTime,
    Search,
    Step,
    by_worth,
    contend,
    in_order,
    steps,
)
from marketing.coupons.pricing.bill import CodesPolicy
from marketing.coupons.pricing.codes import TypedCodes
from marketing.coupons.pricing.compiled import Catalogue
from marketing.coupons.pricing.eligibility import judge
from marketing.coupons.pricing.facts import Choice, Customer, OfferUsage, Settings
from marketing.coupons.pricing.reasons import ReasonCode, reason
from marketing.coupons.pricing.running import Bill, State

UNUSED = OfferUsage()


@dataclass(slots=True)
class Entered:
    """Who contends, and the decisions made so far, by offer."""

    codes: list[Contender] = field(default_factory=list)
    autos: list[Contender] = field(default_factory=list)
    decisions: dict[str, Decision] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The steps that apply and what is left after, decisions by offer, how the search went."""

    taken: list[Step]
    after: State
    decisions: dict[str, Decision]
    bounded: bool
    tried: int


def choose(
    bill: Bill,
    catalogue: Catalogue,
    typed: TypedCodes,
    customer: Customer | None,
    usage: Mapping[str, OfferUsage],
    settings: Settings,
    out_of_time: OutOfTime,
) -> Chosen:
    """The offers that apply to `bill`, out of the automatic ones and those `typed` opens."""
    entered = _enter(bill, catalogue, typed, customer, usage, settings)
    together = bill.cart.codes_policy is CodesPolicy.ALL
    if together and (typed.at_fault or len(entered.codes) < len(typed.opened)):
        _drop_codes(entered, bill, _codes_at_fault(bill, typed, entered))
    compared = sorted(entered.autos, key=by_worth)
    if settings.choice is Choice.BEST_DEAL:
        compared = compared[: settings.compared]
    contest = _Contest(bill, settings, out_of_time)
    deal = contest.best([*entered.codes, *compared], must=together)
    if together and entered.codes:
        if sum(bool(one.code) for one in deal.chosen) < len(entered.codes):
            _drop_codes(entered, bill, frozenset(typed.opened.values()))
            deal = Deal()
        deal = max(deal, contest.best(compared), key=lambda one: one.saved)
    bounded = contest.bounded or len(compared) < len(entered.autos)
    taken, after = steps(deal.chosen, bill, settings)
    for step in taken:
        candidate = step.candidate
        entered.decisions[candidate.offer.id] = explain.applied(candidate, step.done.total, bill)
    winners = explain.Winners(taken, after, bill, settings)
    seen = {one.candidate.offer.id for one in (*entered.codes, *compared)}
    for one in (*entered.codes, *entered.autos):
        offer = one.candidate.offer.id
        if offer not in entered.decisions:
            entered.decisions[offer] = winners.beat(one, compared=offer in seen)
    return Chosen(taken, after, entered.decisions, bounded, contest.tried)


class _Contest:
    """Finds deals by the chain's choice, and keeps count."""

    def __init__(self, bill: Bill, settings: Settings, out_of_time: OutOfTime) -> None:
        self._bill = bill
        self._settings = settings
        self._out_of_time = out_of_time
        self.bounded = False
        self.tried = 0

    def best(self, contenders: Sequence[Contender], *, must: bool = False) -> Deal:
        if self._settings.choice is Choice.IN_ORDER:
            self.tried += 1
            return in_order(contenders, self._bill, self._settings, must)
        search = Search(contenders, self._bill, self._settings, self._out_of_time, must)
        deal = search.run()
        self.bounded = self.bounded or search.bounded
        self.tried += search.tried
        return deal


def _enter(
    bill: Bill,
    catalogue: Catalogue,
    typed: TypedCodes,
    customer: Customer | None,
    usage: Mapping[str, OfferUsage],
    settings: Settings,
) -> Entered:
    entered = Entered()
    offers = [catalogue.by_id[offer] for offer in sorted(typed.opened)]
    offers += [offer for offer in catalogue.automatic if offer.id not in typed.opened]
    for offer in offers:
        code = typed.opened.get(offer.id, "")
        candidate, reasons = judge(offer, bill, customer, usage.get(offer.id, UNUSED), code)
        if not reasons:
            contender = contend(candidate, bill, settings)
            if contender.alone:
                (entered.codes if code else entered.autos).append(contender)
                continue
            reasons = [explain.gives_nothing(candidate, bill)]
        entered.decisions[offer.id] = explain.blocked(candidate, reasons, bill)
    return entered


def _codes_at_fault(bill: Bill, typed: TypedCodes, entered: Entered) -> frozenset[str]:
    faulty = {
        bill.cart.codes[place].code
        for place, why in typed.faults.items()
        if why.code is not ReasonCode.CODE_REPEATED
    }
    return frozenset(
        faulty | {code for offer, code in typed.opened.items() if offer in entered.decisions}
    )


def _drop_codes(entered: Entered, bill: Bill, codes: frozenset[str]) -> None:
    """Under `CodesPolicy.ALL` one code at fault takes the others with it."""
    why = reason(ReasonCode.CODES_ALL_OR_NONE, codes=codes)
    for one in entered.codes:
        offer = one.candidate.offer.id
        entered.decisions[offer] = explain.blocked(one.candidate, [why], bill)
    entered.codes.clear()
