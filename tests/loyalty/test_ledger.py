"""Refunds, debts, policies and repeats, one by one; and what callers must not get away with."""

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from marketing.core.errors import IdempotencyMismatch, NotFound, ValidationFailed
from marketing.loyalty import selectors, services
from marketing.loyalty.errors import (
    NotEnoughPoints,
    NothingToReverse,
    PointsHoldOver,
    ProgrammeOff,
    RedemptionLimit,
)
from marketing.loyalty.models import (
    EarnRate,
    PointsAccount,
    PointsEntry,
    PointsHold,
    PointsLot,
    PointsTransaction,
)
from marketing.loyalty.services import BillLine, Source
from tests.factories.customers import CustomerFactory, ServiceFactory
from tests.factories.loyalty import bill, earn, hold, make_programme, make_tiers, spend, system

A, B, C = bill("A"), bill("B"), bill("C")


def points(customer):
    return selectors.balance(customer.pk).points


def refund(source, of, lines=None):
    return services.reverse_earn(actor=system(), source=source, of=of, lines=lines)


def give_back(source, of, count=None):
    return services.reverse_spend(actor=system(), source=source, of=of, points=count)


def everything():
    return [
        list(model.objects.order_by("pk").values())
        for model in (PointsAccount, PointsTransaction, PointsEntry, PointsLot, PointsHold)
    ]


def whole():
    """The proof of the open chain finds nothing."""
    proof = services.prove_ledger()
    assert proof.differing == 0, proof.examples


def test_points_are_rounded_down_once_a_bill_and_frozen_by_line(asha, chain):
    make_programme(points_per_100="1.5")
    hair = ServiceFactory(category__name="Hair")
    spa = ServiceFactory(category__name="Spa")
    EarnRate.objects.create(category=spa.category, points_per_100=10)
    make_tiers(("Gold", 0, 20_000))
    earn(asha, 1)  # gives her the tier
    made = services.earn_points(
        actor=system(),
        customer=asha,
        source=A,
        lines=[
            BillLine("hair", 33_300, hair.pk, hair.category_id),
            BillLine("spa", 9_990, spa.pk, spa.category_id),
            BillLine("free", 0, spa.pk, spa.category_id),
        ],
    )
    # (333 × 1.5 + 99.90 × 10) / 100 × 2 = 29.97
    assert made.points == 29
    refund(B, A, {"hair": 33_300})
    assert points(asha) == 29 - 10
    refund(C, A)
    assert points(asha) == 0
    whole()


@pytest.mark.parametrize("parts", [[1, 1, 98], [98, 1, 1], [33, 33, 34], [100], [50, 50]])
def test_parts_of_a_refund_add_up_in_any_order(asha, parts):
    earn(asha, 7)
    services.earn_points(actor=system(), customer=asha, source=A, lines=[BillLine("1", 100)])
    before = points(asha)
    assert before == 8
    for number, part in enumerate(parts):
        refund(bill(f"refund {number}"), A, {"1": part})
    assert points(asha) == 7
    with pytest.raises(NothingToReverse):
        refund(B, A, {"1": 1})
    whole()


def test_what_was_used_already_is_owed_and_made_good_by_the_next_points(asha):
    earn(asha, 100, A)
    spend(asha, 80)
    refund(B, A)
    assert points(asha) == -80
    with pytest.raises(NotEnoughPoints):
        hold(asha, 1)
    earn(asha, 50)
    assert points(asha) == -30
    earn(asha, 50)
    assert points(asha) == 20
    assert PointsAccount.objects.get(customer=asha).owed == 0
    whole()


def test_a_debt_is_made_good_when_points_become_active(asha, go):
    earn(asha, 100, A)
    spend(asha, 100)
    refund(B, A)
    make_programme(pending_days=2)
    earn(asha, 30)
    earn(asha, 90)
    assert points(asha) == -100
    go("2026-06-17")
    assert points(asha) == 20
    services.activate_due()
    assert points(asha) == 20
    assert PointsAccount.objects.get(customer=asha).owed == 0
    whole()


@pytest.mark.parametrize(
    ("policy", "left"), [("only_pending", 20), ("within_balance", 0), ("unlimited", -80)]
)
def test_the_policy_says_how_far_a_refund_goes(asha, policy, left):
    make_programme(negative_policy=policy)
    earn(asha, 100, A)
    spend(asha, 80)
    refund(B, A)
    assert points(asha) == left
    whole()


def test_points_that_are_not_active_yet_go_under_every_policy(asha):
    make_programme(negative_policy="only_pending", pending_days=5)
    earn(asha, 100, A)
    refund(B, A, {"1": 4_000})
    assert selectors.balance(asha.pk).pending == 60
    whole()


def test_what_expired_is_not_asked_for_again(asha, go):
    make_programme(expiry_months=1)
    earn(asha, 100, A)
    spend(asha, 40)
    go("2026-07-16")
    refund(B, A)
    assert points(asha) == -40
    whole()


def test_points_come_back_to_their_own_lots(asha, go):
    make_programme(expiry_months=2)
    go("2026-06-01")
    earn(asha, 30)
    go("2026-06-10")
    earn(asha, 30)
    spend(asha, 40, A)
    go("2026-07-20")
    give_back(B, A, 25)
    lots = PointsLot.objects.order_by("pk").values_list("remaining", "expires_on")
    # Those taken last come back first: ten of the second lot, then fifteen of the first.
    assert list(lots) == [(15, dt.date(2026, 8, 1)), (30, dt.date(2026, 8, 10))]
    give_back(C, A)
    assert points(asha) == 60
    whole()


@pytest.mark.parametrize(
    ("day", "left", "last"),
    [
        ("2026-07-15", 100, dt.date(2026, 7, 15)),
        ("2026-07-16", 100, dt.date(2026, 7, 22)),
        ("2026-07-22", 100, dt.date(2026, 7, 22)),
        ("2026-07-23", 0, dt.date(2026, 7, 15)),
    ],
)
def test_points_of_a_lot_that_is_over_come_back_expired_but_for_the_grace(
    asha, go, day, left, last
):
    make_programme(expiry_months=1)
    earn(asha, 100)
    spend(asha, 100, A)
    go(day)
    give_back(B, A)
    assert points(asha) == left
    assert PointsLot.objects.get().expires_on == last
    whole()
    go("2026-07-23")
    services.expire_due()
    assert points(asha) == 0
    assert selectors.liability().points == 0
    whole()


def test_both_refunds_of_a_bill_leave_nothing_in_either_order(asha, go):
    make_programme(expiry_months=1)
    other = CustomerFactory()
    for customer, first in ((asha, "earn"), (other, "spend")):
        go("2026-06-15")
        earned, used = bill(), bill()
        earn(customer, 100, earned)
        spend(customer, 100, used)
        go("2026-08-15")
        if first == "earn":
            refund(bill(), earned)
            give_back(bill(), used)
        else:
            give_back(bill(), used)
            refund(bill(), earned)
        assert points(customer) == 0
    whole()


def test_part_of_a_hold_may_be_used(asha, go):
    make_programme(expiry_months=1)
    earn(asha, 30)
    go("2026-06-20")
    earn(asha, 30)
    held = hold(asha, 50, A)
    services.post_hold(actor=system(), hold=held, source=A, points=20)
    assert points(asha) == 40
    assert list(PointsLot.objects.order_by("pk").values_list("remaining", flat=True)) == [10, 30]
    give_back(B, A)
    assert points(asha) == 60
    whole()


def test_held_points_do_not_expire_under_the_counters_hands(asha, go):
    make_programme(expiry_months=0)
    earn(asha, 100)
    go("2026-06-15", "23:55")
    held = hold(asha, 60, A)
    go("2026-06-16", "00:04")
    services.expire_due()
    services.post_hold(actor=system(), hold=held, source=A)
    assert points(asha) == 0
    assert selectors.liability().redeemed == 60
    whole()


def test_a_hold_is_renewed_for_half_an_hour_at_most(asha, noon):
    earn(asha, 100)
    held = hold(asha, 60)
    for _turn in range(3):
        noon.shift(dt.timedelta(minutes=9))
        held = services.renew_hold(actor=system(), hold=held)
    assert held.expires_at == held.created_at + dt.timedelta(minutes=30)
    noon.shift(dt.timedelta(minutes=9))
    with pytest.raises(PointsHoldOver):
        services.renew_hold(actor=system(), hold=held)


def test_every_call_may_be_repeated(asha):
    earn(asha, 100, A)
    held = hold(asha, 50, B)
    services.post_hold(actor=system(), hold=held, source=B)
    refund(C, A, {"1": 2_000})
    give_back(C, B, 10)
    other = hold(asha, 5, C)
    services.void_hold(actor=system(), hold=other)
    before = everything()
    earn(asha, 100, A)
    assert hold(asha, 50, B) == held
    services.post_hold(actor=system(), hold=held, source=B)
    refund(C, A, {"1": 2_000})
    give_back(C, B, 10)
    services.void_hold(actor=system(), hold=other)
    assert everything() == before
    whole()


def test_another_body_under_the_same_source_is_refused(asha):
    somebody = CustomerFactory()
    earn(asha, 100, A)
    held = hold(asha, 50, B)
    services.post_hold(actor=system(), hold=held, source=B, points=40)
    before = everything()
    for wrong in (
        lambda: earn(somebody, 100, A),
        lambda: earn(asha, 101, A),
        lambda: hold(asha, 51, B),
        lambda: hold(somebody, 50, B),
        lambda: services.post_hold(actor=system(), hold=held, source=B, points=41),
    ):
        with pytest.raises(IdempotencyMismatch):
            wrong()
    assert everything() == before


@pytest.mark.parametrize("amount", [0, -1, 10**12, True, 1.5, None, "5"])
def test_points_that_are_no_points_are_refused(asha, amount):
    earn(asha, 100, A)
    spend(asha, 10, B)
    before = everything()
    for call in (
        lambda: hold(asha, amount),
        lambda: services.give_points(
            actor=system(), customer=asha, points=amount, source=C, reason="x"
        ),
    ):
        with pytest.raises(ValidationFailed) as refused:
            call()
        assert "points" in refused.value.fields
    if amount is not None:
        with pytest.raises(ValidationFailed):
            give_back(C, B, amount)
    assert everything() == before


@pytest.mark.parametrize("paise", [-1, 10**15, 1.5, True, "100"])
def test_amounts_that_are_none_are_refused(asha, paise):
    with pytest.raises(ValidationFailed):
        services.earn_points(actor=system(), customer=asha, source=A, lines=[BillLine("1", paise)])
    earn(asha, 100, B)
    with pytest.raises(ValidationFailed):
        refund(C, B, {"1": 0})
    with pytest.raises((ValidationFailed, NothingToReverse)):
        refund(C, B, {"1": paise})
    assert points(asha) == 100


def test_lines_are_named_and_few(asha):
    for lines in (
        [],
        [BillLine("1", 1)] * 2,
        [BillLine("", 1)],
        [BillLine(str(n), 1) for n in range(1_001)],
    ):
        with pytest.raises(ValidationFailed):
            services.earn_points(actor=system(), customer=asha, source=A, lines=lines)
    assert not PointsTransaction.objects.exists()


def test_nothing_is_taken_back_twice_or_of_nobody(asha):
    earn(asha, 100, A)
    spend(asha, 30, A)
    refund(B, A)
    give_back(B, A)
    before = everything()
    for wrong, error in (
        (lambda: refund(C, A), NothingToReverse),
        (lambda: refund(C, A, {"1": 1}), NothingToReverse),
        (lambda: refund(C, A, {"2": 1}), ValidationFailed),
        (lambda: refund(C, Source("invoice", "nobody's")), NotFound),
        (lambda: give_back(C, A), NothingToReverse),
        (lambda: give_back(C, A, 1), NothingToReverse),
        (lambda: give_back(C, Source("invoice", "nobody's")), NotFound),
    ):
        with pytest.raises(error):
            wrong()
    assert everything() == before
    whole()


def test_a_hold_ends_once(asha):
    earn(asha, 100)
    used, freed = hold(asha, 10, A), hold(asha, 10, B)
    services.post_hold(actor=system(), hold=used, source=A)
    services.void_hold(actor=system(), hold=freed)
    before = everything()
    with pytest.raises(PointsHoldOver) as refused:
        services.void_hold(actor=system(), hold=used)
    assert refused.value.details == {"state": "posted"}
    with pytest.raises(PointsHoldOver):
        services.post_hold(actor=system(), hold=freed, source=B)
    with pytest.raises(PointsHoldOver):
        services.post_hold(actor=system(), hold=used, source=C)
    assert everything() == before


def test_the_programme_limits_what_a_bill_may_use(asha):
    make_programme(
        min_redeem_points=20, max_redeem_points=70, max_redeem_percent=50, point_value_paise=50
    )
    earn(asha, 1_000)
    for count, payable in ((19, None), (71, None), (31, 3_000)):
        with pytest.raises(RedemptionLimit):
            services.hold_points(
                actor=system(), customer=asha, points=count, source=A, payable_paise=payable
            )
    services.hold_points(actor=system(), customer=asha, points=30, source=A, payable_paise=3_000)
    assert points(asha) == 970


def test_while_it_is_off_nothing_is_given_or_used(asha):
    earn(asha, 100, A)
    make_programme(is_enabled=False, signup_bonus=10)
    assert (
        services.earn_points(actor=system(), customer=asha, source=B, lines=[BillLine("1", 100)])
        is None
    )
    assert services.grant_bonus(actor=system(), customer=asha, bonus="signup", source=B) is None
    with pytest.raises(ProgrammeOff):
        hold(asha, 10)
    refund(C, A)  # what was given may still be taken back
    assert points(asha) == 0


def test_a_refund_takes_the_upgrade_back_but_not_what_was_had_before(asha, go):
    make_programme(tier_basis="spend")
    make_tiers(("Bronze", 0, 10_000), ("Silver", 10_000, 10_000), ("Gold", 50_000, 20_000))

    def tier():
        return PointsAccount.objects.select_related("tier").get(customer=asha).tier.name

    earn(asha, 100, A)
    assert tier() == "Silver"
    earn(asha, 900, B)
    assert tier() == "Gold"
    refund(C, B, {"1": 60_000})
    assert tier() == "Silver"
    refund(bill(), A)
    assert tier() == "Silver"


def test_calendar_tiers_end_with_the_period(asha, go):
    make_programme(tier_basis="points", tier_window="calendar", tier_span="quarter")
    make_tiers(("Bronze", 0, 10_000), ("Silver", 100, 10_000))

    def tier():
        services.end_periods()
        return PointsAccount.objects.select_related("tier").get(customer=asha).tier.name

    go("2026-02-10")
    earn(asha, 150)
    go("2026-04-01", "00:00")
    assert tier() == "Silver"  # earned in the quarter that ended
    go("2026-06-30", "23:59")
    assert tier() == "Silver"
    go("2026-07-01", "00:00")
    assert tier() == "Bronze"


def test_what_is_posted_stays(asha):
    made = earn(asha, 100)
    for change in (
        lambda: PointsEntry.objects.filter(transaction=made).update(points=1),
        lambda: PointsEntry.objects.filter(transaction=made).delete(),
        lambda: PointsTransaction.objects.filter(pk=made.pk).update(points=1),
        lambda: PointsTransaction.objects.filter(pk=made.pk)._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


def test_a_transaction_must_balance(asha):
    made = earn(asha, 100)

    def unbalance():
        PointsEntry.objects.create(transaction=made, account="issued", side="debit", points=1)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError, match="do not balance"), transaction.atomic():
        unbalance()


def test_an_entry_has_an_amount(asha):
    made = earn(asha, 100)
    for amount in (0, -5):
        with pytest.raises(IntegrityError), transaction.atomic():
            PointsEntry.objects.create(
                transaction=made, account="issued", side="debit", points=amount
            )
