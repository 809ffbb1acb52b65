"""Two friends, two tills, two who ask: guards have twins without them."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError

from customers.services import merge_customers
from marketing.core import clock
from marketing.core.errors import DomainError
from marketing.core.tenancy import tenant_scope
from marketing.coupons import services as counter
from marketing.coupons.models import CouponCode
from marketing.loyalty.selectors import balance
from marketing.referrals.errors import AlreadyReferred, ReferralLimitReached
from marketing.referrals.models import Referral, ReferralCode, ReferralHold
from marketing.referrals.selectors import judging
from marketing.referrals.services import applying, codes, holds, places, rewards
from tests.concurrency import PATIENCE, at_once, beside, wait_for_me
from tests.factories.core import make_chain
from tests.factories.coupons import sell
from tests.factories.customers import CustomerFactory
from tests.factories.referrals import code_for, make_programme, past_hold, reward_all, system
from tests.factories.referrals import converted as convert

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS = 8


@pytest.fixture
def salon(monkeypatch):
    monkeypatch.setattr("marketing.coupons.services.locks.PATIENCE", "30s")
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        make_programme(max_referrals_per_month=1)
        owners = CustomerFactory.create_batch(2)
        return chain, [code_for(owner) for owner in owners]


def each(chain, *works):
    turns = iter(works)

    def one():
        work = next(turns)
        with tenant_scope(chain.tenant.pk):
            return work()

    return at_once(len(works), one, (DomainError, IntegrityError))


def apply(code, phone):
    return lambda: applying.apply_code(actor=system(), code=code, phone=phone)


@pytest.fixture
def judged(monkeypatch):
    """All have been found fit before the first takes a place."""
    barrier = threading.Barrier(CLIENTS)
    take = applying.require_place

    def meeting(code):
        barrier.wait(PATIENCE)
        take(code)

    monkeypatch.setattr(applying, "require_place", meeting)


def last_place(salon):
    chain, (code, _other) = salon
    outcomes = each(chain, *[apply(code, f"98765001{n:02}") for n in range(CLIENTS)])
    with tenant_scope(chain.tenant.pk):
        return outcomes, Referral.objects.count()


def test_the_last_place_of_the_month_is_taken_once(salon, judged):
    outcomes, brought = last_place(salon)
    assert brought == 1
    assert sum(isinstance(each, ReferralLimitReached) for each in outcomes) == CLIENTS - 1


def test_without_the_condition_more_come_than_may(salon, judged, monkeypatch):
    monkeypatch.setattr(places, "WITHIN", "")
    assert last_place(salon)[1] == CLIENTS


def one_friend(salon):
    chain, both = salon
    with tenant_scope(chain.tenant.pk):
        make_programme(max_referrals_per_month=100)
        friend = CustomerFactory(phone="+919876500111", last_name="Das")
    works = [apply(both[n % 2], friend.phone) for n in range(CLIENTS)]
    outcomes = each(chain, *works)
    with tenant_scope(chain.tenant.pk):
        return outcomes, Referral.objects.count()


def test_a_friend_brought_by_two_at_once_has_one(salon, judged):
    outcomes, brought = one_friend(salon)
    assert brought == 1
    assert not any(isinstance(outcome, IntegrityError) for outcome in outcomes)
    assert sum(isinstance(outcome, AlreadyReferred) for outcome in outcomes) == CLIENTS - 1
    chain, _codes = salon
    with tenant_scope(chain.tenant.pk):
        assert sum(ReferralCode.objects.values_list("taken", flat=True)) == 1


def test_without_it_only_the_database_stops_them(salon, judged, monkeypatch):
    monkeypatch.setattr(applying, "ONCE", "")
    outcomes, brought = one_friend(salon)
    assert brought == 1
    assert any(isinstance(outcome, IntegrityError) for outcome in outcomes)


def codes_at_once(salon):
    chain, _codes = salon
    with tenant_scope(chain.tenant.pk):
        she = CustomerFactory()
    outcomes = each(chain, *[lambda: code_for(she)] * CLIENTS)
    with tenant_scope(chain.tenant.pk):
        return outcomes, ReferralCode.objects.filter(customer=she).count()


def test_a_code_is_made_once_by_many(salon):
    outcomes, made = codes_at_once(salon)
    assert (len(set(outcomes)), made) == (1, 1)


def test_without_it_others_fail(salon, monkeypatch):
    """The twin: whoever finds none first fails at the wall of the database."""
    barrier = threading.Barrier(CLIENTS)
    insert = codes._insert

    def meeting(customer_ids):
        barrier.wait(PATIENCE)
        return insert(customer_ids)

    monkeypatch.setattr(codes, "_insert", meeting)
    monkeypatch.setattr(codes, "INSERT", codes.INSERT.replace("ON CONFLICT DO NOTHING", ""))
    outcomes, made = codes_at_once(salon)
    assert made == 1
    assert any(isinstance(outcome, IntegrityError) for outcome in outcomes)


def test_two_sweeps_reward_once(salon):
    chain, _codes = salon
    with tenant_scope(chain.tenant.pk):
        make_programme(max_referrals_per_month=100, hold_days=0)
        asha = CustomerFactory(last_name="Rao")
        for number in range(3):
            convert(asha, CustomerFactory(last_name=f"Friend{number}"), chain.north)
    outcomes = each(chain, *[reward_all] * 4)
    assert outcomes == [None] * 4
    with tenant_scope(chain.tenant.pk):
        assert Referral.objects.filter(state="rewarded").count() == 3
        assert balance(asha.pk).points == 300


def flagged_while_judged(salon):
    """The state of a referral that is flagged after the sweep has read it."""
    chain, _codes = salon
    with tenant_scope(chain.tenant.pk):
        make_programme(max_referrals_per_month=100, hold_days=0)
        convert(CustomerFactory(last_name="Rao"), CustomerFactory(last_name="Sen"), chain.north)

    beside(chain, lambda: Referral.objects.update(is_flagged=True), rewards.approve_due)
    with tenant_scope(chain.tenant.pk):
        return Referral.objects.get().state


def test_what_is_flagged_at_this_moment_waits(salon):
    assert flagged_while_judged(salon) == "qualified"


def test_two_rounds_give_no_more_than_a_week_allows(salon):
    """The other round finds one more friend due, and waits for what this one gives."""
    chain, _codes = salon
    with tenant_scope(chain.tenant.pk):
        make_programme(max_referrals_per_month=100, weekly_rewards=1)
        asha = CustomerFactory(last_name="Rao")
        early, late = (
            convert(asha, CustomerFactory(last_name=name), chain.north) for name in ("Sen", "Das")
        )
        past_hold(late)

    def one_more():
        past_hold(early)
        rewards.approve_due()

    beside(chain, rewards.approve_due, one_more)
    with tenant_scope(chain.tenant.pk):
        found = Referral.objects.order_by("pk").values_list("state", "is_flagged")
        assert list(found) == [("held", True), ("approved", False)]


@pytest.mark.parametrize("first", ["given back", "used"])
def test_a_place_that_a_bill_kept_is_given_back_once(salon, first):
    chain, (code, _other) = salon
    bills = uuid.uuid4(), uuid.uuid4()
    with tenant_scope(chain.tenant.pk):
        make_programme(max_referrals_per_month=9)
        for bill in bills:
            holds.hold_place(bill, judging.find_code(code, clock.now()))
    let_go = lambda: holds.let_go(bills[:1])  # noqa: E731
    beside(chain, let_go if first == "given back" else lambda: holds.use(bills[0]), let_go)
    with tenant_scope(chain.tenant.pk):
        taken = ReferralCode.objects.get(code=code).taken
        assert taken == (1 if first == "given back" else 2)
        assert ReferralHold.objects.count() == 1


def brought(chain, **settings):
    """A referral whose reward is approved; its friend's bill is `7`."""
    with tenant_scope(chain.tenant.pk):
        make_programme(max_referrals_per_month=100, hold_days=0, **settings)
        asha, bela = CustomerFactory(last_name="Rao"), CustomerFactory(last_name="Sen")
        sell(chain.north, "1000.00", codes=[code_for(asha)], customer=bela, invoice_id="7")
        rewards.approve_due()
        return asha


def refund(chain):
    counter.reverse(actor=system(), branch_id=chain.north.pk, invoice_id="7", operation="refund")


def test_a_reward_given_at_this_moment_is_taken_back(salon):
    chain, _codes = salon
    asha = brought(chain)
    beside(chain, rewards.reward_due, lambda: refund(chain))
    with tenant_scope(chain.tenant.pk):
        assert Referral.objects.get().state == "clawed_back"
        assert balance(asha.pk).points == 0


def test_a_code_is_given_by_one_sweep_and_the_other_does_not_wait(salon):
    chain, _codes = salon
    asha = brought(chain, referrer_reward_type="discount", referrer_reward_value=20)
    assert beside(chain, rewards.reward_due, rewards.reward_due) == (0, True)
    with tenant_scope(chain.tenant.pk):
        assert CouponCode.objects.filter(customer=asha).count() == 1


def test_a_code_used_at_this_moment_is_left(salon):
    chain, _codes = salon
    asha = brought(chain, referrer_reward_type="discount", referrer_reward_value=20)
    with tenant_scope(chain.tenant.pk):
        rewards.reward_due()
        code = CouponCode.objects.get(customer=asha).code
    beside(chain, lambda: sell(chain.north, codes=[code], customer=asha), lambda: refund(chain))
    with tenant_scope(chain.tenant.pk):
        assert Referral.objects.get().reason == "refunded_used"


def test_a_merge_of_who_brings_waits_and_takes_the_friend_along(salon, monkeypatch):
    """It begins when the place is taken, and neither waits for the other in a circle."""
    chain, (code, _other) = salon
    with tenant_scope(chain.tenant.pk):
        keep, referrer = CustomerFactory(), ReferralCode.objects.get(code=code).customer
    take, merging = applying.require_place, []

    def merge():
        with tenant_scope(chain.tenant.pk):
            merge_customers(actor=system(), keep=keep, other=referrer, choices={})

    def taking(found):
        take(found)
        merging.append(wait_for_me(merge, pool))

    monkeypatch.setattr(applying, "require_place", taking)
    with ThreadPoolExecutor(1) as pool:
        with tenant_scope(chain.tenant.pk):
            apply(code, "9876500123")()
        merging[0].result()
    with tenant_scope(chain.tenant.pk):
        assert Referral.objects.get().referrer_id == keep.pk
