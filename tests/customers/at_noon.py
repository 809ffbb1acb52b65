"""Facts that follow from what happened so long before the clock stands still."""

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from django.utils import timezone

from customers import facts
from customers.models import Customer, CustomerFacts
from marketing.core.models import Branch
from tests.factories.customers import VisitFactory

NOW = dt.datetime(2026, 6, 15, 6, 30, tzinfo=dt.UTC)  # noon in India


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    """The clock, standing at `NOW` until it is moved on."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def ago(days: int, hours: int = 0) -> dt.datetime:
    return timezone.now() - dt.timedelta(days=days, hours=hours)


def facts_of(customer: Customer) -> CustomerFacts:
    """Her facts, computed now."""
    facts.mark_stale([customer.pk])
    facts.refresh_stale_facts()
    return CustomerFacts.objects.get(customer=customer)


def visits(customer: Customer, branch: Branch, *days: int) -> None:
    for day in days:
        VisitFactory(customer=customer, branch=branch, visited_at=ago(day))
