"""The engine against a plain reference, and what must hold for any bill."""

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketing.coupons.pricing.answer import Optimality, Verdict
from marketing.coupons.pricing.compiled import Catalogue
from marketing.coupons.pricing.engine import quote
from marketing.coupons.pricing.facts import Choice, Settings
from marketing.coupons.pricing.terms import Combining, Kind, OfferTerms, Scope, Stacking
from tests.coupons.pricing import reference, strategies
from tests.coupons.pricing.strategies import cart_of

bills = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@bills
@given(lines=strategies.lines, offers=strategies.offers())
def test_engine_agrees_with_the_reference(lines, offers):
    quoted = quote(cart_of(lines), Catalogue(offers))
    chosen, saved = reference.best(lines, offers)
    assert quoted.discount == saved
    assert [applied.offer for applied in quoted.applied] == chosen
    assert quoted.optimality is Optimality.EXACT


def test_what_gives_a_line_nothing_leaves_it_to_others():
    """1 % of a line of one paisa is nothing: the free service may have that line."""
    lines = [("colour", 1, 1), ("colour", 17, 3)]
    beside = Combining(stacking=Stacking.INVOICE)
    free = OfferTerms(id="free", kind=Kind.FREE_SERVICE, automatic=True, combining=beside)
    share = OfferTerms(
        id="share",
        kind=Kind.PERCENTAGE,
        automatic=True,
        scope=Scope.LINE,
        rate_bp=100,
        combining=replace(beside, priority=1),
    )
    quoted = quote(cart_of(lines), Catalogue([free, share]))
    assert [line.discount for line in quoted.lines] == [1, 1]
    assert reference.best(lines, [free, share]) == (["share", "free"], 2)


@bills
@given(lines=strategies.lines, offers=strategies.offers(at_most=12))
def test_every_sum_holds(lines, offers):
    quoted = quote(cart_of(lines), Catalogue(offers))
    assert quoted.payable == sum(line.total for line in quoted.lines)
    assert quoted.listed - quoted.discount == quoted.net == sum(line.net for line in quoted.lines)
    assert quoted.discount == sum(applied.amount for applied in quoted.applied)
    by_line = dict.fromkeys(range(1, len(lines) + 1), 0)
    for applied in quoted.applied:
        assert applied.amount == sum(share.amount for share in applied.shares) > 0
        for share in applied.shares:
            assert share.amount == sum(share.units) > 0
            assert len(share.units) == lines[share.line - 1][2]
            assert min(share.units) >= 0
            by_line[share.line] += share.amount
    for line in quoted.lines:
        assert line.net >= 0
        assert by_line[line.number] == line.discount
    assert {decision.offer for decision in quoted.decisions} == {offer.id for offer in offers}
    assert {one.offer for one in quoted.applied} == {
        decision.offer for decision in quoted.decisions if decision.verdict is Verdict.APPLIED
    }


@bills
@given(lines=strategies.lines, offers=strategies.offers())
def test_best_deal_is_no_worse_than_priority_or_any_single_offer(lines, offers):
    cart = cart_of(lines)
    best = quote(cart, Catalogue(offers)).discount
    assert (
        best >= quote(cart, Catalogue(offers), settings=Settings(choice=Choice.IN_ORDER)).discount
    )
    for offer in offers:
        assert best >= quote(cart, Catalogue([offer])).discount


@bills
@given(lines=strategies.lines, offers=strategies.offers(), data=st.data())
def test_without_an_offer_no_more_is_saved(lines, offers, data):
    cart = cart_of(lines)
    kept = data.draw(st.lists(st.sampled_from(offers), unique=True)) if offers else []
    assert quote(cart, Catalogue(kept)).discount <= quote(cart, Catalogue(offers)).discount


@bills
@given(lines=strategies.lines, offers=strategies.offers(), data=st.data())
def test_order_of_offers_and_lines_as_handed_in_is_nothing(lines, offers, data):
    cart = cart_of(lines)
    other = replace(cart, lines=tuple(data.draw(st.permutations(cart.lines))))
    assert quote(cart, Catalogue(offers)) == quote(
        other, Catalogue(data.draw(st.permutations(offers)))
    )


@bills
@given(lines=strategies.lines, offers=strategies.offers(at_most=1), data=st.data())
def test_renumbering_lines_moves_only_odd_paise(lines, offers, data):
    mixed = data.draw(st.permutations(lines))
    assert (
        quote(cart_of(lines), Catalogue(offers)).discount
        == quote(cart_of(mixed), Catalogue(offers)).discount
    )


@bills
@given(lines=strategies.lines, offers=strategies.offers(at_most=1))
def test_splitting_a_line_keeps_the_bill(lines, offers):
    offers = [offer for offer in offers if offer.scope == "bill"]
    split = [(service, price, 1) for service, price, quantity in lines for _ in range(quantity)]
    assert (
        quote(cart_of(lines), Catalogue(offers)).payable
        == quote(cart_of(split), Catalogue(offers)).payable
    )


@bills
@given(lines=strategies.lines, offers=strategies.offers(), price=st.integers(1, 5_000_00))
def test_a_line_of_no_offer_changes_nothing(lines, offers, price):
    offers = [
        replace(offer, thresholds=replace(offer.thresholds, min_amount=None), tiers=offer.tiers)
        for offer in offers
        if offer.selection.services and not offer.tiers
    ]
    more = [*lines, ("massage", price, 1)]
    before = quote(cart_of(lines), Catalogue(offers))
    after = quote(cart_of(more), Catalogue(offers))
    assert after.applied == before.applied


@bills
@given(lines=strategies.lines, rate=strategies.rates, data=st.data(), more=st.integers(1, 10_000))
def test_a_dearer_service_never_makes_a_cheaper_bill(lines, rate, data, more):
    offer = strategies.OfferTerms(
        id="share", kind=strategies.Kind.PERCENTAGE, rate_bp=rate, automatic=True
    )
    place = data.draw(st.integers(0, len(lines) - 1))
    dearer = list(lines)
    service, price, quantity = dearer[place]
    dearer[place] = (service, price + more, quantity)
    assert (
        quote(cart_of(lines), Catalogue([offer])).payable
        <= quote(cart_of(dearer), Catalogue([offer])).payable
    )


@bills
@given(lines=strategies.lines, scope=st.sampled_from(["bill", "line"]))
def test_all_off_leaves_nothing(lines, scope):
    offer = strategies.OfferTerms(
        id="all",
        kind=strategies.Kind.PERCENTAGE,
        rate_bp=10_000,
        automatic=True,
        scope=strategies.Scope(scope),
    )
    assert quote(cart_of(lines), Catalogue([offer])).payable == 0
