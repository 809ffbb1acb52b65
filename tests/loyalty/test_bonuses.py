"""What the programme gives for joining, for a birthday, for a review: once each."""

import datetime as dt

import pytest

from customers.models import Customer
from marketing.core import clock, events
from marketing.core.ids import moment_of
from marketing.loyalty import services
from marketing.loyalty.models import PointsTransaction
from marketing.loyalty.selectors import balance
from marketing.loyalty.tasks import give_bonuses, turn_days
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import make_programme


def points(customer):
    return balance(customer.pk).points


def test_who_joins_gets_her_points_once(asha):
    make_programme(signup_bonus=50)
    imported = CustomerFactory(source="import")
    gone = CustomerFactory(status=Customer.Status.ERASED)
    give_bonuses()
    give_bonuses()
    assert (points(asha), points(imported), points(gone)) == (50, 0, 0)
    made = PointsTransaction.objects.get()
    assert (made.kind, made.why) == ("bonus", "For joining")


def test_who_joined_long_ago_gets_nothing_when_it_begins(asha, noon):
    make_programme(signup_bonus=50)
    noon.move_to(moment_of(asha.pk) + services.JOINED_LATELY + dt.timedelta(minutes=1))
    assert services.give_signup_bonuses() == 0
    noon.move_to(moment_of(asha.pk))
    Customer.objects.update(created_at=clock.now() - dt.timedelta(days=4))
    assert services.give_signup_bonuses() == 0
    assert not PointsTransaction.objects.exists()


def test_a_round_takes_so_many(asha, monkeypatch):
    make_programme(signup_bonus=50)
    monkeypatch.setattr("marketing.loyalty.services.bonuses.AT_ONCE", 2)
    CustomerFactory.create_batch(2)
    assert [services.give_signup_bonuses() for _ in range(3)] == [2, 1, 0]


@pytest.mark.parametrize("settings", [{}, {"is_enabled": False, "signup_bonus": 5}])
def test_none_is_given_where_the_programme_gives_none(asha, settings):
    make_programme(**settings | {"birthday_bonus": 0})
    assert services.give_signup_bonuses() == services.give_birthday_bonuses() == 0
    assert not PointsTransaction.objects.exists()


@pytest.mark.parametrize(
    ("born", "day", "given"),
    [
        ("1990-06-15", "2026-06-15", 70),
        ("1990-06-14", "2026-06-15", 0),
        ("2000-02-29", "2027-02-28", 70),
        ("2000-02-29", "2027-03-01", 0),
        ("2000-02-29", "2028-02-28", 0),
        ("2000-02-29", "2028-02-29", 70),
    ],
)
def test_a_birthday_is_the_chains_day(asha, go, born, day, given):
    make_programme(birthday_bonus=70)
    Customer.objects.filter(pk=asha.pk).update(birth_date=born)
    go(day, "00:01")
    turn_days()
    go(day, "23:59")
    turn_days()
    assert points(asha) == given


def test_it_comes_every_year_and_not_twice_for_another_date(asha, go):
    make_programme(birthday_bonus=70)
    for day in ("2026-06-15", "2026-06-16", "2027-06-16"):
        Customer.objects.filter(pk=asha.pk).update(birth_date=f"1990{day[4:]}")
        go(day)
        services.give_birthday_bonuses()
    assert points(asha) == 140


def test_a_review_is_thanked_once_a_day_and_while_it_is_fresh(asha, noon):
    make_programme(review_bonus=20)
    for review, days in (("a", 0), ("b", 0), ("c", 1), ("old", 60)):
        at = clock.now() - dt.timedelta(days=days)
        said = {"customerId": str(asha.pk), "reviewId": review, "occurredAt": at.isoformat()}
        events.record("review.posted", said)
    events.deliver_due()
    services.give_review_bonuses([(asha.pk, clock.now())])
    assert points(asha) == 40
    assert {made.why for made in PointsTransaction.objects.all()} == {"For a review"}
