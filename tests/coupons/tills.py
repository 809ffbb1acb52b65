"""Tills, one or many at once on real connections, and what an offer has counted."""

import threading

import pytest

from marketing.core.errors import DomainError
from marketing.core.tenancy import tenant_scope
from marketing.coupons.errors import Busy
from marketing.coupons.models import OfferUse, Redemption
from marketing.coupons.services import counters
from tests.concurrency import PATIENCE, at_once
from tests.factories.core import make_chain

CLIENTS = 32


@pytest.fixture
def salon(monkeypatch):
    # A till asks again after "busy"; here it would only wait for its turn.
    monkeypatch.setattr("marketing.coupons.services.locks.PATIENCE", "30s")
    return make_chain()


@pytest.fixture
def counted(salon):
    """What each of so many tills at once got: its redemptions, or the refusal."""

    def tills(work, clients=CLIENTS):
        turns = iter(range(clients))
        lock = threading.Lock()

        def till():
            with lock:
                turn = next(turns)
            try:
                with tenant_scope(salon.tenant.pk):
                    return work(turn)
            except Busy:
                return None
            except DomainError as error:
                return error

        return at_once(clients, till)

    return tills


@pytest.fixture
def together(monkeypatch):
    """All tills have priced their bill before the first takes a counter."""

    def hold(clients=CLIENTS):
        barrier = threading.Barrier(clients)
        add = counters.add

        def meeting(changes, uses, what):
            uses = list(uses)
            if what in (counters.HOLD, counters.USE_AT_ONCE):
                barrier.wait(PATIENCE)
            return add(changes, uses, what)

        monkeypatch.setattr(counters, "add", meeting)

    return hold


def sold(chain):
    with tenant_scope(chain.tenant.pk):
        return Redemption.objects.count()


def counts(offer):
    """Used, reserved, spent, held; None where nothing is counted."""
    use = OfferUse.objects.filter(offer=offer, branch=None).first()
    return None if use is None else (use.used, use.reserved, use.spent, use.held)
