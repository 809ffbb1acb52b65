"""What callers must not get away with: repeats, other bodies, wrong amounts, twice, too late."""

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from marketing.core import clock
from marketing.core.errors import IdempotencyMismatch, NotFound, ValidationFailed
from marketing.loyalty import services
from marketing.loyalty.errors import (
    NotEnoughPoints,
    NothingToReverse,
    PointsHoldOver,
    ProgrammeOff,
    RedemptionLimit,
)
from marketing.loyalty.models import (
    LotUse,
    LoyaltyProgramme,
    PointsAccount,
    PointsEntry,
    PointsLot,
    PointsTransaction,
)
from marketing.loyalty.services import BillLine, Source, posting
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import bill, earn, hold, make_programme, spend, system
from tests.loyalty.ledger_words import A, B, C, everything, give_back, points, refund, whole

D = bill("D")
GIFT = Source("gift", "1")


def test_points_that_would_be_gone_tomorrow_are_refused_whoever_asks(chain):
    with pytest.raises(ValidationFailed) as refused:
        services.update_programme(actor=system(), values={"expiry_months": 0})
    assert (refused.value.code, list(refused.value.fields)) == ("MARKETING_400", ["expiry_months"])
    assert not LoyaltyProgramme.objects.exists()


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


def give(customer, count):
    return services.give_points(
        actor=system(), customer=customer, points=count, source=GIFT, reason="x"
    )


def test_another_body_under_the_same_source_is_refused(asha):
    somebody = CustomerFactory()
    earn(asha, 100, A)
    earn(asha, 10, D)
    held = hold(asha, 50, B)
    services.post_hold(actor=system(), hold=held, source=B, points=40)
    refund(C, A, {"1": 1_000})
    give(asha, 5)
    before = everything()
    for wrong in (
        lambda: refund(C, D),
        lambda: give(asha, 6),
        lambda: give(somebody, 5),
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
    give(asha, 5)
    refund(D, GIFT)
    before = everything()
    for wrong, error in (
        (lambda: refund(C, A), NothingToReverse),
        (lambda: refund(C, A, {"1": 1}), NothingToReverse),
        (lambda: refund(C, GIFT), NothingToReverse),
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
    for over in (used, freed):
        with pytest.raises(PointsHoldOver):
            services.renew_hold(actor=system(), hold=over)
    assert everything() == before


def test_no_more_is_used_than_the_row_holds(asha):
    """Whatever the caller's copy of it says."""
    earn(asha, 100)
    held = hold(asha, 10, A)
    before = everything()
    held.points = 50
    with pytest.raises(PointsHoldOver):
        services.post_hold(actor=system(), hold=held, source=A)
    assert everything() == before


def test_a_hold_that_ran_out_is_not_used_and_may_be_given_back(asha, noon):
    earn(asha, 100)
    held = hold(asha, 10)
    noon.shift(dt.timedelta(minutes=10))
    before = everything()
    with pytest.raises(PointsHoldOver) as refused:
        services.post_hold(actor=system(), hold=held, source=A)
    assert refused.value.details == {"state": "expired"}
    assert everything() == before
    services.void_hold(actor=system(), hold=held)
    assert points(asha) == 100


def test_points_that_wait_are_not_drawn_though_they_end_first(asha):
    earn(asha, 100, A)
    make_programme(pending_days=3, expiry_months=1)
    earn(asha, 100, B)
    hold(asha, 60)
    whole()
    waiting = PointsLot.objects.get(is_pending=True)
    assert (waiting.remaining, points(asha)) == (100, 40)


def test_points_that_end_at_this_moment_are_not_drawn(asha, go):
    """Her lots were brought up to the moment before."""
    make_programme(expiry_months=1)
    earn(asha, 100)
    go("2026-07-15", "23:59")
    her = services.enter(asha.pk, clock.now())
    go("2026-07-16", "00:00")
    before = everything()
    with pytest.raises(NotEnoughPoints), transaction.atomic():
        services.hold_points(actor=system(), customer=asha, points=10, source=A, her=her)
    assert everything() == before


def test_no_more_is_drawn_than_lots_hold(asha, monkeypatch):
    """Whatever a balance says, and whatever was read of a lot before."""
    earn(asha, 100)
    PointsAccount.objects.update(available=150)
    before = everything()
    for read in (posting.SPENDABLE, posting.SPENDABLE.replace("remaining FROM", "150 FROM")):
        monkeypatch.setattr(posting, "SPENDABLE", read)
        with pytest.raises(NotEnoughPoints), transaction.atomic():
            hold(asha, 120)
        assert everything() == before


def test_no_lot_gives_more_than_it_has_or_after_its_end(asha, noon):
    """Whatever the account says: the statement that takes looks at the lots."""
    make_programme(expiry_months=1)
    made = earn(asha, 100)
    lot = PointsLot.objects.get()
    takes = [
        lambda: posting.draw(made, [(lot.pk, 101)]),
        lambda: posting.take_from_lots(made, asha.pk, 101, clock.now()),
        lambda: posting.take_from_lots(made, asha.pk, 1, clock.now() + dt.timedelta(days=60)),
    ]
    for take in takes:
        with pytest.raises(NotEnoughPoints), transaction.atomic():
            take()
    lot.refresh_from_db()
    assert lot.remaining == 100
    assert not LotUse.objects.exists()


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
    # What was given before is found again, and may still be taken back.
    assert earn(asha, 100, A).points == 100
    refund(C, A)
    assert points(asha) == 0


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
