"""Which offers stand beside each other, codes, bounds of the search, caps."""

import dataclasses
import itertools

import pytest

from marketing.coupons.pricing.answer import Optimality, Verdict
from marketing.coupons.pricing.bill import CodesPolicy, EnteredCode, PointsAs, PointsUse
from marketing.coupons.pricing.engine import within_cpu
from marketing.coupons.pricing.facts import Choice, OfferUsage, Settings
from marketing.coupons.pricing.reasons import Reason, ReasonCode
from marketing.coupons.pricing.terms import (
    BudgetPolicy,
    Bundle,
    BundlePart,
    BuyGet,
    Caps,
    Combining,
    Kind,
    Limits,
    OfferTerms,
    Pick,
    Scope,
    Selection,
    Stacking,
)
from tests.coupons.pricing.bills import (
    INVOICE,
    ITEM,
    applied,
    cart,
    decision,
    flat,
    line,
    quoted,
    refusal,
    share,
    typed,
)

CUT = Selection(services=frozenset({"cut"}))


@pytest.mark.parametrize(
    ("one", "other", "together", "discounts"),
    [
        (ITEM, ITEM, True, [29_00, 10_00]),
        (ITEM, INVOICE, True, [20_00, 10_00]),
        (INVOICE, ITEM, True, [20_00, 10_00]),
        (INVOICE, INVOICE, True, [20_00, 10_00]),
        (ITEM, Combining(), False, [20_00, 0]),
    ],
)
def test_presets(one, other, together, discounts):
    """20 off the cut; 10 % of everything that is left to it."""
    answer = quoted(
        cart(line("cut", 110), line("spa", 100)),
        flat(rupees=20, scope=Scope.LINE, selection=CUT, combining=one),
        share(combining=other),
    )
    assert (len(answer.applied) == 2) is together
    if together:
        assert [found.discount for found in answer.lines] == discounts


@pytest.mark.parametrize(("hair", "spa"), [("a", "b"), ("b", "a")])
@pytest.mark.parametrize(
    ("allows", "together"), [(None, True), ("hair", True), ("nails", False), ("spa", False)]
)
def test_tags_must_allow_it_both_ways(hair, spa, allows, together):
    """Whichever of them comes first."""

    def tagged(tag, wanted):
        wants = None if wanted is None else frozenset({wanted})
        return Combining(stacking=Stacking.ITEM, tags=frozenset({tag}), combines_with=wants)

    one = flat(hair, 10, combining=tagged("hair", "spa"))
    other = flat(spa, 10, combining=tagged("spa", allows))
    assert (len(applied(quoted(cart(line()), one, other))) == 2) is together


def test_beaten_says_by_whom_and_by_how_much():
    answer = quoted(cart(line()), flat("ten", 10), flat("thirty", 30))
    assert refusal(answer, "ten") == ("beaten", "not_stackable_with", {"with": ("thirty",)})
    found = decision(answer, "ten")
    assert (found.saving, found.beaten_by, found.behind_by) == (10_00, ("thirty",), 20_00)


def test_only_so_many_automatic_offers_stack():
    offers = [flat(f"o{n}", 10 + n, combining=ITEM) for n in range(4)]
    answer = quoted(cart(line()), *offers)
    assert sorted(applied(answer)) == ["o1", "o2", "o3"]
    assert refusal(answer, "o0") == ("beaten", "stack_full", {"limit": 3})
    by_code = flat("code", 1, automatic=False, combining=ITEM)
    answer = quoted(cart(line(), codes=typed("code")), *offers, by_code)
    assert sorted(applied(answer)) == ["code", "o1", "o2", "o3"]


def test_only_so_many_automatic_offers_are_compared():
    offers = [flat(f"o{n:02}", 1 + n) for n in range(12)]
    answer = quoted(cart(line()), *offers)
    assert answer.optimality is Optimality.BOUNDED
    assert applied(answer) == ["o11"]
    assert refusal(answer, "o01")[1:] == ("outside_best", {"limit": 10})
    assert refusal(answer, "o02")[1:] == ("not_stackable_with", {"with": ("o11",)})


def test_out_of_time_answers_with_the_best_so_far():
    offers = [share(f"o{n}", 5 + n, combining=ITEM) for n in range(6)]
    full = quoted(cart(line()), *offers)
    calls = itertools.count()
    cut_short = quoted(cart(line()), *offers, out_of_time=lambda: next(calls) >= 4)
    assert full.optimality is Optimality.EXACT
    assert cut_short.optimality is Optimality.BOUNDED
    assert cut_short.compared_sets == 4
    assert 10_00 <= cut_short.discount <= full.discount
    calls = itertools.count()
    again = quoted(cart(line()), *offers, out_of_time=lambda: next(calls) >= 4)
    assert again == cut_short


def test_out_of_time_at_once_still_takes_all_codes():
    offers = [flat(f"o{n}", 1, automatic=False, combining=ITEM) for n in range(3)]
    bill = cart(line(), codes=typed("o0", "o1", "o2"), codes_policy=CodesPolicy.ALL)
    assert quoted(bill, *offers, out_of_time=lambda: True).discount == 3_00


@pytest.mark.parametrize("codes", [(), ("o0", "o1", "o2")])
def test_out_of_time_at_once_still_takes_what_fits_together(codes):
    """A machine that stood still for a moment takes nothing away from her."""
    offers = [flat(f"o{n}", 1, automatic=not codes, combining=ITEM) for n in range(3)]
    answer = quoted(cart(line(), codes=typed(*codes)), *offers, out_of_time=lambda: True)
    assert (answer.discount, answer.optimality) == (3_00, Optimality.BOUNDED)


def test_time_given_and_time_over():
    assert not within_cpu(60)()
    assert within_cpu(-1)()


def test_ties_go_to_fewer_offers_then_priority_then_the_lower_id():
    one = cart(line(rupees=10))
    whole = flat("z", 10)
    halves = [flat("a", 5, combining=ITEM), flat("b", 5, combining=ITEM)]
    assert applied(quoted(one, whole, *halves)) == ["z"]
    assert applied(quoted(one, flat("a", 10), flat("b", 10))) == ["a"]
    assert applied(quoted(one, flat("a", 10), flat("b", 10, combining=Combining(priority=1)))) == [
        "b"
    ]


def test_fewer_offers_come_before_a_higher_priority():
    first = Combining(stacking=Stacking.ITEM, priority=9)
    halves = [flat(offer, 5, combining=first) for offer in ("a", "b")]
    assert applied(quoted(cart(line(rupees=10)), flat("z", 10), *halves)) == ["z"]


def test_in_order_the_higher_priority_is_taken_though_it_saves_less():
    """Also where it would be applied later on."""
    offers = [flat("a", 30, scope=Scope.LINE), flat("b", 10, combining=Combining(priority=1))]
    in_order = Settings(choice=Choice.IN_ORDER)
    assert applied(quoted(cart(line()), *offers, settings=in_order)) == ["b"]
    assert applied(quoted(cart(line()), *offers)) == ["a"]


def test_offers_by_code_nobody_typed_are_not_named():
    answer = quoted(cart(line()), flat("secret", automatic=False))
    assert answer.decisions == ()


def test_a_code_that_saves_less_is_beaten_not_used():
    answer = quoted(
        cart(line(), codes=typed("small")), flat("small", 5, automatic=False), flat("big", 20)
    )
    assert applied(answer) == ["big"]
    assert answer.codes[0].verdict is Verdict.BEATEN


def test_codes_at_fault():
    offers = [flat(f"o{n}", 1, automatic=False, combining=ITEM) for n in range(7)]
    codes = (
        EnteredCode(code="GONE", fault=Reason(ReasonCode.CODE_REVOKED)),
        EnteredCode(code="NONE", offer="nothing"),
        *typed("o0", "o0", "o1", "o2", "o3", "o4", "o5"),
    )
    answer = quoted(cart(line(), codes=codes), *offers)
    assert [one.reasons[0].code.value if one.reasons else "" for one in answer.codes] == [
        "code_revoked",
        "code_unknown",
        "",
        "code_repeated",
        "",
        "",
        "",
        "",
        "codes_too_many",
    ]
    assert answer.discount == 5_00


@pytest.mark.parametrize("choice", Choice)
def test_all_codes_or_none(choice):
    one = flat("one", 10, automatic=False, combining=ITEM)
    two = flat("two", 10, automatic=False, combining=ITEM)
    alone = flat("alone", 15, automatic=False)
    auto = flat("auto", 12)
    settings = Settings(choice=choice)

    def codes(*names):
        return cart(line(), codes=typed(*names), codes_policy=CodesPolicy.ALL)

    def best(*names):
        return sorted(applied(quoted(codes(*names), one, two, alone, auto, settings=settings)))

    assert best("one", "two") == ["one", "two"]
    assert best("one", "one") == ["auto"]  # repeated is no fault; the better one is taken
    assert best("one", "alone") == ["auto"]
    answer = quoted(codes("one", "alone"), one, alone, settings=settings)
    assert refusal(answer, "one") == ("blocked", "codes_all_or_none", {"codes": ("ALONE", "ONE")})


def test_an_automatic_offer_may_be_typed_too():
    answer = quoted(cart(line(), codes=typed("flat")), flat())
    assert answer.applied[0].code == "FLAT"
    assert len(answer.decisions) == 1


def test_caps_of_line_offer_and_bill():
    bill = cart(line("cut", 100), line("spa", 300))
    per_line = quoted(bill, share(percent=50, scope=Scope.LINE, caps=Caps(line=60_00)))
    assert [one.discount for one in per_line.lines] == [50_00, 60_00]
    of_offer = quoted(bill, share(percent=50, scope=Scope.LINE, caps=Caps(bill=40_00)))
    assert [one.discount for one in of_offer.lines] == [10_00, 30_00]
    floor = quoted(bill, share(percent=50, caps=Caps(floor_price=90_00)))
    assert [one.discount for one in floor.lines] == [10_00, 190_00]
    of_bill = quoted(
        bill,
        share(percent=50, combining=ITEM),
        flat(rupees=50, combining=ITEM),
        settings=Settings(max_bill_discount=210_00),
    )
    assert of_bill.discount == 210_00


def test_a_partial_budget_gives_what_is_left():
    limits = Limits(budget=30_00, budget_policy=BudgetPolicy.PARTIAL)
    answer = quoted(
        cart(line("cut"), line("spa")),
        share(percent=50, scope=Scope.LINE, limits=limits),
        usage={"share": OfferUsage(spent=10_00)},
    )
    assert [one.discount for one in answer.lines] == [10_00, 10_00]


def test_frozen_units_add_up_and_refunds_can_be_read_off():
    answer = quoted(cart(line(rupees=20, quantity=3)), flat(rupees=10))
    assert answer.applied[0].shares[0].units == (3_34, 3_33, 3_33)


@pytest.mark.parametrize(("pick", "free"), [(Pick.CHEAPEST, 1), (Pick.DEAREST, 3)])
def test_which_unit_is_free(pick, free):
    deal = OfferTerms(
        id="deal",
        kind=Kind.BUY_X_GET_Y,
        automatic=True,
        buy_get=BuyGet(buy_quantity=2, pick=pick),
    )
    answer = quoted(cart(line("a", 10), line("b", 20), line("c", 30)), deal)
    assert [share.line for share in answer.applied[0].shares] == [free]


def test_buy_one_get_another():
    deal = OfferTerms(
        id="deal",
        kind=Kind.BUY_X_GET_Y,
        automatic=True,
        selection=CUT,
        buy_get=BuyGet(buy_quantity=2, get=Selection(), rate_bp=5000, max_groups=1),
    )
    answer = quoted(cart(line("cut", quantity=2), line("spa", 80), line("spa", 40)), deal)
    assert [(one.line, one.amount) for one in answer.applied[0].shares] == [(3, 20_00)]


@pytest.mark.parametrize(("pick", "line_of_it"), [(Pick.CHEAPEST, 3), (Pick.DEAREST, 2)])
def test_which_of_the_others_is_reduced(pick, line_of_it):
    bill = cart(line("cut"), line("spa", 80), line("spa", 40))
    spa = Selection(services=frozenset({"spa"}))
    free = deal(get=spa, pick=pick, max_groups=1)
    answer = quoted(bill, dataclasses.replace(free, selection=CUT))
    assert [one.line for one in answer.applied[0].shares] == [line_of_it]


def test_no_unit_is_given_below_its_floor_for_the_others_sake():
    answer = quoted(cart(line(quantity=2, floor_price=90_00)), deal())
    assert answer.applied[0].shares[0].units in ((10_00, 0), (0, 10_00))


def deal(offer="deal", **terms):
    """Of two units one is free, in as many groups as `max_groups` says."""
    return OfferTerms(
        id=offer,
        kind=Kind.BUY_X_GET_Y,
        automatic=True,
        combining=ITEM,
        buy_get=BuyGet(**{"buy_quantity": 1, **terms}),
    )


@pytest.mark.parametrize(
    ("terms", "most", "free"),
    [
        ({}, None, 3),
        ({}, 2, 2),
        ({"pick": Pick.DEAREST}, 1, 1),
        ({"buy_quantity": 0, "buy_amount": 100_00}, 1, 1),
    ],
)
def test_groups_repeat_up_to_so_many(terms, most, free):
    answer = quoted(cart(line("cut", quantity=6)), deal(max_groups=most, **terms))
    assert answer.discount == free * 100_00


@pytest.mark.parametrize(("most", "free"), [(None, 2), (1, 1)])
def test_groups_of_others_repeat_up_to_so_many(most, free):
    bill = cart(line("spa", quantity=4), line("cut", quantity=2))
    assert quoted(bill, deal(max_groups=most, get=CUT)).discount == free * 100_00


def test_bundles_repeat_up_to_so_many():
    two = OfferTerms(
        id="two",
        kind=Kind.BUNDLE,
        automatic=True,
        bundle=Bundle(price=150_00, parts=(BundlePart(selection=CUT, quantity=2),), max_groups=2),
    )
    assert quoted(cart(line("cut", quantity=6)), two).discount == 100_00


def test_the_dearest_units_are_the_bought_ones():
    """The first group has the cheapest and the dearest; what is left is the second's."""
    units = [line(f"s{rupees}", rupees) for rupees in (10, 20, 30, 40)]
    answer = quoted(cart(*units), deal("a", max_groups=1), deal("b", max_groups=1))
    assert [one.discount for one in answer.lines] == [10_00, 20_00, 0, 0]


def test_a_free_service_is_one_unit_and_must_be_on_the_bill():
    free = OfferTerms(id="free", kind=Kind.FREE_SERVICE, automatic=True, selection=CUT)
    answer = quoted(cart(line("cut", 100, quantity=3)), free)
    assert answer.applied[0].shares[0].units == (100_00, 0, 0)
    assert refusal(quoted(cart(line("spa")), free), "free")[1] == "service_excluded"


def test_a_fixed_price_raises_none():
    fixed = OfferTerms(id="fixed", kind=Kind.FIXED_PRICE, automatic=True, amount=50_00)
    answer = quoted(cart(line("cut", 30), line("spa", 50), line("nails", 70)), fixed)
    assert [one.discount for one in answer.lines] == [0, 0, 20_00]


def test_points_come_last():
    bill = {"points": PointsUse(amount=30_00, used_as=PointsAs.DISCOUNT)}
    lines = [line("cut", 59, tax_rate_bp=1800), line("spa", 59, tax_rate_bp=1800)]
    answer = quoted(cart(*lines, **bill), share(percent=50))
    assert (answer.discount, answer.points, answer.payable) == (59_00, 30_00, 29_00)
    assert sum(one.taxable for one in answer.lines) == 24_58
    assert [share.amount for share in answer.points_shares] == [15_00, 15_00]
    bill = {"points": PointsUse(amount=99_00)}
    answer = quoted(cart(*lines, **bill), share(percent=50))
    assert (answer.points, answer.total, answer.tender, answer.payable) == (0, 59_00, 59_00, 0)
    assert sum(one.taxable for one in answer.lines) == 50_00


def test_tax_is_halved_with_the_odd_paisa_to_the_centre():
    answer = quoted(cart(line(rupees=0.03, tax_rate_bp=1800), prices_include_tax=False))
    assert (answer.lines[0].cgst, answer.lines[0].sgst, answer.payable) == (1, 0, 4)


def test_nothing_on_the_bill():
    answer = quoted(cart(), flat())
    assert (answer.payable, answer.applied) == (0, ())
    assert refusal(answer, "flat")[1] == "service_excluded"


def test_lines_of_one_bill_share_no_line_by_invoice_preset():
    answer = quoted(
        cart(line("cut", 100)),
        share("twenty", 20, combining=Combining(stacking=Stacking.INVOICE)),
        flat("five", 5, combining=Combining(stacking=Stacking.INVOICE)),
    )
    assert applied(answer) == ["twenty"]
    assert refusal(answer, "five") == ("beaten", "not_stackable_with", {"with": ("twenty",)})
