"""Several rounds at once tell a notice once; the guard has a twin without it."""

import threading

import pytest
from django.db import IntegrityError

from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import Message, SendRun
from marketing.referrals import services
from marketing.referrals.models import ReferralNotice
from marketing.referrals.services import notices
from tests.concurrency import PATIENCE, at_once
from tests.factories.content import TemplateFactory
from tests.factories.core import make_chain
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import make_sender, open_all_hours
from tests.factories.referrals import converted, make_programme, system

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 3


@pytest.fixture
def chain():
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        open_all_hours()
        make_sender()
        make_programme()
        template = TemplateFactory()
        services.choose_notices(actor=system(), chosen={("came", template.channel): template.pk})
        converted(CustomerFactory(), CustomerFactory(last_name="Das"), chain.north)
    return chain


def rounds(chain):
    def one():
        with tenant_scope(chain.tenant.pk):
            return services.give_notices()

    outcomes = at_once(ROUNDS, one, IntegrityError)
    with tenant_scope(chain.tenant.pk):
        counts = [each.objects.count() for each in (ReferralNotice, Message, SendRun)]
    return outcomes, counts


@pytest.fixture
def all_found_it_due(monkeypatch):
    barrier = threading.Barrier(ROUNDS)
    claim = notices._claim

    def meeting(*values):
        barrier.wait(PATIENCE)
        return claim(*values)

    monkeypatch.setattr(notices, "LOCK", "")
    monkeypatch.setattr(notices, "_claim", meeting)


def test_two_rounds_at_once_tell_it_once(chain):
    outcomes, counts = rounds(chain)
    assert sorted(outcomes) == [0, 0, 1]
    assert counts == [1, 1, 1]


def test_also_where_all_have_found_it_due(chain, all_found_it_due):
    outcomes, counts = rounds(chain)
    assert sorted(outcomes) == [0, 0, 1]
    assert counts == [1, 1, 1]


def test_without_the_guard_only_the_database_stops_them(chain, all_found_it_due, monkeypatch):
    monkeypatch.setattr(notices, "ONCE", "")
    outcomes, counts = rounds(chain)
    assert sum(isinstance(each, IntegrityError) for each in outcomes) == ROUNDS - 1
    assert counts == [1, 1, 1]
