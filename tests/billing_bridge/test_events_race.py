"""The same events sent twice at once."""

import threading

import pytest

from billing_bridge import services
from billing_bridge.services import events as taking
from customers.models import Customer, CustomerEvent, Visit
from marketing.core.actor import Actor
from marketing.core.tenancy import tenant_scope
from tests.billing_bridge.conftest import event
from tests.concurrency import PATIENCE, at_once
from tests.factories.core import make_chain

TILLS = 4


def race():
    chain = make_chain()
    call = [
        event(str(n), "visit.completed", {"phone": f"+9198111000{n:02}", "name": f"Asha {n}"})
        | {"properties": {"branchCode": chain.north.code}}
        for n in range(5)
    ]

    def send():
        with tenant_scope(chain.tenant.pk):
            actor = Actor.system(chain.tenant.pk)
            taken = services.take_events(actor=actor, events=call, where="race")
            return taken.accepted, len(taken.duplicates), taken.told()

    answers = at_once(TILLS, send)
    with tenant_scope(chain.tenant.pk):
        left = (Customer.objects.count(), CustomerEvent.objects.count(), Visit.objects.count())
    return answers, left


@pytest.mark.django_db(transaction=True)
def test_the_same_call_at_once_is_taken_once():
    answers, left = race()
    assert sorted(answers) == [(0, 5, [])] * (TILLS - 1) + [(5, 0, [])]
    assert left == (5, 5, 5)


@pytest.mark.django_db(transaction=True)
def test_without_the_chains_turn_they_would_get_into_each_other(monkeypatch):
    """The guard removed: all look for known ids before any has written one."""
    known, all_have_looked = taking.known_events, threading.Barrier(TILLS)

    def look(ids):
        found = known(ids)
        all_have_looked.wait(PATIENCE)
        return found

    monkeypatch.setattr(taking, "serialise", lambda: None)
    monkeypatch.setattr(taking, "known_events", look)
    answers, _left = race()
    assert [duplicates for _new, duplicates, _errors in answers] == [0] * TILLS
