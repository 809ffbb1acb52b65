"""Workers that refresh the same customers at the same time lose nothing."""

import datetime as dt
import threading
import time

import pytest
from django.db import connection, transaction
from django.utils import timezone

from customers import facts
from customers.models import CategoryRhythm, CustomerFacts, StaleFacts
from marketing.core.tenancy import tenant_scope
from tests.factories.core import make_chain
from tests.factories.customers import (
    CustomerFactory,
    PurchaseFactory,
    PurchaseLineFactory,
    ServiceFactory,
    VisitFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)

WAIT = 20


@pytest.fixture
def salon():
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        people = [CustomerFactory() for _ in range(2)]
    return chain, people


def visit(chain, customer):
    with tenant_scope(chain.tenant.pk):
        VisitFactory(customer=customer, branch=chain.north)
        StaleFacts.objects.create(customer_id=customer.pk)


def refresh(chain):
    with tenant_scope(chain.tenant.pk):
        facts.refresh_stale_facts()


def visit_and_refresh(chain, customer):
    visit(chain, customer)
    refresh(chain)


def start(work, *args):
    """Do the work in a thread with a connection of its own, and close that."""

    def run():
        try:
            work(*args)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_until_somebody_waits_for_a_lock():
    for _ in range(WAIT * 50):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


def test_a_worker_that_waited_counts_what_came_while_it_waited(salon):
    """The first customer's row is held; meanwhile the second's news are computed by another.

    The waiting worker writes the second's row last. Had it computed with the snapshot it
    began with, it would put the older number back, and no mark would be left to mend it.
    """
    chain, (first, second) = salon
    visit(chain, first)
    visit(chain, second)
    with transaction.atomic(), tenant_scope(chain.tenant.pk):
        CustomerFacts.objects.select_for_update().get(customer=first)
        waiting = start(refresh, chain)
        wait_until_somebody_waits_for_a_lock()
        other = start(visit_and_refresh, chain, second)
        other.join(WAIT)
        assert not other.is_alive()
    waiting.join(WAIT)
    with tenant_scope(chain.tenant.pk):
        counts = dict(CustomerFacts.objects.values_list("customer_id", "visit_count"))
        assert counts == {first.pk: 1, second.pk: 2}
        assert not StaleFacts.objects.exists()


def bill(chain, customer, service, days=0):
    with tenant_scope(chain.tenant.pk):
        at = timezone.now() - dt.timedelta(days=days)
        made = PurchaseFactory(
            customer=customer, branch=chain.north, lines=0, total=500, purchased_at=at
        )
        PurchaseLineFactory(purchase=made, service=service)
        StaleFacts.objects.create(customer_id=customer.pk)


def test_a_bill_that_is_written_while_a_worker_computes_is_counted(salon):
    """A worker waits in the midst of its work; a bill comes, and a second worker takes its mark.

    Whatever the first writes last must hold the bill too: in the sums, which go by its facts
    row, and in the rhythm, which is a row of its own.
    """
    chain, (first, second) = salon
    with tenant_scope(chain.tenant.pk):
        hair, colour = ServiceFactory(), ServiceFactory()
    for days in (40, 20):
        bill(chain, second, colour, days)
    bill(chain, first, hair)
    refresh(chain)
    bill(chain, first, hair)
    bill(chain, second, hair)
    with transaction.atomic(), tenant_scope(chain.tenant.pk):
        CustomerFacts.objects.select_for_update().get(customer=first)
        waiting = start(refresh, chain)
        wait_until_somebody_waits_for_a_lock()
        writing = start(bill, chain, second, colour)
        writing.join(WAIT)
        assert not writing.is_alive(), "a bill waits for no worker"
        other = start(refresh, chain)
        other.join(WAIT)
        assert not other.is_alive()
    waiting.join(WAIT)
    with tenant_scope(chain.tenant.pk):
        spent = dict(CustomerFacts.objects.values_list("customer_id", "total_spend"))
        assert spent == {first.pk: 1000, second.pk: 2000}
        rhythms = CategoryRhythm.objects.values_list("customer_id", "category_id")
        assert set(rhythms) == {(second.pk, colour.category_id)}
        assert not StaleFacts.objects.exists()


def test_many_writers_and_workers_agree_in_the_end(salon):
    chain, people = salon
    visits_each = 6

    def write(customer):
        for _ in range(visits_each):
            visit_and_refresh(chain, customer)

    threads = [start(write, one) for one in people * 2]
    for thread in threads:
        thread.join(60)
    refresh(chain)
    with tenant_scope(chain.tenant.pk):
        counts = set(CustomerFacts.objects.values_list("visit_count", flat=True))
    assert counts == {2 * visits_each}


def test_marking_never_waits_for_a_worker(salon):
    chain, (first, _second) = salon
    visit(chain, first)
    with tenant_scope(chain.tenant.pk):
        facts.refresh_stale_facts()
        marking = start(visit, chain, first)
        marking.join(WAIT)
        assert not marking.is_alive()
    with tenant_scope(chain.tenant.pk):
        assert StaleFacts.objects.count() == 1
