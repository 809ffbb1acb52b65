"""Two thumbs at once, and a reminder beside a merge and an erasure."""

import datetime as dt

import pytest

from customers import services as customer_services
from customers.models import Customer
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, NotFound, ValidationFailed
from marketing.core.tenancy import tenant_scope
from marketing.followups import services
from marketing.followups.models import FollowupReminder
from tests.concurrency import at_once
from tests.factories.core import make_chain
from tests.factories.customers import CustomerFactory
from tests.factories.followups import FollowupFactory
from tests.followups.conftest import TODAY

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def salon():
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        return chain, CustomerFactory(home_branch=chain.north)


def test_four_taps_make_one_reminder(salon):
    chain, asha = salon

    def tap():
        with tenant_scope(chain.tenant.pk):
            services.create_followup(
                actor=chain.actor(chain.receptionist), customer=asha, reminder_date=TODAY
            )

    outcomes = at_once(4, tap, ValidationFailed)
    assert outcomes.count(None) == 1
    with tenant_scope(chain.tenant.pk):
        assert FollowupReminder.objects.count() == 1


def test_of_two_outcomes_one_stands(salon):
    chain, asha = salon
    with tenant_scope(chain.tenant.pk):
        row = FollowupFactory(staff=chain.receptionist, customer=asha, branch=chain.north)
    said = iter(["booked", "no_answer"])

    def tap(outcome):
        with tenant_scope(chain.tenant.pk):
            services.complete_followup(
                actor=chain.actor(chain.receptionist),
                followup=row,
                outcome=outcome,
                again_in_days=1 if outcome == "no_answer" else None,
            )
            return outcome

    outcomes = at_once(2, lambda: tap(next(said)), Conflict)
    (won,) = [each for each in outcomes if isinstance(each, str)]
    with tenant_scope(chain.tenant.pk):
        row.refresh_from_db()
        assert row.outcome == won
        assert FollowupReminder.objects.count() == (2 if won == "no_answer" else 1)


def test_none_is_left_with_who_is_erased_or_merged_meanwhile(salon):
    chain, asha = salon
    system = Actor.system(chain.tenant.pk)
    with tenant_scope(chain.tenant.pk):
        other = CustomerFactory(home_branch=chain.north)

    def erase():
        customer_services.erase_customer(actor=system, customer=asha)

    def merge():
        customer_services.merge_customers(actor=system, keep=asha, other=other, choices={})

    def remind(customer, day):
        services.create_followup(
            actor=chain.actor(chain.receptionist), customer=customer, reminder_date=day
        )

    days = [TODAY + dt.timedelta(days=each) for each in (1, 2)]
    for rounds in (
        [merge, lambda: remind(other, days[0]), lambda: remind(asha, days[1])],
        [erase, lambda: remind(asha, days[0]), lambda: remind(other, days[1])],
    ):
        works = iter(rounds)

        def one(works=works):
            with tenant_scope(chain.tenant.pk):
                next(works)()

        at_once(3, one, (Conflict, NotFound, ValidationFailed))
    with tenant_scope(chain.tenant.pk):
        assert Customer.objects.get(pk=asha.pk).status == "erased"
        assert not FollowupReminder.objects.filter(status="pending").exists()
        assert not FollowupReminder.objects.exclude(customer=asha).exists()
