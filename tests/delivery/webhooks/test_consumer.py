"""What vendors report is applied once and forwards only, whatever comes late or twice."""

import datetime as dt

from django.db import connection
from django.utils import timezone

from customers.models import StaleFacts
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import (
    ContactLoad,
    DispatchBatch,
    Message,
    ProviderReference,
    WebhookEvent,
)
from marketing.delivery.webhooks import consumer, subscriptions
from marketing.delivery.webhooks import statuses as statuses_module
from marketing.policy.models import ProviderAccount
from tests.delivery.webhooks.conftest import counted, messages
from tests.delivery.webhooks.payloads import NOW, status, statuses


def test_delivered_and_read_are_taken_in(run, post):
    first, second, _ = messages(run)
    assert post(statuses(status(first, "delivered"), status(second, "read"))).status_code == 200
    consumer.consume_due()
    first, second, third = messages(run)
    assert [m.state for m in (first, second, third)] == ["delivered", "read", "sent"]
    assert first.delivered_at == dt.datetime.fromtimestamp(NOW, dt.UTC)
    assert second.read_at == second.delivered_at
    assert counted(run) == {"sent": 1, "delivered": 1, "read": 1}


def test_who_read_has_her_facts_computed_again_once(run, post):
    first, second, _ = messages(run)
    with tenant_scope(run.tenant_id):
        StaleFacts.objects.all().delete()
    post(statuses(status(first, "delivered"), status(second, "read")))
    for _again in range(2):
        consumer.consume_due()
        post(statuses(status(second, "read")))
    with tenant_scope(run.tenant_id):
        assert [mark.customer_id for mark in StaleFacts.objects.all()] == [second.customer_id]


def test_late_and_repeated_reports_change_nothing(run, post):
    first, *_ = messages(run)
    for said in ("read", "delivered", "sent", "read", "read"):
        post(statuses(status(first, said)))
        consumer.consume_due()
    assert messages(run)[0].state == "read"
    assert counted(run) == {"sent": 2, "read": 1}


def test_replaying_everything_changes_nothing(run, post):
    every = [statuses(status(m, s)) for m in messages(run) for s in ("delivered", "read")]
    for payload in every * 2:
        post(payload)
    consumer.consume_due()
    assert counted(run) == {"read": 3}


def test_many_reports_of_one_message_in_one_request(run, post):
    first, *_ = messages(run)
    post(statuses(*(status(first, s, NOW + i) for i, s in enumerate(["read", "delivered"]))))
    consumer.consume_due()
    assert messages(run)[0].state == "read"
    assert counted(run) == {"sent": 2, "read": 1}


def test_failure_after_sent_costs_nothing_and_says_why(run, post):
    first, *_ = messages(run)
    error = {"code": 131026, "title": "Undeliverable", "error_data": {"details": "old app"}}
    post(statuses(status(first, "failed", errors=[error])))
    consumer.consume_due()
    first, *_ = messages(run)
    assert (first.state, first.error_code, first.counted_cost) == ("failed", "131026", 0)
    assert first.error_detail == "old app"


def name_at_the_vendor(run, message, reference):
    with tenant_scope(run.tenant_id):
        ProviderReference.objects.filter(message_id=message.pk).delete()
        ProviderReference.objects.create(
            account_id=message.account_id, reference=reference, message_id=message.pk
        )


def test_found_by_the_vendors_id_alone(run, post):
    first, *_ = messages(run)
    name_at_the_vendor(run, first, first.provider_message_id)
    post(statuses(status(first, "read", ours=False)))
    consumer.consume_due()
    assert messages(run)[0].state == "read"


def test_report_of_an_unknown_message_is_kept_and_matched_later(run, post):
    first, *_ = messages(run)
    name_at_the_vendor(run, first, "another")
    post(statuses(status(first, "read", ours=False)))
    consumer.consume_due()
    with tenant_scope(run.tenant_id):
        waiting = WebhookEvent.objects.get()
        assert waiting.applied_at is None
        assert waiting.next_at > timezone.now()
        assert waiting.state == "unknown"
        WebhookEvent.objects.update(next_at=timezone.now())
    name_at_the_vendor(run, first, first.provider_message_id)
    consumer.consume_due()
    assert messages(run)[0].state == "read"
    with tenant_scope(run.tenant_id):
        assert WebhookEvent.objects.get().state == "applied"


def test_unknown_state_is_settled_by_the_webhook(run, post):
    first, *_ = messages(run)
    with tenant_scope(run.tenant_id):
        Message.objects.filter(pk=first.pk).update(state="unknown")
        DispatchBatch.objects.filter(pk=first.batch_id).update(sent=2, unknown=1)
    post(statuses(status(first, "delivered")))
    consumer.consume_due()
    assert counted(run) == {"sent": 2, "delivered": 1}


def test_what_cannot_be_read_is_kept_with_its_error(run, post):
    assert post(b"nonsense").status_code == 200
    consumer.consume_due()
    with tenant_scope(run.tenant_id):
        assert "Expecting value" in WebhookEvent.objects.get().error


def test_an_unknown_message_is_given_up_after_a_day(run, post):
    first, *_ = messages(run)
    name_at_the_vendor(run, first, "another")
    post(statuses(status(first, "read", ours=False)))
    with tenant_scope(run.tenant_id):
        WebhookEvent.objects.update(received_at=timezone.now() - dt.timedelta(hours=25))
    consumer.consume_due()
    with tenant_scope(run.tenant_id):
        event = WebhookEvent.objects.get()
        assert (event.state, event.applied_at is None) == ("unknown", False)


def test_a_definite_failure_gives_the_cap_slot_back(run, post):
    first, second, _ = messages(run)
    with tenant_scope(run.tenant_id):
        assert ContactLoad.objects.get(customer_id=first.customer_id).sent == [first.slot_at]
    post(statuses(status(first, "failed", errors=[{"code": 131026}])))
    consumer.consume_due()
    with tenant_scope(run.tenant_id):
        assert ContactLoad.objects.get(customer_id=first.customer_id).sent == []
        assert ContactLoad.objects.get(customer_id=second.customer_id).sent == [second.slot_at]
    assert messages(run)[0].slot_at is None


def test_a_late_success_does_not_wipe_why_it_failed(run, post):
    first, *_ = messages(run)
    post(statuses(status(first, "failed", errors=[{"code": 131026, "title": "no"}])))
    consumer.consume_due()
    post(statuses(status(first, "sent", NOW - 5)))
    consumer.consume_due()
    first, *_ = messages(run)
    assert (first.state, first.error_code) == ("failed", "131026")


def test_what_stands_is_not_written_again(run, post):
    payload = statuses(*(status(message, "read") for message in messages(run)))
    post(payload)
    consumer.consume_due()
    before = written_at(run)
    post(payload)
    post(statuses(*(status(message, "delivered", NOW + 9) for message in messages(run))))
    consumer.consume_due()
    assert written_at(run) == before


def written_at(run):
    with tenant_scope(run.tenant_id), connection.cursor() as cursor:
        cursor.execute("SELECT xmin::text FROM delivery_message WHERE run_id = %s", [run.pk])
        return cursor.fetchall()


def test_one_request_that_cannot_be_applied_holds_up_no_other(run, post, monkeypatch):
    first, second, _ = messages(run)
    apply = statuses_module.apply

    def stumble(reports):
        if any(report.update.message_id == first.pk for report in reports):
            raise ValueError("a fault of ours")
        return apply(reports)

    monkeypatch.setattr(statuses_module, "apply", stumble)
    post(statuses(status(first, "read")))
    post(statuses(status(second, "read")))
    consumer.consume_due()
    assert [message.state for message in messages(run)] == ["sent", "read", "sent"]
    with tenant_scope(run.tenant_id):
        bad, good = WebhookEvent.objects.order_by("pk")
        assert (bad.state, bad.error) == ("unreadable", "ValueError: a fault of ours")
        assert good.state == "applied"


def test_a_subscription_is_confirmed_at_the_vendors_own_host_only(run):
    with tenant_scope(run.tenant_id):
        account = ProviderAccount.objects.get()
    account.provider = "ses"
    account.base_url = "https://email.ap-south-1.amazonaws.com"
    assert subscriptions._is_vendors("https://sns.ap-south-1.amazonaws.com/?Token=1", account)
    for url in (
        "http://sns.ap-south-1.amazonaws.com/",
        "https://sns.ap-south-1.amazonaws.com.evil.example/",
        "https://sns.ap-south-1.amazonaws.com@evil.example/",
        "https://sns.ap-south-1.amazonaws.com:8443/",
        "https://evil.example/",
        "http://127.0.0.1:8025/",
    ):
        assert not subscriptions._is_vendors(url, account)


def test_requests_are_taken_until_their_bodies_fill_the_memory(run, post, monkeypatch):
    monkeypatch.setattr(consumer, "BYTES", 1)
    for message in messages(run):
        post(statuses(status(message, "read")))
    assert consumer.consume_due() == 3
    assert counted(run) == {"read": 3}
