"""Two who change the same coupon at once: one is told; and with the guards away both are not."""

import contextlib
import threading

import pytest
from django.db.models import QuerySet
from django.test import Client

from marketing.core.tenancy import tenant_scope
from marketing.coupons.models import Offer, OfferRevision
from marketing.coupons.services import offers
from tests.concurrency import PATIENCE, at_once
from tests.factories.core import make_chain
from tests.factories.coupons import make_offer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def editing():
    """`editing()` changes a coupon by two PATCHes of the same version; statuses, then versions."""
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        offer = make_offer(code="TEN")
    values = iter(("11", "12"))
    lock = threading.Lock()

    def patch():
        client = Client(raise_request_exception=False)
        client.force_login(chain.owner.user)
        with lock:
            body = {"discountValue": next(values), "version": 1}
        path = f"/api/v1/coupons/{offer.pk}"
        return client.patch(path, body, content_type="application/json").status_code

    def edit():
        statuses = sorted(at_once(2, patch))
        with tenant_scope(chain.tenant.pk):
            kept = Offer.objects.get()
            return statuses, kept.version, OfferRevision.objects.count()

    return edit


def test_one_is_told_that_it_changed(editing):
    assert editing() == ([200, 409], 2, 2)


def test_without_the_locks_neither_is_told(editing, monkeypatch):
    barrier = threading.Barrier(2)
    judged = offers._require_branches

    def both_have_looked(actor, body):
        judged(actor, body)
        barrier.wait(PATIENCE)

    monkeypatch.setattr(offers, "_require_branches", both_have_looked)
    monkeypatch.setattr(offers, "change_of_offers", contextlib.nullcontext)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **options: self)
    statuses, _version, _revisions = editing()
    assert 409 not in statuses
