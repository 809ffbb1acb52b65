"""Merges beside other merges, bills and campaigns."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.utils import timezone

from customers import services
from customers.models import Customer, CustomerMerge, Visit
from marketing.core.actor import Actor
from marketing.core.errors import Conflict
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import DispatchBatch, Message
from marketing.delivery.services import freeze_run
from tests.concurrency import at_once, wait_for_me
from tests.factories.core import make_chain
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, make_sender, open_all_hours

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def salon():
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        open_all_hours()
        make_sender()
        people = [CustomerFactory(home_branch=chain.north) for _ in range(3)]
    return chain, people


def merge(chain, keep, other):
    with tenant_scope(chain.tenant.pk):
        services.merge_customers(
            actor=Actor.system(chain.tenant.pk), keep=keep, other=other, choices={}
        )


def visit(chain, customer):
    with tenant_scope(chain.tenant.pk):
        return services.record_visit(
            actor=Actor.system(chain.tenant.pk),
            customer=customer,
            branch=chain.north,
            visited_at=timezone.now(),
        )


def test_of_two_merges_that_overlap_both_end_and_none_is_half_done(salon):
    chain, (a, b, c) = salon
    pairs = iter([(a, b), (b, a), (b, c), (c, b)])
    outcomes = at_once(4, lambda: merge(chain, *next(pairs)), Conflict)
    with tenant_scope(chain.tenant.pk):
        made = CustomerMerge.objects.count()
        assert made == outcomes.count(None) >= 1
        for one in Customer.objects.filter(status="merged"):
            assert one.merged_into.status == "active"
        assert Customer.objects.filter(status="merged").count() == made


def test_a_bill_that_comes_while_its_customer_is_merged_is_the_survivors(salon):
    chain, (keep, other, _third) = salon
    with ThreadPoolExecutor(1) as pool:
        with tenant_scope(chain.tenant.pk):
            merge(chain, keep, other)
            coming = wait_for_me(lambda: visit(chain, other), pool)
            assert not coming.done(), "it waits until the merge is over"
        assert coming.result().customer_id == keep.pk


def test_a_bill_that_was_not_over_yet_moves_along(salon):
    chain, (keep, other, _third) = salon
    with ThreadPoolExecutor(1) as pool:
        with tenant_scope(chain.tenant.pk):
            visit(chain, other)
            merging = wait_for_me(lambda: merge(chain, keep, other), pool)
            assert not merging.done()
        merging.result()
    with tenant_scope(chain.tenant.pk):
        assert Visit.objects.get().customer_id == keep.pk


def test_one_person_gets_one_message_of_a_run_that_both_were_in(salon):
    chain, (keep, other, _third) = salon
    with tenant_scope(chain.tenant.pk):
        run = make_run()
        freeze_run(run=run, audience=everyone())
        assert Message.objects.filter(state="queued").count() == 3
    merge(chain, keep, other)
    with tenant_scope(chain.tenant.pk):
        states = Message.objects.filter(customer=keep).order_by("id")
        assert set(states.values_list("state", "reason")) == {
            ("queued", ""),
            ("skipped", "duplicate_address"),
        }
        batches = DispatchBatch.objects.filter(run_id=run.pk)
        assert sum(batch.queued for batch in batches) == 2
        assert sum(batch.skipped for batch in batches) == 1


def test_what_is_sent_already_ends_what_still_waits(salon):
    chain, (keep, other, _third) = salon
    with tenant_scope(chain.tenant.pk):
        freeze_run(run=make_run(), audience=everyone())
        Message.objects.filter(customer=other).update(state="sent")
    merge(chain, keep, other)
    with tenant_scope(chain.tenant.pk):
        states = Message.objects.filter(customer=keep).values_list("state", flat=True)
        assert sorted(states) == ["sent", "skipped"]


def test_a_freeze_that_began_before_does_not_reach_her_twice(salon):
    """It still saw two people; what it writes for the merged one is stopped by her consent."""
    chain, (keep, other, _third) = salon
    merge(chain, keep, other)
    with tenant_scope(chain.tenant.pk):
        run = make_run()
        freeze_run(run=run, audience=Customer.objects.all())
        message = Message.objects.get(customer=other)
        assert (message.state, message.reason) == ("skipped", "no_address")
        assert Message.objects.get(customer=keep).state == "queued"


def test_whoever_waits_for_a_survivor_does_not_hold_the_merged_row(salon):
    """A merge that has the survivor moves that row, and would wait for who waits for it."""
    chain, (merged, keep, _other) = salon
    merge(chain, keep, merged)
    with tenant_scope(chain.tenant.pk):
        undone = CustomerMerge.objects.get()

    def agree():
        with tenant_scope(chain.tenant.pk):
            services.record_consent(
                actor=Actor.system(chain.tenant.pk),
                customer=merged,
                changes={"sms_promotional": False},
                source="staff",
            )

    def undo():
        with tenant_scope(chain.tenant.pk):
            services.undo_merge(actor=Actor.system(chain.tenant.pk), merge=undone)

    for work in (agree, lambda: visit(chain, merged), undo):
        with ThreadPoolExecutor(1) as pool:
            with tenant_scope(chain.tenant.pk):
                Customer.objects.select_for_update().get(pk=keep.pk)
                coming = wait_for_me(work, pool)
                assert not coming.done()
                Customer.objects.select_for_update(nowait=True).get(pk=merged.pk)
            coming.result()


def test_a_merge_of_who_was_merged_waits_for_nobody(salon):
    chain, (merged, keep, _other) = salon
    merge(chain, keep, merged)
    with ThreadPoolExecutor(1) as pool, tenant_scope(chain.tenant.pk):
        Customer.objects.select_for_update().get(pk=keep.pk)
        coming = wait_for_me(lambda: merge(chain, merged, keep), pool)
        assert coming.done()
        with pytest.raises(Conflict):
            coming.result()
