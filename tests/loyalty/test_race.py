"""Two counters at once, beside the turn of the day and a merge; guards have twins without them."""

import datetime as dt
import uuid
from decimal import Decimal
from types import SimpleNamespace

import pytest
import time_machine
from django.db import IntegrityError

from customers import services as customer_services
from customers.models import Service
from marketing.core.actor import Actor
from marketing.core.errors import Conflict
from marketing.core.tenancy import tenant_scope
from marketing.loyalty import selectors, services
from marketing.loyalty.errors import NotEnoughPoints, NothingToReverse, PointsHoldOver
from marketing.loyalty.models import EarnRate, PointsAccount, PointsHold, PointsLot, Tier
from marketing.loyalty.services import entering, posting, programme, spending
from tests.concurrency import at_once, beside
from tests.factories.core import make_chain
from tests.factories.customers import CustomerFactory, ServiceFactory
from tests.factories.loyalty import bill, earn, hold, make_programme, spend, system

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def salon():
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        make_programme()
        return chain, CustomerFactory(home_branch=chain.north)


def each(chain, *works):
    """A transaction of its own for each work; they begin together."""
    turns = iter(works)

    def one():
        work = next(turns)
        with tenant_scope(chain.tenant.pk):
            return work()

    refusals = (NotEnoughPoints, NothingToReverse, PointsHoldOver, Conflict, IntegrityError)
    return at_once(len(works), one, refusals)


def whole(chain):
    with tenant_scope(chain.tenant.pk):
        proof = services.prove_ledger()
        assert proof.differing == 0, proof.examples


def last_points(salon):
    """Sixteen holds on the points of ten; what each came to."""
    chain, asha = salon
    with tenant_scope(chain.tenant.pk):
        earn(asha, 100)
    return each(chain, *[lambda: hold(asha, 10)] * 16)


def test_the_last_points_are_held_once(salon):
    outcomes = last_points(salon)
    assert sum(isinstance(outcome, PointsHold) for outcome in outcomes) == 10
    assert sum(isinstance(outcome, NotEnoughPoints) for outcome in outcomes) == 6
    chain, asha = salon
    with tenant_scope(chain.tenant.pk):
        assert selectors.balance(asha.pk).points == 0
    whole(chain)


def test_without_the_guard_the_database_must_stop_them(salon, monkeypatch):
    """The twin: the balance is moved unasked, and only its last wall holds."""
    before, guard, after = posting.MOVE.partition("AND available + %(available)s >= 0")
    assert guard
    monkeypatch.setattr(posting, "MOVE", before + after)
    outcomes = last_points(salon)
    assert any(isinstance(outcome, IntegrityError) for outcome in outcomes)
    assert not any(isinstance(outcome, NotEnoughPoints) for outcome in outcomes)


def ended_by_many(salon):
    """One hold used by four counters with bills of their own, and given back by four more."""
    chain, asha = salon
    with tenant_scope(chain.tenant.pk):
        earn(asha, 100)
        held = hold(asha, 60)
    use = [lambda: services.post_hold(actor=system(), hold=held, source=bill())] * 4
    free = [lambda: services.void_hold(actor=system(), hold=held)] * 4
    return each(chain, *use, *free)


def test_a_hold_ends_in_one_way(salon):
    ended_by_many(salon)
    chain, asha = salon
    with tenant_scope(chain.tenant.pk):
        state = PointsHold.objects.get().state
        assert selectors.liability().redeemed == (60 if state == "posted" else 0)
        assert selectors.balance(asha.pk).points == (40 if state == "posted" else 100)
    whole(chain)


def test_without_its_condition_a_hold_would_end_twice(salon, monkeypatch):
    """The twin: the second end finds nothing held any more, where it should find it over."""
    monkeypatch.setattr(spending, "END", spending.END.replace("AND state = 'held'", ""))
    outcomes = ended_by_many(salon)
    assert any(
        isinstance(outcome, NotEnoughPoints | NothingToReverse | IntegrityError)
        for outcome in outcomes
    )


def test_a_bill_posted_by_many_at_once_counts_once(salon):
    chain, asha = salon
    same = bill("same")
    outcomes = each(chain, *[lambda: earn(asha, 100, same)] * 8)
    assert len({made.pk for made in outcomes}) == 1
    outcomes = each(chain, *[lambda: hold(asha, 30, same)] * 8)
    assert len({made.pk for made in outcomes}) == 1
    held = outcomes[0]
    post = lambda: services.post_hold(actor=system(), hold=held, source=same)  # noqa: E731
    assert len({made.pk for made in each(chain, *[post] * 8)}) == 1
    back = lambda: services.reverse_spend(actor=system(), source=same, of=same)  # noqa: E731
    assert len({made.pk for made in each(chain, *[back] * 8)}) == 1
    again = lambda: services.reverse_earn(actor=system(), source=same, of=same)  # noqa: E731
    assert len({made.pk for made in each(chain, *[again] * 8)}) == 1
    with tenant_scope(chain.tenant.pk):
        assert selectors.balance(asha.pk).points == 0
    whole(chain)


def test_refunds_with_names_of_their_own_give_back_once(salon):
    chain, asha = salon
    same = bill("same")
    with tenant_scope(chain.tenant.pk):
        earn(asha, 100)
        spend(asha, 60, same)
    back = [lambda: services.reverse_spend(actor=system(), source=bill(), of=same, points=20)] * 6
    outcomes = each(chain, *back)
    assert sum(isinstance(outcome, NothingToReverse) for outcome in outcomes) == 3
    with tenant_scope(chain.tenant.pk):
        assert selectors.balance(asha.pk).points == 100
    whole(chain)


@pytest.mark.parametrize("turn", range(3))
def test_points_are_used_or_expire(salon, turn):
    """Two midnights' worth of sweeps beside holds that were begun before."""
    chain, asha = salon
    with time_machine.travel(dt.datetime(2040, 6, 15, 6, 30, tzinfo=dt.UTC), tick=False) as clock:
        with tenant_scope(chain.tenant.pk):
            make_programme(expiry_months=1)
            for _ in range(4):
                earn(asha, 25)
            held = hold(asha, 30)
        clock.move_to(dt.datetime(2040, 7, 15, 18, 25, tzinfo=dt.UTC))
        with tenant_scope(chain.tenant.pk):
            PointsHold.objects.update(expires_at=dt.datetime(2040, 7, 15, 18, 40, tzinfo=dt.UTC))
        clock.move_to(dt.datetime(2040, 7, 15, 18, 30, tzinfo=dt.UTC))
        works = [
            services.expire_due,
            services.expire_due,
            lambda: services.post_hold(actor=system(), hold=held, source=bill()),
            lambda: hold(asha, 10),
        ]
        outcomes = each(chain, *works[turn:], *works[:turn])
        assert sum(isinstance(outcome, NotEnoughPoints) for outcome in outcomes) == 1
        with tenant_scope(chain.tenant.pk):
            found = selectors.liability()
            assert (found.redeemed, found.expired, found.points) == (30, 70, 0)
        whole(chain)


def test_a_merge_takes_what_is_there_and_what_comes(salon):
    chain, asha = salon
    owner = Actor.system(chain.tenant.pk)
    with tenant_scope(chain.tenant.pk):
        other = CustomerFactory(home_branch=chain.north)
        earn(asha, 50)
        earn(other, 70)
        held = hold(other, 20)
    merge = lambda: customer_services.merge_customers(  # noqa: E731
        actor=owner, keep=asha, other=other, choices={}
    )
    post = lambda: services.post_hold(actor=system(), hold=held, source=bill())  # noqa: E731
    outcomes = each(
        chain, lambda: hold(other, 10), merge, post, lambda: earn(other, 5), lambda: hold(asha, 40)
    )
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    with tenant_scope(chain.tenant.pk):
        found = selectors.balance(asha.pk)
        assert (found.points, found.held) == (50 + 70 - 20 - 10 + 5 - 40, 50)
        gone = PointsAccount.objects.get(customer=other)
        assert (gone.available, gone.pending, gone.held, gone.owed) == (0, 0, 0, 0)
        assert not PointsLot.objects.filter(customer=other).exists()
    whole(chain)


def test_without_holding_the_customer_points_go_to_who_is_gone(salon, monkeypatch):
    """The twin: who does not ask who stands for her earns for nobody."""
    chain, asha = salon

    def unasked(customer_id: uuid.UUID) -> SimpleNamespace:
        return SimpleNamespace(rows=[(customer_id,)])

    with tenant_scope(chain.tenant.pk):
        other = CustomerFactory(home_branch=chain.north)
        earn(other, 70)
        customer_services.merge_customers(actor=system(), keep=asha, other=other, choices={})

        monkeypatch.setattr(entering, "ask_to_stand", unasked)
        monkeypatch.setattr(entering, "ENTER", entering.ENTER.replace(entering.STANDS, ""))
        earn(other, 5)
        assert selectors.balance(asha.pk).points == 70
        assert selectors.balance(other.pk).points == 5


@pytest.mark.parametrize("guard", [entering.STANDS, ""])
def test_the_account_of_who_is_gone_is_left_to_who_undoes_the_merge(salon, monkeypatch, guard):
    """Who stands for her is locked first: without the guard the two would wait in a circle."""
    chain, asha = salon
    with tenant_scope(chain.tenant.pk):
        other = CustomerFactory(home_branch=chain.north)
        earn(other, 70)
        customer_services.merge_customers(actor=system(), keep=asha, other=other, choices={})
    monkeypatch.setattr(entering, "ENTER", entering.ENTER.replace(entering.STANDS, guard))
    _locked, was_at_once = beside(
        chain,
        lambda: earn(other, 5),
        lambda: PointsAccount.objects.select_for_update().get(customer=other),
    )
    assert was_at_once is bool(guard)


def test_refunds_of_two_bills_take_what_is_there_once(salon):
    """And the rest is owed: each reads what she has when its turn comes."""
    chain, asha = salon
    first, second = bill(), bill()
    with tenant_scope(chain.tenant.pk):
        earn(asha, 60, first)
        earn(asha, 40, second)
        spend(asha, 100)
        earn(asha, 50)
    beside(
        chain,
        lambda: services.reverse_earn(actor=system(), source=bill(), of=first),
        lambda: services.reverse_earn(actor=system(), source=bill(), of=second),
    )
    with tenant_scope(chain.tenant.pk):
        assert selectors.balance(asha.pk).points == -50
    whole(chain)


def test_a_merge_waits_for_the_turn_of_the_day(salon):
    """What expires at this moment does not come with her, and neither waits in a circle."""
    chain, asha = salon
    with time_machine.travel(dt.datetime(2040, 6, 15, 6, 30, tzinfo=dt.UTC), tick=False) as clock:
        with tenant_scope(chain.tenant.pk):
            make_programme(expiry_months=1)
            other = CustomerFactory(home_branch=chain.north)
            earn(other, 70)
        clock.move_to(dt.datetime(2040, 7, 15, 18, 30, tzinfo=dt.UTC))
        beside(
            chain,
            services.expire_due,
            lambda: customer_services.merge_customers(
                actor=system(), keep=asha, other=other, choices={}
            ),
        )
        with tenant_scope(chain.tenant.pk):
            assert selectors.balance(asha.pk).points == 0
            assert selectors.liability().expired == 70
        whole(chain)


def sent_twice(salon, sent):
    """What the second of two came to, and whether it waited for the first."""
    chain, _asha = salon
    works = {
        "rates": lambda: services.set_rates(
            actor=system(), categories={}, services=[(Service.objects.get(), Decimal(3))]
        ),
        "tier": lambda: services.set_tier(
            actor=system(), tier=None, name="Diamond", level=9, threshold=10**9, multiplier=20_000
        ),
    }
    with tenant_scope(chain.tenant.pk):
        ServiceFactory()
    return beside(chain, works[sent], works[sent])


@pytest.mark.parametrize("sent", ["rates", "tier"])
def test_a_setting_that_is_sent_twice_is_saved_once(salon, sent):
    _second, was_at_once = sent_twice(salon, sent)
    assert not was_at_once
    with tenant_scope(salon[0].tenant.pk):
        assert EarnRate.objects.count() + Tier.objects.filter(level=9).count() == 1


@pytest.mark.parametrize("sent", ["rates", "tier"])
def test_without_its_turn_it_meets_the_walls_of_the_table(salon, sent, monkeypatch):
    """The twin: the second does not see the first, and is an error of the database."""
    monkeypatch.setattr(programme, "_wait_for_turn", lambda: None)
    with pytest.raises(IntegrityError):
        sent_twice(salon, sent)
