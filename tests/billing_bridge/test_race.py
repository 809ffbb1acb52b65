"""One bill sent by several at once is one sale; and the same with each guard taken away."""

import re
import threading

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test import Client

from billing_bridge.api import bills
from billing_bridge.models import RawRow
from billing_bridge.services import replay_row
from customers.models import Purchase, PurchaseRefund, Visit
from marketing.core import idempotency
from marketing.core.models import AuditEntry, DomainEvent
from marketing.core.tenancy import tenant_scope
from marketing.coupons.models import OfferUse, Redemption, Reservation, Reversal
from marketing.coupons.services import bills as bills_of_offers
from marketing.coupons.services import redemptions, reversals
from marketing.loyalty.models import PointsTransaction
from tests.billing_bridge.till import Refused, Till
from tests.concurrency import PATIENCE, at_once, beside
from tests.factories.core import make_chain
from tests.factories.coupons import make_offer
from tests.factories.customers import CustomerFactory, ServiceFactory
from tests.factories.loyalty import make_programme

pytestmark = pytest.mark.django_db(transaction=True)
TILLS = 6


@pytest.fixture
def till():
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        make_programme()
        make_offer(maxTotalUses=5)
        return Till(chain)


@pytest.fixture
def patient(monkeypatch):
    """Nobody is told to come again: whoever waits is answered in the end."""
    monkeypatch.setattr("marketing.coupons.services.locks.PATIENCE", "30s")


def reserved_bill(till):
    with tenant_scope(till.chain.tenant.pk):
        asha = CustomerFactory()
        reserved = till.reserve(customer=asha)
        return till.invoice_body(customer=asha, reserved=reserved, invoice="17")


def send(till, path, body, key=None):
    """What each of so many was answered, and the refusals."""
    connection.close()

    def post():
        try:
            return till.post(path, body, key, client=Client())
        except Refused as refused:
            return refused

    found = at_once(TILLS, post)
    refusals = [each for each in found if isinstance(each, Refused)]
    return [each for each in found if not isinstance(each, Refused)], refusals


def without_row_locks(monkeypatch, module, name):
    """No row is locked, and all have read before the first goes on from `module.name`."""
    work, all_have_read = getattr(module, name), threading.Barrier(TILLS)

    def meeting(*args):
        all_have_read.wait(PATIENCE)
        return work(*args)

    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, *_a, **_k: self.all())
    for asked in {"FIND", "GIVEN"} & vars(module).keys():
        unlocked = re.sub(r"FOR UPDATE( OF \w+)?", "", getattr(module, asked))
        assert unlocked != getattr(module, asked)
        monkeypatch.setattr(module, asked, unlocked)
    monkeypatch.setattr(module, name, meeting)


def without_the_lock_of_found_bills(monkeypatch):
    unlocked = bills_of_offers.FIND.replace("FOR UPDATE OF bill", "")
    assert unlocked != bills_of_offers.FIND
    monkeypatch.setattr(bills_of_offers, "FIND", unlocked)


@pytest.fixture
def works(monkeypatch):
    """Each time that a bill was really taken in."""
    done, take = [], bills.take_invoice

    def counted(**said):
        taken = take(**said)
        done.append(taken)
        return taken

    monkeypatch.setattr(bills, "take_invoice", counted)
    return done


def test_the_same_bill_at_once_is_one_sale(till):
    body = reserved_bill(till)
    found, refusals = send(till, "invoices", body)
    assert {each.status for each in refusals} <= {503, 409}
    assert {each.headers["Retry-After"] for each in refusals} <= {"1"}
    with tenant_scope(till.chain.tenant.pk):
        assert found
        assert all(each == found[0] for each in found)
        assert till.post("invoices", body) == found[0]
        assert Purchase.objects.count() == Visit.objects.count() == 1
        assert Reservation.objects.count() == Redemption.objects.count() == 1
        assert OfferUse.objects.get().used == 1
        assert PointsTransaction.objects.filter(kind="earn").count() == 1
        assert DomainEvent.objects.filter(name="invoice.finalized").count() == 1


def test_whoever_waits_for_the_bill_is_answered_the_same(till, patient):
    found, refusals = send(till, "invoices", reserved_bill(till))
    assert refusals == []
    assert all(each == found[0] for each in found)


def test_without_the_lock_of_the_bill_they_would_not_be(till, patient, monkeypatch):
    body = reserved_bill(till)
    without_the_lock_of_found_bills(monkeypatch)
    without_row_locks(monkeypatch, redemptions, "_use")
    found, refusals = send(till, "invoices", body)
    assert (len(found), len(refusals)) == (1, TILLS - 1)


def test_under_one_key_the_work_is_done_once(till, works):
    found, refusals = send(till, "invoices", reserved_bill(till), key="one")
    assert len(works) == 1
    assert all(each == found[0] for each in found)
    assert {each.error["name"] for each in refusals} <= {"STILL_RUNNING"}


def test_without_the_claim_of_the_key_it_is_done_by_each(till, works, patient, monkeypatch):
    body = reserved_bill(till)
    monkeypatch.setattr(idempotency, "_claim", lambda client, key, digest: True)
    send(till, "invoices", body, key="one")
    assert len(works) == TILLS


def sold(till):
    with tenant_scope(till.chain.tenant.pk):
        line = {"unitPrice": "100.00", "quantity": 3}
        till.sell(line, customer=CustomerFactory(), invoice="17")
    return {"branchId": str(till.branch.pk), "refundId": "R1", "lines": [{"number": 1}]}


def test_the_same_refund_at_once_brings_the_money_back_once(till, patient):
    found, refusals = send(till, "invoices/17/refund", sold(till))
    assert refusals == []
    assert all(each == found[0] for each in found)
    with tenant_scope(till.chain.tenant.pk):
        assert Reversal.objects.count() == PurchaseRefund.objects.count() == 1
        assert Purchase.objects.get().refunded == 100


def test_without_the_lock_of_the_bill_refunds_would_meet(till, patient, monkeypatch):
    body = sold(till)
    without_row_locks(monkeypatch, reversals, "_units")
    _found, refusals = send(till, "invoices/17/refund", body)
    assert refusals


def sent_beside(till, body, other):
    """What a bill was answered that came while `other` was done to it by another till."""
    sold, _at_once = beside(till.chain, other, lambda: till.post("invoices", body, client=Client()))
    return sold["invoice"]


def reserved_otherwise(till):
    """The bill of two windows, sent by one while the other holds something else under its key."""
    with tenant_scope(till.chain.tenant.pk):
        asha = CustomerFactory()
        body = till.invoice_body(customer=asha, reserved=till.reserve(customer=asha, key="bill"))
    return sent_beside(
        till, body, lambda: till.reserve("50.00", "20.00", customer=asha, key="bill")
    )


def test_a_bill_goes_by_what_is_reserved_when_its_turn_comes(till, patient):
    sold = reserved_otherwise(till)
    assert [each["code"] for each in sold["warnings"]] == ["lines_differ"]
    assert sold["offers"] == []


def test_without_its_lock_it_takes_what_was_reserved_otherwise(till, patient, monkeypatch):
    without_the_lock_of_found_bills(monkeypatch)
    sold = reserved_otherwise(till)
    assert [each["code"] for each in sold["warnings"]] != ["lines_differ"]


def named_beside(till):
    """A bill of nobody that is sent while another till says whose it is: what is kept of it."""
    with tenant_scope(till.chain.tenant.pk):
        asha = CustomerFactory()
        till.redeem(till.reserve()["reservation"], "17")
        line = {"unitPrice": "100.00", "discount": "10.00"}
        nobodys = till.invoice_body(line, invoice="17")
        hers = till.invoice_body(line, invoice="17", customer=asha)
    sent_beside(till, nobodys, lambda: till.post("invoices", hers))
    with tenant_scope(till.chain.tenant.pk):
        return Reservation.objects.get().effects


def test_points_of_a_bill_that_is_named_at_this_moment_are_kept(till, patient):
    assert named_beside(till)["points"]["told"] == {"used": 0, "earned": 90}


def test_without_its_lock_they_would_be_forgotten(till, patient, monkeypatch):
    without_the_lock_of_found_bills(monkeypatch)
    assert "points" not in named_beside(till)


def test_a_refused_bill_is_done_again_once_by_two_at_once(till, patient):
    with tenant_scope(till.chain.tenant.pk):
        body = till.invoice_body({"serviceExternalId": "NEW", "unitPrice": "80.00"}, invoice="17")
        with pytest.raises(Refused):
            till.post("invoices", body)
        ServiceFactory(external_id="NEW")
        row = RawRow.objects.get()

    def replay():
        return replay_row(actor=till.chain.actor(till.chain.owner), row_id=row.pk).state

    assert beside(till.chain, replay, replay) == ("applied", False)
    with tenant_scope(till.chain.tenant.pk):
        assert AuditEntry.objects.filter(action="raw.replay").count() == 1
