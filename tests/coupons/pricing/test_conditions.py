"""Who, where, when, on what: each condition with its reason, its numbers and what unlocks it."""

import datetime as dt

import pytest

from marketing.coupons.pricing.answer import Unlock, UnlockKind
from marketing.coupons.pricing.facts import Customer, OfferUsage
from marketing.coupons.pricing.reasons import Reason, ReasonCode
from marketing.coupons.pricing.terms import (
    Audience,
    Basis,
    Bundle,
    BundlePart,
    BuyGet,
    DateSpan,
    GroupBy,
    HourWindow,
    Kind,
    Limits,
    Measure,
    OfferTerms,
    Period,
    Places,
    Scope,
    Selection,
    SpendTier,
    Thresholds,
    Timetable,
    Weekday,
)
from tests.coupons.pricing.bills import (
    ITEM,
    NOON,
    applied,
    cart,
    decision,
    flat,
    line,
    quoted,
    refusal,
    share,
)

SHE = Customer(id="she", visits=2, segments=frozenset({"vip"}), tier="silver")
COLOUR = Selection(services=frozenset({"colour"}))
HAIR = Selection(categories=frozenset({"hair"}))


def why(terms, **more):
    answer = quoted(cart(line()), flat(**terms), **{"customer": SHE, **more})
    return refusal(answer, "flat")


def test_a_condition_not_met_blocks_with_its_numbers():
    assert why({"active": False}) == ("blocked", "inactive", {})
    assert why({"places": Places(branches=frozenset({"other"}))})[1] == "wrong_branch"
    assert (
        why(
            {"places": Places(branches=frozenset({"main"}), excluded_branches=frozenset({"main"}))}
        )[1]
        == "wrong_branch"
    )
    assert why({"selection": COLOUR})[1] == "service_excluded"
    assert why({"audience": Audience(segments=frozenset({"new", "lost"}))}) == (
        "blocked",
        "segment",
        {"segments": ("lost", "new")},
    )
    assert why({"audience": Audience(excluded_segments=frozenset({"vip"}))})[1] == "segment"
    assert why({"audience": Audience(tiers=frozenset({"gold"}))}) == (
        "blocked",
        "tier",
        {"tiers": ("gold",), "have": "silver"},
    )
    assert why({"audience": Audience(nth_visit=1)}) == (
        "blocked",
        "not_first_visit",
        {"visit": 3},
    )
    assert why({"thresholds": Thresholds(min_amount=150_00)}) == (
        "blocked",
        "min_amount_short",
        {"need": 150_00, "have": 100_00, "short_by": 50_00},
    )
    assert why({"thresholds": Thresholds(max_amount=90_00)}) == (
        "blocked",
        "max_amount_over",
        {"limit": 90_00, "have": 100_00, "over_by": 10_00},
    )
    assert why({"thresholds": Thresholds(requires=HAIR, requires_quantity=2)}) == (
        "blocked",
        "requires_missing",
        {"services": (), "categories": ("hair",), "short_by": 2},
    )


def test_times_are_the_branchs():
    zone = "+05:30"
    assert why({"timetable": Timetable(ends=dt.datetime(2026, 3, 4, 12))}) == (
        "blocked",
        "expired",
        {"ended": f"2026-03-04T12:00:00{zone}"},
    )
    assert why({"timetable": Timetable(starts=dt.datetime(2026, 3, 4, 12, 1))}) == (
        "blocked",
        "not_started",
        {"starts": f"2026-03-04T12:01:00{zone}"},
    )
    begins = flat(timetable=Timetable(starts=dt.datetime(2026, 3, 4, 12)))
    assert applied(quoted(cart(line()), begins)) == ["flat"]
    thursday = HourWindow(start=600, until=660, weekdays=frozenset({Weekday.THURSDAY}))
    found = decision(quoted(cart(line()), flat(timetable=Timetable(hours=(thursday,)))), "flat")
    assert found.reasons == (Reason(ReasonCode.OUTSIDE_HOURS),)
    assert found.unlock == (Unlock(kind=UnlockKind.COME_AT, at=f"2026-03-05T10:00:00{zone}"),)
    today = DateSpan(first=dt.date(2026, 3, 4), last=dt.date(2026, 3, 5))
    assert why({"timetable": Timetable(blackouts=(today,))}) == (
        "blocked",
        "blackout",
        {"first": "2026-03-04", "last": "2026-03-05"},
    )


def test_the_bills_own_moment_decides_wherever_it_was_written():
    terms = flat(timetable=Timetable(ends=dt.datetime(2026, 3, 4, 12, 1)))
    in_utc = cart(line(), at=NOON.astimezone(dt.UTC))
    assert applied(quoted(in_utc, terms)) == ["flat"]
    assert applied(quoted(cart(line(), timezone="Asia/Tokyo"), terms)) == []


@pytest.mark.parametrize(
    ("limits", "usage", "reason", "numbers"),
    [
        (Limits(total=4), OfferUsage(total=4), "limit_total", {"n": 4, "limit": 4}),
        (Limits(total=4), OfferUsage(total=5), "limit_total", {"n": 5, "limit": 4}),
        (Limits(per_branch=1), OfferUsage(branch=1), "limit_branch", {"n": 1, "limit": 1}),
        (Limits(per_customer=1), OfferUsage(customer=1), "limit_customer", {"n": 1, "limit": 1}),
        (
            Limits(per_period=2, period=Period.WEEK),
            OfferUsage(in_period=2, period_resets_at=NOON),
            "limit_period",
            {"n": 2, "limit": 2, "period": "week", "resets_at": NOON.isoformat()},
        ),
        (Limits(budget=5_00), OfferUsage(spent=5_00), "budget_left", {"left": 0, "need": 0}),
        (Limits(budget=9_99), OfferUsage(), "budget_left", {"left": 9_99, "need": 10_00}),
    ],
)
def test_what_is_used_up(limits, usage, reason, numbers):
    assert why({"limits": limits}, usage={"flat": usage}) == ("blocked", reason, numbers)


def test_below_its_limits_it_applies():
    limits = Limits(total=4, per_branch=2, per_customer=2, per_period=2, budget=10_00)
    usage = {"flat": OfferUsage(total=3, branch=1, customer=1, in_period=1)}
    answer = quoted(cart(line()), flat(limits=limits), customer=SHE, usage=usage)
    assert applied(answer) == ["flat"]


@pytest.mark.parametrize(
    "terms",
    [
        {"limits": Limits(per_customer=1)},
        {"limits": Limits(per_period=1)},
        {"audience": Audience(nth_visit=1)},
        {"audience": Audience(segments=frozenset({"vip"}))},
    ],
)
def test_who_she_is_must_be_known(terms):
    answer = quoted(cart(line()), flat(**terms))
    assert refusal(answer, "flat")[1] == "customer_required"
    assert decision(answer, "flat").unlock == (Unlock(kind=UnlockKind.SAY_WHO),)


def test_exclusion_wins():
    both = Selection(services=frozenset({"cut"}), excluded_categories=frozenset({"hair"}))
    answer = quoted(cart(line("cut", category="hair")), flat(selection=both))
    assert refusal(answer, "flat")[1] == "service_excluded"


def test_minimum_may_look_at_eligible_lines_only():
    terms = flat(
        selection=COLOUR, thresholds=Thresholds(min_amount=100_00, measure=Measure.ELIGIBLE)
    )
    answer = quoted(cart(line("colour", 60), line("cut", 60)), terms)
    assert refusal(answer, "flat")[1:] == (
        "min_amount_short",
        {"need": 100_00, "have": 60_00, "short_by": 40_00},
    )
    assert decision(answer, "flat").unlock == (
        Unlock(kind=UnlockKind.SPEND_MORE, amount=40_00, services=("colour",)),
    )


def test_least_and_most_are_amounts_at_which_it_holds():
    exactly = flat(thresholds=Thresholds(min_amount=100_00, max_amount=100_00))
    assert applied(quoted(cart(line()), exactly)) == ["flat"]


def test_running_amount_counts_discounts_given_by_hand():
    running = Thresholds(min_amount=100_00, basis=Basis.RUNNING)
    answer = quoted(cart(line(manual_discount=1)), flat(thresholds=running))
    assert refusal(answer, "flat")[1] == "min_amount_short"


def test_list_amount_does_not_count_them():
    listed = Thresholds(min_amount=100_00, max_amount=100_00)
    answer = quoted(cart(line(manual_discount=1)), flat(thresholds=listed))
    assert applied(answer) == ["flat"]


def test_every_reason_is_told_and_only_what_can_be_cured_is_offered():
    terms = flat(
        thresholds=Thresholds(min_amount=150_00, requires=HAIR),
        timetable=Timetable(hours=(HourWindow(start=780, until=840),)),
    )
    found = decision(quoted(cart(line()), terms), "flat")
    assert [one.code.value for one in found.reasons] == [
        "outside_hours",
        "min_amount_short",
        "requires_missing",
    ]
    assert found.unlock == (
        Unlock(kind=UnlockKind.COME_AT, at="2026-03-04T13:00:00+05:30"),
        Unlock(kind=UnlockKind.SPEND_MORE, amount=50_00),
        Unlock(kind=UnlockKind.ADD_UNITS, quantity=1, categories=("hair",)),
    )
    hopeless = flat(
        thresholds=Thresholds(min_amount=150_00),
        audience=Audience(segments=frozenset({"new"})),
    )
    assert decision(quoted(cart(line()), hopeless, customer=SHE), "flat").unlock == ()


def test_one_more_unit_unlocks_a_group():
    deal = OfferTerms(
        id="deal",
        kind=Kind.BUY_X_GET_Y,
        automatic=True,
        selection=COLOUR,
        buy_get=BuyGet(buy_quantity=2, get=Selection(services=frozenset({"spa"}))),
    )
    answer = quoted(cart(line("colour")), deal)
    assert refusal(answer, "deal")[1:] == (
        "min_quantity_short",
        {"need": 3, "have": 1, "short_by": 2, "of_get": 1},
    )
    assert decision(answer, "deal").unlock == (
        Unlock(kind=UnlockKind.ADD_UNITS, quantity=1, services=("spa",)),
        Unlock(kind=UnlockKind.ADD_UNITS, quantity=1, services=("colour",)),
    )


def bought_for(get):
    """Buy colour for 100, and one of `get` (or of colour) is free."""
    other = None if get is None else Selection(services=frozenset({get}))
    return OfferTerms(
        id="deal",
        kind=Kind.BUY_X_GET_Y,
        automatic=True,
        selection=COLOUR,
        buy_get=BuyGet(buy_amount=100_00, get=other),
    )


@pytest.mark.parametrize(
    ("get", "lines", "have"),
    [
        (None, [line("colour", 40), line("colour", 40)], 40_00),
        (None, [line("colour", 90), line("colour", 90), line("cut", 500)], 90_00),
        ("spa", [line("colour", 99), line("spa", 500)], 99_00),
    ],
)
def test_what_is_bought_for_too_little_says_how_much_is_missing(get, lines, have):
    answer = quoted(cart(*lines), bought_for(get))
    missing = 100_00 - have
    assert refusal(answer, "deal")[1:] == (
        "min_amount_short",
        {
            "need": 100_00,
            "have": have,
            "short_by": missing,
            "services": ("colour",),
            "categories": (),
        },
    )
    assert decision(answer, "deal").unlock == (
        Unlock(kind=UnlockKind.SPEND_MORE, amount=missing, services=("colour",)),
    )


@pytest.mark.parametrize(
    ("get", "lines"),
    [
        (None, [line("colour", 60), line("colour", 40), line("colour", 10)]),
        ("spa", [line("colour", 100), line("spa", 500)]),
        ("colour", [line("colour", 50), line("colour", 50), line("colour", 1)]),
    ],
)
def test_what_is_bought_for_just_enough_applies(get, lines):
    assert applied(quoted(cart(*lines), bought_for(get))) == ["deal"]


def test_tiers_of_what_is_left_say_that_it_is_too_little():
    tiers = OfferTerms(
        id="tiers",
        kind=Kind.SPEND_TIERS,
        automatic=True,
        tiers=(SpendTier(threshold=80_00, amount=20_00),),
        thresholds=Thresholds(basis=Basis.RUNNING),
        combining=ITEM,
    )
    answer = quoted(cart(line()), flat("first", 30, scope=Scope.LINE, combining=ITEM), tiers)
    assert applied(answer) == ["first"]
    assert refusal(answer, "tiers")[1:] == (
        "min_amount_short",
        {"need": 80_00, "have": 70_00, "short_by": 10_00},
    )


def test_parts_of_a_bundle_share_no_unit():
    bundle = OfferTerms(
        id="bundle",
        kind=Kind.BUNDLE,
        automatic=True,
        bundle=Bundle(
            price=120_00,
            parts=(BundlePart(selection=Selection()), BundlePart(selection=COLOUR)),
        ),
    )
    answer = quoted(cart(line("colour")), bundle)
    assert refusal(answer, "bundle")[1:] == (
        "min_quantity_short",
        {"need": 2, "have": 1, "short_by": 1, "of_get": 1},
    )
    answer = quoted(cart(line("cut")), bundle)
    assert decision(answer, "bundle").unlock == (
        Unlock(kind=UnlockKind.ADD_UNITS, quantity=1, services=tuple(sorted(COLOUR.services))),
    )
    answer = quoted(cart(line("colour"), line("cut")), bundle)
    assert [(one.line, one.amount) for one in answer.applied[0].shares] == [(1, 40_00), (2, 40_00)]


def test_the_next_tier_is_told_beside_the_one_that_applies():
    tiers = OfferTerms(
        id="tiers",
        kind=Kind.SPEND_TIERS,
        automatic=True,
        tiers=(SpendTier(threshold=50_00, rate_bp=500), SpendTier(threshold=150_00, rate_bp=1000)),
    )
    found = decision(quoted(cart(line()), tiers), "tiers")
    assert found.saving == 5_00
    assert found.unlock == (Unlock(kind=UnlockKind.SPEND_MORE, amount=50_00),)


def test_groups_are_formed_within_a_day():
    deal = OfferTerms(
        id="deal",
        kind=Kind.BUY_X_GET_Y,
        automatic=True,
        buy_get=BuyGet(buy_quantity=1),
        group_by=GroupBy.PERFORMED_ON,
    )
    monday, tuesday = dt.date(2026, 3, 9), dt.date(2026, 3, 10)
    apart = cart(line(performed_on=monday), line(performed_on=tuesday))
    assert refusal(quoted(apart, deal), "deal")[1] == "min_quantity_short"
    together = cart(line(performed_on=monday), line(performed_on=monday))
    assert applied(quoted(together, deal)) == ["deal"]


def test_what_is_taken_off_by_hand_may_be_left_out():
    answer = quoted(cart(line(manual_discount=1), line()), share(skip_discounted=True))
    assert [one.discount for one in answer.lines] == [0, 10_00]
