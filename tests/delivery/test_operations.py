"""Operations: figures of queues and faults, alerts with a way to mend, Prometheus' door."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from redis.exceptions import ConnectionError

from marketing.core.actor import Actor
from marketing.core.models import AuditEntry, EventDelivery
from marketing.core.schedules import PREFIX
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import BatchReason, DispatchBatch, SendRun, WebhookEvent
from marketing.delivery.operations import alerts, figures
from marketing.delivery.rules import LEASE
from marketing.policy import selectors as policy
from marketing.policy.models import Provider, ProviderAccount
from marketing.policy.services import open_circuit
from tests.factories.core import make_chain
from tests.factories.delivery import make_sender
from tests.factories.policy import budget, make_account, set_config

AGO = timezone.now() - dt.timedelta(minutes=20)


def make_batch(account, *, run=None, number=None, **values):
    run = run or SendRun.objects.create(
        state="frozen", kind="campaign", purpose="promotional", steps=[], frozen_at=timezone.now()
    )
    return DispatchBatch.objects.create(
        **{
            "tenant_id": account.tenant_id,
            "run_id": run.pk,
            "account_id": account.pk,
            "channel": account.channel,
            "number": number or DispatchBatch.objects.filter(run_id=run.pk).count() + 1,
            **values,
        }
    )


def make_webhook(account, **values):
    return WebhookEvent.objects.create(
        account_id=account.pk, provider=account.provider, body=b"", **values
    )


def codes(staff):
    found = alerts.alerts_for(Actor.for_staff(staff), figures.operations())
    return [alert.code for alert in found]


@pytest.fixture(autouse=True)
def beat(db):
    """A scheduler that was heard of just now."""
    PeriodicTask.objects.filter(name__startswith=PREFIX).delete()
    from django_celery_beat.models import IntervalSchedule

    every, _ = IntervalSchedule.objects.get_or_create(every=5, period="seconds")
    return PeriodicTask.objects.create(
        name=f"{PREFIX}beat", task="x", interval=every, last_run_at=timezone.now()
    )


@pytest.fixture
def account(chain):
    return make_sender()


@pytest.fixture
def login():
    def client_of(staff):
        client = Client()
        client.force_login(staff.user)
        return client

    return client_of


class TestFigures:
    def test_an_account_adds_up_its_batches(self, account):
        now = timezone.now()
        make_batch(account, queued=5, next_at=AGO)
        make_batch(account, queued=7, next_at=now + dt.timedelta(hours=1))
        make_batch(
            account, sending=3, sent=2, state="leased", leased_until=now + dt.timedelta(seconds=30)
        )
        make_batch(account, unknown=1, failed=4, state="leased", leased_until=AGO)
        (found,) = figures.operations().accounts
        assert (found.queued, found.sending, found.unknown, found.attempted) == (12, 3, 1, 7)
        assert (found.leases, found.lost_leases) == (1, 1)
        assert found.due_since == AGO
        assert found.oldest_lease == AGO - LEASE

    def test_errors_of_late_by_code_most_first(self, account):
        run = SendRun.objects.create(kind="campaign", purpose="promotional", steps=[])
        old = SendRun.objects.create(
            kind="campaign",
            purpose="promotional",
            steps=[],
            created_at=timezone.now() - dt.timedelta(hours=25),
        )
        for of, state, code, count in (
            (run, "failed", "131026", 4),
            (run, "unknown", "timeout", 9),
            (run, "skipped", "dnd", 50),
            (old, "failed", "470", 70),
        ):
            batch = make_batch(account, run=of)
            BatchReason.objects.create(
                run_id=of.pk, batch_id=batch.pk, state=state, code=code, count=count
            )
        (found,) = figures.operations().accounts
        assert [(f.state, f.code, f.messages) for f in found.faults] == [
            ("unknown", "timeout", 9),
            ("failed", "131026", 4),
        ]

    def test_backlogs(self, chain, account):
        EventDelivery.objects.all().delete()  # what making the account told
        WebhookEvent.objects.create(
            account_id=account.pk, provider="meta", body=b"", received_at=AGO
        )
        EventDelivery.objects.create(
            event_id=account.pk, tenant_id=chain.tenant.pk, event_name="x", handler="y", attempts=2
        )
        found = figures.operations()
        assert (found.webhooks.waiting, found.webhooks.since) == (1, AGO)
        assert (found.events.waiting, found.events.failing) == (1, 1)

    def test_another_chain_is_another_matter(self, account, other_chain):
        with tenant_scope(other_chain.tenant.pk):
            theirs = make_sender()
            make_batch(theirs, queued=5)
        (found,) = figures.operations().accounts
        assert found.account == account
        assert found.queued == 0


class TestAlerts:
    def test_none_while_all_is_well(self, chain, account):
        make_batch(account, queued=5)
        assert codes(chain.owner) == []

    def test_a_circuit_leads_to_its_account(self, chain, account):
        open_circuit(actor=Actor.system(chain.tenant.pk), account=account, reason="Token expired")
        (alert,) = alerts.alerts_for(Actor.for_staff(chain.owner), figures.operations())
        assert (alert.code, alert.detail) == ("circuit_open", "Token expired")
        assert alert.url == f"/settings/accounts/{account.pk}"

    @pytest.mark.parametrize("staff", ["manager", "regional"])
    def test_who_cannot_mend_is_not_bothered(self, chain, account, staff):
        open_circuit(actor=Actor.system(chain.tenant.pk), account=account, reason="x")
        assert codes(getattr(chain, staff)) == []

    @pytest.mark.parametrize(
        ("minutes", "leased", "expected"), [(4, False, []), (6, False, ["lag"]), (6, True, [])]
    )
    def test_lag_only_when_nobody_works(self, chain, account, minutes, leased, expected):
        """A long campaign at the vendor's pace has due batches for hours."""
        make_batch(account, queued=5, next_at=timezone.now() - dt.timedelta(minutes=minutes))
        if leased:
            soon = timezone.now() + dt.timedelta(seconds=30)
            make_batch(account, sending=5, state="leased", leased_until=soon)
        assert codes(chain.owner) == expected

    @pytest.mark.parametrize(
        ("heard", "frozen", "rate", "expected"),
        [
            (20, 20, 3.0, ["webhooks_stopped"]),
            (None, 20, 3.0, ["webhooks_stopped"]),
            (1, 20, 3.0, []),
            (20, 1, 3.0, []),
            (20, 20, 0.0, []),
        ],
    )
    def test_silence_of_the_vendor(
        self, chain, account, monkeypatch, heard, frozen, rate, expected
    ):
        now = timezone.now()
        monkeypatch.setattr("marketing.delivery.pace.rates", lambda a, begun: {account.pk: rate})
        run = SendRun.objects.create(
            state="frozen",
            kind="campaign",
            purpose="promotional",
            steps=[],
            frozen_at=now - dt.timedelta(minutes=frozen),
        )
        make_batch(account, run=run, queued=1, sent=9)
        if heard is not None:
            at = now - dt.timedelta(minutes=heard)
            make_webhook(account, received_at=at, applied_at=at)
        assert codes(chain.owner) == expected

    def test_reports_that_nobody_reads(self, chain, account):
        WebhookEvent.objects.create(
            account_id=account.pk, provider="meta", body=b"", received_at=AGO
        )
        assert codes(chain.owner) == ["webhooks_lag"]

    def test_unknown_until_somebody_decides(self, chain, account):
        run = SendRun.objects.create(
            kind="campaign",
            purpose="promotional",
            steps=[],
            label="Diwali",
            branch_ids=[chain.north.pk],
        )
        batch = make_batch(account, run=run, unknown=3)
        reason = BatchReason.objects.create(
            run_id=run.pk, batch_id=batch.pk, state="unknown", code="timeout", count=3
        )
        (alert,) = alerts.alerts_for(Actor.for_staff(chain.manager), figures.operations())
        assert (alert.code, alert.url) == ("undecided", "/failures")
        assert "Diwali" in alert.title
        assert codes(chain.receptionist) == []
        BatchReason.objects.filter(pk=reason.pk).update(closed=3)
        assert codes(chain.manager) == []

    @pytest.mark.parametrize("of_chain", [True, False])
    def test_unknown_of_other_branches_is_others_business(self, chain, account, of_chain):
        run = SendRun.objects.create(
            kind="campaign",
            purpose="promotional",
            steps=[],
            branch_ids=None if of_chain else [chain.south.pk],
        )
        batch = make_batch(account, run=run, unknown=3)
        BatchReason.objects.create(
            run_id=run.pk, batch_id=batch.pk, state="unknown", code="timeout", count=3
        )
        assert codes(chain.manager) == []
        assert codes(chain.owner) == ["undecided"]

    @pytest.mark.parametrize(("spent", "expected"), [("79.00", []), ("80.00", ["budget"])])
    def test_budget_from_its_threshold(self, chain, spent, expected):
        set_config(monthly_budget_limit=Decimal(100), budget_alert_threshold_percent=80)
        month = policy.spend_of_month()[0].month
        budget(None, month, reserved="0", spent=spent)
        assert codes(chain.owner) == expected

    def test_a_silent_scheduler(self, chain, beat):
        PeriodicTask.objects.filter(pk=beat.pk).update(last_run_at=AGO)
        assert codes(chain.owner) == ["beat_silent"]

    def test_rows_outside_of_every_month(self, chain, monkeypatch):
        monkeypatch.setattr(figures, "stray_tables", lambda: ["delivery_message"])
        assert codes(chain.owner) == ["stray_rows"]


class TestPages:
    @pytest.mark.parametrize(
        ("staff", "status"),
        [("receptionist", 403), ("manager", 403), ("regional", 200), ("owner", 200)],
    )
    def test_who_may_look(self, chain, account, login, staff, status):
        assert login(getattr(chain, staff)).get("/operations").status_code == status

    def test_the_page_shows_each_account_and_asks_again(self, chain, account, login):
        open_circuit(actor=Actor.system(chain.tenant.pk), account=account, reason="Token expired")
        page = login(chain.owner).get("/operations").content.decode()
        assert account.name in page
        assert page.count("Token expired") >= 2
        assert 'hx-trigger="every 10s"' in page
        part = login(chain.owner).get(
            "/operations", headers={"HX-Request": "true", "HX-Target": "live"}
        )
        assert b"<html" not in part.content

    def test_try_again_closes_the_circuit(self, chain, account, login):
        open_circuit(actor=Actor.system(chain.tenant.pk), account=account, reason="x")
        url = f"/operations/accounts/{account.pk}/try-again"
        assert login(chain.regional).post(url).status_code == 403
        account.refresh_from_db()
        assert account.circuit_reason == "x"
        assert login(chain.owner).post(url).status_code == 302
        account.refresh_from_db()
        assert account.circuit_reason == ""
        assert AuditEntry.objects.filter(action="account.close_circuit").count() == 1

    def test_another_chains_account_is_not_found(self, chain, other_chain, login):
        with tenant_scope(other_chain.tenant.pk):
            theirs = make_sender()
            open_circuit(actor=Actor.system(other_chain.tenant.pk), account=theirs, reason="x")
        url = f"/operations/accounts/{theirs.pk}/try-again"
        assert login(chain.owner).post(url).status_code == 404
        with tenant_scope(other_chain.tenant.pk):
            assert ProviderAccount.objects.get(pk=theirs.pk).circuit_reason == "x"

    def test_the_home_page_shows_what_the_last_round_found(self, chain, account, login):
        browser = login(chain.owner)
        open_circuit(actor=Actor.system(chain.tenant.pk), account=account, reason="Token expired")
        assert b"Token expired" not in browser.get("/").content
        alerts.keep_alerts()
        assert b"Token expired" in browser.get("/").content
        assert b"Token expired" not in login(chain.manager).get("/").content
        browser.cookies["django_language"] = "hi"
        assert b"Token expired" in browser.get("/").content

    def test_an_old_round_says_that_the_clock_stands(self, chain, account, monkeypatch, login):
        alerts.keep_alerts()
        assert alerts.kept_alerts(Actor.for_staff(chain.owner)) == []
        monkeypatch.setattr(alerts, "BEAT_SILENCE", dt.timedelta(seconds=-1))
        (alert,) = alerts.kept_alerts(Actor.for_staff(chain.owner))
        assert alert.code == "beat_silent"

    def test_without_the_cache_the_home_page_comes_without_alerts(self, chain, monkeypatch, login):
        def away(*args, **options):
            raise ConnectionError("cache")

        monkeypatch.setattr(alerts.cache, "get", away)
        assert alerts.kept_alerts(Actor.for_staff(chain.owner)) == []

    def test_as_many_queries_for_many_as_for_one(
        self, chain, account, login, django_assert_max_num_queries
    ):
        for number in range(8):
            other = make_account(Provider.MSG91, name=f"Account {number}")
            for _ in range(5):
                make_batch(other, queued=2, sent=3, next_at=AGO)
        browser = login(chain.owner)
        browser.get("/operations")
        with django_assert_max_num_queries(20):
            browser.get("/operations")


class TestMetrics:
    def scrape(self, **headers):
        return Client().get("/metrics", headers=headers)

    def test_figures_of_every_chain(self, chain, account, other_chain):
        make_batch(account, queued=5, sent=2)
        late = timezone.now() + LEASE - dt.timedelta(seconds=90)
        make_batch(account, sending=1, state="leased", leased_until=late)
        open_circuit(actor=Actor.system(chain.tenant.pk), account=account, reason="x")
        with tenant_scope(other_chain.tenant.pk):
            make_batch(make_sender(name="Theirs"), queued=11)
        text = self.scrape().content.decode()
        ours = (
            f'account="{account.name}",chain="{chain.tenant.slug}",channel="whatsapp",'
            f'provider="meta"'
        )
        assert f'parlour_messages{{{ours},state="queued"}} 5.0' in text
        assert f"parlour_messages_attempted_total{{{ours}}} 2.0" in text
        assert f"parlour_circuit_open{{{ours}}} 1.0" in text
        (seconds,) = re.findall(
            re.escape(f"parlour_oldest_lease_seconds{{{ours}}} ") + r"(\S+)", text
        )
        assert float(seconds) >= 90
        assert f'chain="{other_chain.tenant.slug}"' in text
        assert 'parlour_stray_rows{table="delivery_message"} 0.0' in text
        assert "python_info" not in text

    def test_what_a_vendor_said_stays_with_its_chain(self, chain, account, other_chain):
        with tenant_scope(other_chain.tenant.pk):
            theirs = make_sender()
            open_circuit(
                actor=Actor.system(other_chain.tenant.pk), account=theirs, reason="Token of Asha"
            )
        known = {each.pk: each for each in figures.accounts_of_chains()}
        assert known[theirs.pk].has_open_circuit is True
        assert known[account.pk].has_open_circuit is False
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM accounts_of_chains()")
            assert "Token of Asha" not in str(cursor.fetchall())

    def test_as_many_queries_for_many_chains_as_for_one(self, chain, account):
        def queries():
            with CaptureQueriesContext(connection) as seen:
                assert self.scrape().status_code == 200
            return len(seen)

        few = queries()
        for _ in range(3):
            with tenant_scope(make_chain().tenant.pk):
                make_batch(make_sender(), queued=1)
        assert queries() == few <= 10

    def test_only_this_machine_without_a_token(self, chain):
        assert self.scrape().status_code == 200
        assert self.scrape(**{"X-Forwarded-For": "203.0.113.9"}).status_code == 403
        assert Client(REMOTE_ADDR="203.0.113.9").get("/metrics").status_code == 403

    def test_whoever_has_the_token(self, chain, settings):
        settings.METRICS_TOKEN = "long-and-secret"
        assert self.scrape().status_code == 403
        assert self.scrape(Authorization="Bearer wrong").status_code == 403
        assert self.scrape(Authorization="Bearer long-and-secret").status_code == 200

    def test_nothing_is_changed_by_post(self, chain):
        assert Client().post("/metrics").status_code == 405
