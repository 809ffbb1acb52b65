"""One person at the till who enters one code for everybody."""

import datetime as dt

import pytest

from marketing.core.models import StaffNotification
from marketing.referrals import services
from marketing.referrals.models import Referral, ReferralTouch
from tests.factories.coupons import sell
from tests.factories.customers import CustomerFactory, make_people
from tests.factories.referrals import code_for, converted, make_programme, past_hold, reward_all


@pytest.fixture
def code(asha):
    make_programme(entries_per_staff=2)
    return code_for(asha)


def enter(chain, code, count, staff=None):
    actor = chain.actor(staff or chain.receptionist)
    for _ in range(count):
        services.apply_code(
            actor=actor, code=code, customer=CustomerFactory(), branch_id=chain.north.pk
        )


def told():
    return StaffNotification.objects.filter(kind=services.ENTRIES)


def test_so_many_as_the_programme_allows_are_fine(chain, code):
    enter(chain, code, 2)
    enter(chain, code, 2, chain.manager)
    assert services.watch_entries() == 0
    assert not told().exists()
    assert not Referral.objects.filter(is_flagged=True).exists()


def test_more_are_flagged_and_told_once_a_day(chain, code, django_assert_max_num_queries):
    enter(chain, code, 3)
    with django_assert_max_num_queries(12):
        assert services.watch_entries() == 1
    assert Referral.objects.filter(is_flagged=True, signals=["many_entries"]).count() == 3
    people = set(told().values_list("staff_id", flat=True))
    assert {chain.manager.pk, chain.owner.pk} <= people
    assert chain.receptionist.pk not in people
    before = told().count()
    enter(chain, code, 1)
    assert services.watch_entries() == 1
    assert told().count() == before
    assert Referral.objects.filter(is_flagged=True).count() == 4
    assert set(map(tuple, Referral.objects.values_list("signals", flat=True))) == {
        ("many_entries",)
    }


def test_what_a_manager_let_pass_stays(chain, code):
    enter(chain, code, 3)
    Referral.objects.update(reviewed_at="2026-01-01T00:00Z")
    services.watch_entries()
    assert not Referral.objects.filter(is_flagged=True).exists()


def test_other_days_and_branches_are_counted_apart(chain, code):
    enter(chain, code, 3)
    rows = list(ReferralTouch.objects.order_by("pk"))
    ReferralTouch.objects.filter(pk=rows[0].pk).update(at=rows[0].at - dt.timedelta(days=1))
    assert services.watch_entries() == 0
    ReferralTouch.objects.update(at=rows[0].at)
    ReferralTouch.objects.filter(pk=rows[0].pk).update(branch=chain.south)
    assert services.watch_entries() == 0


def test_at_the_counter_it_is_who_took_the_money(chain, asha, code):
    friend = CustomerFactory(last_name="Das")
    sell(
        chain.north,
        "900.00",
        codes=[code],
        customer=friend,
        actor=chain.actor(chain.receptionist),
    )
    assert ReferralTouch.objects.get(kind="typed").by == chain.receptionist.name


def test_the_flagged_are_not_rewarded_before_a_manager_looks(chain, asha, code):
    for friend in make_people(3, last_name="Bose"):
        past_hold(converted(asha, friend, chain.north))
    ReferralTouch.objects.update(by="Rekha at the till")
    services.watch_entries()
    reward_all()
    assert set(Referral.objects.values_list("state", flat=True)) == {"held"}
