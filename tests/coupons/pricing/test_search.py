"""Corners of the search and of groups in which a short cut would go wrong."""

from marketing.coupons.pricing.bill import CodesPolicy
from marketing.coupons.pricing.terms import (
    Bundle,
    BundlePart,
    BuyGet,
    Combining,
    Kind,
    OfferTerms,
    Scope,
    Selection,
    Stacking,
    Thresholds,
)
from tests.coupons.pricing.bills import (
    ITEM,
    applied,
    cart,
    flat,
    line,
    quoted,
    refusal,
    share,
    typed,
)

CUT = Selection(services=frozenset({"cut"}))


def tagged(tag, *allowed, priority=0):
    return Combining(
        stacking=Stacking.ITEM,
        priority=priority,
        tags=frozenset({tag}),
        combines_with=frozenset(allowed),
    )


def test_an_equal_set_found_later_wins_by_priority():
    offers = [
        flat("a", 5, scope=Scope.LINE, combining=tagged("a", "b", "c")),
        flat("b", 5, scope=Scope.LINE, combining=tagged("b", "a")),
        flat("c", 5, combining=tagged("c", "a", priority=5)),
    ]
    assert applied(quoted(cart(line()), *offers)) == ["a", "c"]


def test_a_group_may_give_more_in_company_than_alone():
    """Alone the cheap cut is the free unit; once the cut is free, a dear one is."""
    pair = OfferTerms(
        id="pair",
        kind=Kind.BUY_X_GET_Y,
        automatic=True,
        buy_get=BuyGet(buy_quantity=1),
        combining=ITEM,
    )
    free_cut = share("cut", 100, scope=Scope.LINE, selection=CUT, combining=ITEM)
    rival = flat("a rival", 25, scope=Scope.LINE)
    bill = cart(line("cut", 10), line("spa", 100), line("spa", 100))
    answer = quoted(bill, pair, free_cut, rival)
    assert applied(answer) == ["cut", "pair"]
    assert answer.discount == 110_00


def test_a_unit_needed_for_buying_is_not_given_away():
    deal = OfferTerms(
        id="deal",
        kind=Kind.BUY_X_GET_Y,
        automatic=True,
        selection=CUT,
        buy_get=BuyGet(buy_quantity=1, get=Selection()),
    )
    answer = quoted(cart(line("cut", 10), line("spa", 20)), deal)
    assert [(one.line, one.amount) for one in answer.applied[0].shares] == [(2, 20_00)]


def test_bundles_are_formed_only_while_they_save():
    bundle = OfferTerms(
        id="bundle",
        kind=Kind.BUNDLE,
        automatic=True,
        bundle=Bundle(price=18_01, parts=(BundlePart(selection=Selection(), quantity=3),)),
    )
    answer = quoted(cart(line("a", 10, quantity=3), line("b", 6, quantity=3)), bundle)
    assert [one.discount for one in answer.lines] == [11_99, 0]


def test_a_code_not_met_takes_the_others_with_it():
    good = flat("good", 10, automatic=False, combining=ITEM)
    short = flat(
        "short", 10, automatic=False, combining=ITEM, thresholds=Thresholds(min_amount=999_00)
    )
    bill = cart(line(), codes=typed("good", "short"), codes_policy=CodesPolicy.ALL)
    answer = quoted(bill, good, short)
    assert applied(answer) == []
    assert refusal(answer, "good")[1:] == ("codes_all_or_none", {"codes": ("SHORT",)})
    assert refusal(answer, "short")[1] == "min_amount_short"
