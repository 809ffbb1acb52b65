"""`quote`: a bill, the offers and the facts in; amounts, taxes and reasons out. Pure."""

import time
from collections.abc import Mapping

from marketing.coupons.pricing.answer import (
    ENGINE,
    Applied,
    CodeDecision,
    Optimality,
    PricedLine,
    Quote,
    Share,
)
from marketing.coupons.pricing.best_deal import OutOfTime, Step
from marketing.coupons.pricing.bill import Cart, PointsAs
from marketing.coupons.pricing.choosing import Chosen, choose
from marketing.coupons.pricing.codes import code_decisions, open_offers
from marketing.coupons.pricing.compiled import Catalogue, CompiledOffer
from marketing.coupons.pricing.effects import Candidate, Effect, apply, effect, unit_cuts
from marketing.coupons.pricing.facts import Customer, OfferUsage, Settings
from marketing.coupons.pricing.running import Bill, State
from marketing.coupons.pricing.tax import halves, rate_totals, tax_lines
from marketing.coupons.pricing.terms import Combining, Kind, OfferTerms, Stacking


def all_the_time() -> bool:
    """No bound on time: the same inputs give the same answer, always."""
    return False


def within_cpu(seconds: float) -> OutOfTime:
    """True once this thread has used `seconds` of CPU from now on."""
    deadline = time.thread_time() + seconds
    return lambda: time.thread_time() > deadline


def quote(
    cart: Cart,
    catalogue: Catalogue,
    *,
    customer: Customer | None = None,
    usage: Mapping[str, OfferUsage] | None = None,
    settings: Settings | None = None,
    out_of_time: OutOfTime = all_the_time,
) -> Quote:
    """The bill priced with the offers that serve the customer best, and every reason why.

    `catalogue` holds the chain's live offers and those the typed codes open; offers that need
    a code nobody typed are not candidates and not named. `usage` is by offer id; an offer
    without an entry is unused. Equal inputs give equal bytes as long as `out_of_time` never
    says True; once it does the best deal so far is answered as `bounded`.
    """
    settings = settings or Settings()
    bill = Bill(cart)
    typed = open_offers(cart, catalogue, settings.max_codes)
    chosen = choose(bill, catalogue, typed, customer, usage or {}, settings, out_of_time)
    points, final = _take_points(bill, chosen.after)
    codes = code_decisions(cart.codes, typed, chosen.decisions)
    return _answer(bill, chosen, points, final, codes, settings)


def _freeze(step: Step, bill: Bill) -> Applied:
    """An offer's amounts per line and unit."""
    terms = step.candidate.offer.terms
    return Applied(
        offer=terms.id,
        revision=terms.revision,
        stage=step.candidate.offer.stage,
        amount=step.done.total,
        shares=_shares(step.candidate, bill, step.before, step.done),
        code=step.candidate.code,
    )


def _shares(candidate: Candidate, bill: Bill, state: State, done: Effect) -> tuple[Share, ...]:
    return tuple(
        Share(
            line=bill.lines[i].number,
            amount=amount,
            units=tuple(unit_cuts(candidate, bill, state, done, i)),
        )
        for i, amount in sorted(done.lines.items())
    )


def _take_points(bill: Bill, state: State) -> tuple[tuple[Share, ...], State]:
    """Points as a discount, after every offer; floors hold for them too."""
    use = bill.cart.points
    if use is None or use.used_as is PointsAs.TENDER:
        return (), state
    state = State(state.net, state.units, saved=state.saved)
    bill_net = sum(state.net)
    amount = use.of(bill_net)
    while amount:
        terms = OfferTerms(
            id="points",
            kind=Kind.FLAT,
            amount=amount,
            combining=Combining(stacking=Stacking.ITEM),
        )
        candidate = Candidate(CompiledOffer(terms), bill.all_mask, bill.all_mask)
        done = effect(candidate, bill, state, None)
        if done.total == amount:
            return _shares(candidate, bill, state, done), apply(candidate, state, done, bill)
        # Floors left less room: so many whole points as it takes.
        amount = use.of(bill_net, done.total)
    return (), state


def _answer(
    bill: Bill,
    chosen: Chosen,
    points: tuple[Share, ...],
    final: State,
    codes: tuple[CodeDecision, ...],
    settings: Settings,
) -> Quote:
    cart, offered = bill.cart, chosen.after
    rates = [line.tax_rate_bp for line in bill.lines]
    taxed = tax_lines(
        final.net, rates, inclusive=cart.prices_include_tax, rounding=settings.tax_rounding
    )
    lines = tuple(
        PricedLine(
            number=line.number,
            listed=line.list_amount,
            manual_discount=line.manual_discount,
            discount=bill.start.net[i] - offered.net[i],
            points=offered.net[i] - final.net[i],
            net=final.net[i],
            tax_rate_bp=line.tax_rate_bp,
            taxable=taxed[i][0],
            cgst=halves(taxed[i][1])[0],
            sgst=halves(taxed[i][1])[1],
            total=sum(taxed[i]),
        )
        for i, line in enumerate(bill.lines)
    )
    total = sum(line.total for line in lines)
    tender = 0
    if cart.points is not None and cart.points.used_as is PointsAs.TENDER:
        tender = cart.points.of(total)
    return Quote(
        engine=ENGINE,
        lines=lines,
        applied=tuple(_freeze(step, bill) for step in chosen.taken),
        decisions=tuple(chosen.decisions[offer] for offer in sorted(chosen.decisions)),
        codes=codes,
        points_shares=points,
        listed=bill.list_total,
        manual_discount=sum(line.manual_discount for line in lines),
        discount=offered.saved,
        points=sum(share.amount for share in points),
        net=sum(final.net),
        taxes=rate_totals(rates, taxed),
        tax=sum(tax for _, tax in taxed),
        total=total,
        tender=tender,
        payable=total - tender,
        optimality=Optimality.BOUNDED if chosen.bounded else Optimality.EXACT,
        compared_sets=chosen.tried,
    )
