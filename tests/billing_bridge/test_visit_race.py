"""A day at a branch is one visit, whoever tells of it; and without her turn it is not."""

import pytest
from django.db import IntegrityError
from django.test import Client

from billing_bridge.services import take_events
from customers.models import Purchase, Visit
from customers.services import standing
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.models import DomainEvent
from marketing.core.tenancy import tenant_scope
from tests.billing_bridge.conftest import event
from tests.billing_bridge.till import Till
from tests.concurrency import beside
from tests.factories.core import make_chain
from tests.factories.customers import CustomerFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def till(monkeypatch):
    monkeypatch.setattr("marketing.coupons.services.locks.PATIENCE", "30s")
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        return Till(chain)


def without_her_turn(monkeypatch):
    monkeypatch.setattr(standing, "ALONE", standing.LOCK)


def told_by(till, who, asha, number):
    if who == "bill":
        body = till.invoice_body(customer=asha, invoice=str(number))
        return lambda: till.post("invoices", body, client=Client())
    completed = event(f"A-{number}", "appointment.completed", {"id": str(asha.pk)})
    completed |= {"occurredAt": clock.now().isoformat()}
    completed["properties"] = {"branchId": str(till.branch.pk)}
    return lambda: take_events(
        actor=Actor.system(till.chain.tenant.pk), events=[completed], where="race"
    )


def visits_of(till, first, second):
    """How many visits come of what two tell at the same time, and of how many is told."""
    with tenant_scope(till.chain.tenant.pk):
        asha = CustomerFactory()
        told = [told_by(till, who, asha, number) for number, who in enumerate((first, second))]
    beside(till.chain, *told)
    with tenant_scope(till.chain.tenant.pk):
        return Visit.objects.count(), DomainEvent.objects.filter(name="visit.completed").count()


PAIRS = [("bill", "bill"), ("bill", "appointment"), ("appointment", "bill")]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_what_two_tell_at_once_is_one_visit(till, first, second):
    assert visits_of(till, first, second) == (1, 1)


# Two bills of hers are in each other's way before: their referrals.
@pytest.mark.parametrize(("first", "second"), PAIRS[1:])
def test_without_her_turn_it_is_two(till, monkeypatch, first, second):
    without_her_turn(monkeypatch)
    assert visits_of(till, first, second) == (2, 2)


def voided_beside(till, void_is_first):
    """A bill that is voided while another of the day comes: whether that one has a visit."""
    with tenant_scope(till.chain.tenant.pk):
        asha = CustomerFactory()
        till.sell(customer=asha, invoice="17")
        other = told_by(till, "bill", asha, 18)
    both = [lambda: till.void("17"), other]
    beside(till.chain, *(both if void_is_first else reversed(both)))
    with tenant_scope(till.chain.tenant.pk):
        visit = Purchase.objects.exclude(status="void").get().visit
        return visit is not None and Visit.objects.get() == visit


@pytest.mark.parametrize("void_is_first", [True, False])
def test_a_bill_of_the_day_keeps_its_visit_when_another_is_voided(till, void_is_first):
    assert voided_beside(till, void_is_first)


@pytest.mark.parametrize("void_is_first", [True, False])
def test_without_her_turn_one_of_them_fails(till, monkeypatch, void_is_first):
    without_her_turn(monkeypatch)
    with pytest.raises(IntegrityError):
        voided_beside(till, void_is_first)
