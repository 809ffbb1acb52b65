"""Whose turn it is, and how fast one person and one portfolio may be written to."""

import datetime as dt
import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from marketing.core.events import deliver_due
from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import lease as leases
from marketing.delivery.dispatch import worker
from marketing.delivery.dispatch.marking import PAIR_PACE
from marketing.delivery.models import (
    ContactLoad,
    DispatchBatch,
    Message,
    PortfolioPerson,
    SendRun,
)
from marketing.delivery.services import freeze, freeze_run
from marketing.policy import services as policy
from marketing.policy.models import ProviderAccount
from tests.concurrency import at_once
from tests.delivery.conftest import HangUp, accepted
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, make_sender, open_all_hours, states_of


@pytest.fixture
def chain(live_chain, vendor, settings):
    settings.SANDBOX_URL = vendor.url
    with tenant_scope(live_chain.tenant.pk):
        open_all_hours(daily_message_limit_per_customer=50, weekly_message_limit_per_customer=50)
    return live_chain


def people(chain, count):
    return CustomerFactory.create_batch(count, home_branch=chain.north)


def frozen(customers, **values):
    run = make_run(**values)
    chosen = everyone().filter(pk__in=[customer.pk for customer in customers])
    freeze_run(run=run, audience=chosen)
    return run


def states(chain, run):
    with tenant_scope(chain.tenant.pk):
        return states_of(run)


class TestTurns:
    def test_small_run_behind_a_large_one_gets_its_share(self, chain, vendor, monkeypatch):
        monkeypatch.setattr(freeze, "BATCH_SIZE", 20)
        with tenant_scope(chain.tenant.pk):
            make_sender(rate_per_second=100, max_concurrency=10)
            large = frozen(people(chain, 160))
            small = frozen(people(chain, 20))
            small_ids = set(
                map(str, Message.objects.filter(run=small).values_list("pk", flat=True))
            )
        worker.run()
        assert states(chain, large) == {"sent": 160}
        assert states(chain, small) == {"sent": 20}
        order = [body["biz_opaque_callback_data"] in small_ids for body in vendor.asked]
        assert len(order) == 180
        # Every second message is the small run's until it is done, so at about 40 of them; first
        # come first served, or fair shares by size, would end it with the large one at 180.
        assert len(order) - order[::-1].index(True) < 140

    def test_branch_with_one_run_is_not_behind_a_branch_with_three(self, chain, vendor):
        with tenant_scope(chain.tenant.pk):
            make_sender(rate_per_second=100, max_concurrency=10)
            north = [frozen(people(chain, 40), charged_branch_id=chain.north.pk) for _ in range(3)]
            south = frozen(people(chain, 40), charged_branch_id=chain.south.pk)
            of_south = set(map(str, Message.objects.filter(run=south).values_list("pk", flat=True)))
        worker.run()
        assert [states(chain, run) for run in [*north, south]] == [{"sent": 40}] * 4
        order = [body["biz_opaque_callback_data"] in of_south for body in vendor.asked]
        # Half of the turns are the southern branch's, so its run ends at about 80 of 160;
        # were turns taken by runs, all four would end together.
        assert len(order) - order[::-1].index(True) < 140

    def test_two_workers_claim_different_batches_of_the_run_served_least(self, chain, monkeypatch):
        monkeypatch.setattr(freeze, "BATCH_SIZE", 5)
        with tenant_scope(chain.tenant.pk):
            make_sender()
            first = frozen(people(chain, 20))
            second = frozen(people(chain, 20))
        claimed = [leases.claim() for _ in range(4)]
        assert len({lease.batch_id for lease in claimed}) == 4
        assert [lease.run_id for lease in claimed].count(first.pk) == 2
        assert [lease.run_id for lease in claimed].count(second.pk) == 2

    def test_a_batch_that_somebody_is_claiming_is_passed_over(self, chain, monkeypatch):
        monkeypatch.setattr(freeze, "BATCH_SIZE", 5)
        with tenant_scope(chain.tenant.pk):
            make_sender()
            frozen(people(chain, 20))

        def claim():
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '5s'")
                return leases.claim()

        with transaction.atomic():
            first = leases.claim()
            (second,) = at_once(1, claim)
        assert first.batch_id != second.batch_id

    def test_runs_of_which_there_is_enough_are_left_to_others(self, chain, monkeypatch):
        monkeypatch.setattr(freeze, "BATCH_SIZE", 5)
        with tenant_scope(chain.tenant.pk):
            make_sender()
            run = frozen(people(chain, 20))
        assert leases.claim([run.pk]) is None
        assert leases.claim() is not None


class TestOnePerson:
    def test_second_whatsapp_message_waits_for_the_pace(self, chain, vendor):
        with tenant_scope(chain.tenant.pk):
            make_sender(rate_per_second=1000)
            customers = people(chain, 3)
            first, second = frozen(customers), frozen(customers)
        worker.run(2.0)
        found = [states(chain, run) for run in (first, second)]
        assert sum(state.get("sent", 0) for state in found) == 3
        assert sum(state.get("queued", 0) for state in found) == 3
        with tenant_scope(chain.tenant.pk):
            waiting = Message.objects.filter(state="queued")
            assert {message.reason for message in waiting} == {"pair_rate"}
            sent = ContactLoad.objects.get(customer=customers[0]).whatsapp_at
            assert waiting.get(customer=customers[0]).not_before == sent + PAIR_PACE
            ContactLoad.objects.update(whatsapp_at=timezone.now() - PAIR_PACE)
            waiting.update(not_before=None)
        DispatchBatch.objects.update(next_at=timezone.now())
        worker.run()
        assert [states(chain, run) for run in (first, second)] == [{"sent": 3}] * 2

    def test_refused_message_leaves_no_pause_behind(self, chain, vendor):
        with tenant_scope(chain.tenant.pk):
            make_sender(rate_per_second=1000)
            run = frozen(people(chain, 2))
        vendor.answer = lambda body: (400, {"error": {"code": 131026, "message": "no"}}, {})
        worker.run()
        assert states(chain, run) == {"failed": 2}
        with tenant_scope(chain.tenant.pk):
            assert [load.whatsapp_at for load in ContactLoad.objects.all()] == [None, None]


class TestPortfolio:
    def test_no_more_people_than_the_limit_in_24_hours(self, chain, vendor):
        with tenant_scope(chain.tenant.pk):
            make_sender(rate_per_second=1000, portfolio="salon", portfolio_limit=5)
            run = frozen(people(chain, 8))
        worker.run()
        assert states(chain, run) == {"sent": 5, "queued": 3}
        with tenant_scope(chain.tenant.pk):
            waiting = Message.objects.filter(run=run, state="queued")
            oldest = PortfolioPerson.objects.order_by("last_at").first()
            assert {message.reason for message in waiting} == {"portfolio_limit"}
            assert min(m.not_before for m in waiting) == oldest.last_at + dt.timedelta(hours=24)
            PortfolioPerson.objects.update(last_at=timezone.now() - dt.timedelta(hours=24))
            waiting.update(not_before=None)
        DispatchBatch.objects.update(next_at=timezone.now())
        worker.run()
        assert states(chain, run) == {"sent": 8}

    def test_who_was_written_to_already_needs_no_room(self, chain, vendor):
        with tenant_scope(chain.tenant.pk):
            make_sender(rate_per_second=1000, portfolio="salon", portfolio_limit=5)
            customers = people(chain, 5)
            frozen(customers)
        worker.run()
        with tenant_scope(chain.tenant.pk):
            ContactLoad.objects.update(whatsapp_at=None)
            again = frozen(customers)
        worker.run()
        assert states(chain, again) == {"sent": 5}

    def test_two_workers_and_two_numbers_share_it_exactly(self, chain, vendor, monkeypatch):
        monkeypatch.setattr(freeze, "BATCH_SIZE", 10)
        with tenant_scope(chain.tenant.pk):
            make_sender(rate_per_second=1000, portfolio="salon", portfolio_limit=25)
            runs = [frozen(people(chain, 30)) for _ in range(2)]
        threads = [threading.Thread(target=worker.run, args=(5.0,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = [states(chain, run) for run in runs]
        assert sum(state.get("sent", 0) for state in found) == 25 == len(vendor.asked)


def hang_up(body):
    raise HangUp


class TestOutage:
    @pytest.fixture
    def run(self, chain, monkeypatch):
        monkeypatch.setattr("marketing.delivery.dispatch.health.OUTAGE_FAILURES", 3)
        monkeypatch.setattr("marketing.delivery.dispatch.health.OUTAGE_SECONDS", 0.0)
        with tenant_scope(chain.tenant.pk):
            make_sender(rate_per_second=1000)
            return frozen(people(chain, 8))

    def test_vendor_that_is_down_opens_the_circuit_for_a_while(self, chain, vendor, run):
        vendor.answer = lambda body: (503, {}, {})
        worker.run()
        with tenant_scope(chain.tenant.pk):
            run.refresh_from_db()
            account = ProviderAccount.objects.get()
            assert (run.state, run.pause_reason) == (SendRun.State.PAUSED, "account_paused")
            assert account.circuit_reason
            assert account.circuit_retry_at > timezone.now()
            policy.close_due_circuits()
            account.refresh_from_db()
            assert account.circuit_reason
            ProviderAccount.objects.update(circuit_retry_at=timezone.now())
            policy.close_due_circuits()
        vendor.answer = accepted
        deliver_due()
        with tenant_scope(chain.tenant.pk):
            run.refresh_from_db()
            assert run.state == SendRun.State.FROZEN
            Message.objects.filter(run=run).update(not_before=None)
        DispatchBatch.objects.update(next_at=timezone.now())
        worker.run()
        assert states(chain, run) == {"sent": 8}

    @pytest.mark.parametrize("silence", [hang_up, lambda body: (504, {}, {})])
    def test_vendor_that_gives_no_answer_does_not_take_everybody(self, chain, vendor, run, silence):
        vendor.answer = silence
        worker.run()
        with tenant_scope(chain.tenant.pk):
            run.refresh_from_db()
            account = ProviderAccount.objects.get()
            assert (run.state, run.pause_reason) == (SendRun.State.PAUSED, "account_paused")
            assert account.circuit_retry_at > timezone.now()
            assert set(states_of(run)) <= {"unknown", "queued"}
