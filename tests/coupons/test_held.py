"""Who holds a code that can be used: counted by copies in facts, and always as the codes say."""

import datetime as dt
import uuid

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from customers import facts, facts_check
from customers.models import Customer, CustomerFacts
from customers.services import merge_customers
from marketing.core import clock
from marketing.coupons import held, services
from marketing.coupons.models import CodeBatch, CouponCode, Offer
from marketing.coupons.services import copying
from marketing.segments.compiler import compile_tree
from marketing.segments.context import RuleContext
from marketing.segments.counting import Counting
from tests.factories.coupons import make_offer, reserve, system
from tests.factories.customers import CustomerFactory

EVERYBODY = ("SELECT id FROM customers_customer WHERE status = 'active'", {})


@pytest.fixture
def people(chain):
    return sorted((CustomerFactory(home_branch=chain.north) for _ in range(3)), key=lambda p: p.pk)


def issued(offer, people=EVERYBODY):
    return services.issue_to_people(
        actor=system(),
        offer=offer,
        people=people,
        campaign_id=uuid.uuid4(),
        run_id=uuid.uuid4(),
    )


def holders(*, by_facts=True, **rule):
    """How many hold one: by facts if these can say, and the same by the codes."""
    condition = {"field": "unused_offer_codes", "op": "is_set", "value": None, **rule}
    tree = {"operator": "AND", "conditions": [condition]}
    q = compile_tree(tree, RuleContext(at_once=True)).q
    with CaptureQueriesContext(connection) as queries:
        count = Counting(None).count(q)
    first = next(each["sql"] for each in queries if "COUNT(" in each["sql"])
    assert ("coupons_couponcode" not in first) == by_facts
    assert count == Customer.objects.filter(q, status="active").count()
    return count


def settle():
    while services.copy_next_part():
        pass
    while facts.refresh_stale_facts():
        pass
    _last, found = facts_check.compare(uuid.UUID(int=0))
    assert found.differences["codes_held"] == found.waiting == 0


def test_a_batch_is_counted_by_its_codes_until_it_is_copied(chain, people, monkeypatch):
    monkeypatch.setattr(copying, "PART", 2)
    batch = issued(make_offer(code="OWN"))
    for _ in range(2):
        assert holders(by_facts=False) == 3
        assert services.copy_next_part()
    assert holders() == 3
    assert not services.copy_next_part()
    copies = CustomerFacts.objects.values_list("codes_held", flat=True)
    assert list(copies) == [[batch.pk]] * 3
    settle()


def test_what_happens_to_a_code_counts_at_once(chain, people):
    asha, bina, _chitra = people
    issued(make_offer(code="OWN", maxUsesPerCustomer=1))
    settle()
    assert holders() == 3
    hers = CouponCode.objects.get(customer=asha)
    held_bill = reserve(chain.north, "1000.00", customer=asha, codes=[hers.code])
    assert holders() == 2
    settle()
    services.release(actor=system(), reservation_id=held_bill.reservation.pk)
    assert holders() == 3
    settle()
    assert holders() == 3
    theirs = CouponCode.objects.get(customer=bina)
    services.revoke_codes(actor=system(), code_ids=[theirs.pk])
    assert holders() == 2
    settle()
    merge_customers(actor=chain.actor(chain.owner), keep=bina, other=asha, choices={})
    assert holders() == 1
    settle()
    assert holders() == 1


def test_what_is_true_of_all_codes_of_a_batch_needs_no_copy(chain, people, monkeypatch):
    offer, other = make_offer(code="OWN"), make_offer(code="OTHER")
    batch = issued(offer)
    settle()
    named = {"op": "contains", "value": str(offer.pk)}
    assert (holders(**named), holders(op="contains", value=str(other.pk))) == (3, 0)
    assert holders(op="not_in", value=[str(offer.pk)]) == 0
    Offer.objects.filter(pk=offer.pk).update(is_active=False)
    assert holders() == 0
    Offer.objects.filter(pk=offer.pk).update(is_active=True)
    services.revoke_codes(actor=system(), batch=batch)
    assert holders() == 0
    lasting = issued(other)
    moment = clock.now() + dt.timedelta(days=2)
    CodeBatch.objects.filter(pk=lasting.pk).update(expires_at=moment)
    CouponCode.objects.filter(batch=lasting).update(expires_at=moment)
    settle()
    assert holders() == 3
    monkeypatch.setattr(clock, "now", lambda: moment + dt.timedelta(days=2))
    assert holders() == 0


def test_where_facts_cannot_say_the_codes_are_asked(chain, people, monkeypatch):
    offer = make_offer(code="OWN", maxUsesPerCustomer=2)
    batch = issued(offer)
    settle()
    CouponCode.objects.filter(customer=people[0]).update(used=1)
    services.revoke_unused_codes(actor=system(), run_ids=[batch.run_id])
    assert holders(by_facts=False) == 1
    monkeypatch.setattr(held, "MOST_BATCHES", 0)
    assert holders(by_facts=False) == 1


def test_who_is_given_one_later_counts_too(chain, people):
    offer = make_offer(code="OWN")
    some = Customer.objects.filter(pk__in=[people[0].pk])
    batch = services.issue_codes(actor=system(), offer=offer, customers=some)
    settle()
    services.issue_codes(actor=system(), offer=offer, customers=Customer.objects.all(), batch=batch)
    assert holders() == 3
    settle()
    assert holders() == 3


def test_nobody_holds_a_code_without_a_batch(chain, people):
    with pytest.raises(IntegrityError):
        CouponCode.objects.create(offer=make_offer(), customer=people[0], code="ABC", key="ABC")
