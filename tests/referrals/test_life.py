"""The life of a referral as a table: every state by every act; managers, time, limits."""

import pytest

from marketing.core.errors import Forbidden, NotFound, ValidationFailed
from marketing.core.models import StaffNotification
from marketing.referrals import rules, services
from marketing.referrals.errors import ReferralOver
from marketing.referrals.models import Referral, ReferralProgramme, ReferralStep
from marketing.referrals.services.transitions import move
from tests.factories.customers import CustomerFactory, PurchaseFactory
from tests.factories.referrals import converted, make_programme, past_hold, reward_all, system

STATES = list(rules.FOLLOWING)
# Each state, and what each act makes of it; what an act leaves alone is not named.
AFTER = {
    "approve_due": {"qualified": "approved", "held": "approved"},
    "reward_due": {"approved": "rewarded"},
    "expire_unused": {"invited": "expired", "attributed": "expired"},
    "refund": {
        "attributed": "voided",
        "qualified": "voided",
        "held": "voided",
        "approved": "voided",
        "rewarded": "clawed_back",
    },
    "reject": {"qualified": "rejected", "held": "rejected"},
    "approve": {"qualified": "qualified", "held": "held"},
    "visit": {"attributed": "held"},
}


@pytest.fixture
def referral(chain, asha, bela):
    make_programme(referrer_reward_type="points", reward_on="first_visit")
    return past_hold(converted(asha, bela, chain.north))


def act(name, chain, referral):
    actor = chain.actor(chain.manager)
    if name == "refund":
        services.take_refund(
            {"referral": str(referral.pk), "converted": True}, {1: [0]}, is_whole=True
        )
    elif name == "visit":
        services.visited([referral.friend_id])
    elif name == "approve":
        services.approve_referral(actor=actor, referral=referral)
    elif name == "reject":
        services.reject_referral(actor=actor, referral=referral, reason="Same family")
    else:
        getattr(services, name)()


@pytest.mark.parametrize("name", AFTER)
def test_every_state_by_every_act(chain, referral, name):
    for state in STATES:
        is_review = name in ("approve", "reject")
        Referral.objects.filter(pk=referral.pk).update(
            state=state,
            is_flagged=is_review,
            reviewed_at=None,
            attributed_at="2020-01-01T00:00Z",
            created_at="2020-01-01T00:00Z",
        )
        before = ReferralStep.objects.count()
        expected = AFTER[name].get(state)
        if is_review and expected is None:
            with pytest.raises(ReferralOver):
                act(name, chain, referral)
        else:
            act(name, chain, referral)
        row = Referral.objects.get(pk=referral.pk)
        assert row.state == (expected or state), (name, state)
        assert (ReferralStep.objects.count() > before) == (expected not in (None, state))


def test_no_state_is_entered_from_where_it_may_not_be(referral):
    for state in STATES:
        for after in STATES:
            Referral.objects.filter(pk=referral.pk).update(state=state)
            moved = move(system(), [referral.pk], after)
            assert bool(moved) == (after in rules.FOLLOWING[state]), (state, after)


def test_every_state_has_a_status_of_module_11():
    assert set(rules.STATUS) == set(Referral.State.values) == set(rules.FOLLOWING)
    known = {"pending", "converted", "rewarded", "expired", "fraud"}
    assert set(rules.STATUS.values()) == known


def flagged(referral):
    Referral.objects.filter(pk=referral.pk).update(is_flagged=True, signals=["same_surname"])
    referral.refresh_from_db()
    return referral


def test_a_manager_approves_what_is_fine(chain, referral):
    row = services.approve_referral(actor=chain.actor(chain.manager), referral=flagged(referral))
    assert not row.is_flagged
    reward_all()
    row.refresh_from_db()
    assert row.state == "rewarded"


def test_a_reason_is_needed_and_a_branch(chain, referral):
    row = flagged(referral)
    manager = chain.actor(chain.manager)
    for reason in ("", "  x ", "x" * 201):
        with pytest.raises(ValidationFailed):
            services.reject_referral(actor=manager, referral=row, reason=reason)
    with pytest.raises(Forbidden):
        services.approve_referral(actor=chain.actor(chain.receptionist), referral=row)
    Referral.objects.filter(pk=row.pk).update(branch=chain.west)
    row.refresh_from_db()
    with pytest.raises(NotFound):
        services.reject_referral(actor=manager, referral=row, reason="Same family")
    assert Referral.objects.get(pk=row.pk).is_flagged


def several(chain, asha, count):
    for number in range(count):
        friend = CustomerFactory(last_name=f"Friend{number}")
        past_hold(converted(asha, friend, chain.north))


def test_many_at_once_wait_for_a_manager(chain, asha):
    make_programme(weekly_rewards=2)
    several(chain, asha, 3)
    reward_all()
    assert Referral.objects.filter(state="rewarded").count() == 2
    held = Referral.objects.get(state="held")
    assert (held.is_flagged, held.signals) == (True, ["velocity"])
    services.approve_referral(actor=chain.actor(chain.manager), referral=held)
    reward_all()
    assert Referral.objects.filter(state="rewarded").count() == 3


def test_thirty_days_count_too(chain, asha):
    make_programme(monthly_rewards=1)
    several(chain, asha, 1)
    reward_all()
    Referral.objects.update(approved_at="2026-01-01T00:00Z")
    several(chain, asha, 1)
    reward_all()
    assert Referral.objects.filter(state="rewarded").count() == 2
    several(chain, asha, 1)
    reward_all()
    assert Referral.objects.get(state="held").is_flagged


def test_a_code_that_brings_too_many_is_told_once(chain, asha, monkeypatch):
    monkeypatch.setattr(rules, "COLLUSION_FROM", 2)
    several(chain, asha, 1)
    friend = Referral.objects.get().friend
    for customer in (friend, *CustomerFactory.create_batch(1)):
        PurchaseFactory(customer=customer, branch=chain.north)
    assert services.watch_collusion() == 1
    assert services.watch_collusion() == 1
    told = set(StaffNotification.objects.values_list("staff", flat=True))
    assert told == {chain.owner.pk, chain.manager.pk, chain.regional.pk}
    assert StaffNotification.objects.count() == 3


@pytest.mark.parametrize(("others", "told"), [(2, 1), (3, 0)])
def test_too_many_is_more_than_three_in_ten_of_those_who_are_new(
    chain, asha, monkeypatch, others, told
):
    monkeypatch.setattr(rules, "COLLUSION_FROM", 2)
    several(chain, asha, 1)
    friend = Referral.objects.get().friend
    for customer in (friend, *CustomerFactory.create_batch(others)):
        PurchaseFactory(customer=customer, branch=chain.north)
    assert services.watch_collusion() == told


def test_the_sweep_of_a_chain_without_referrals_does_nothing(chain):
    assert services.approve_due() == services.reward_due() == 0
    assert not ReferralProgramme.objects.exists()
