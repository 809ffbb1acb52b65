"""Webhooks: verified, stored raw, applied once and forwards only, stop words honoured."""

import datetime as dt
import hashlib
import hmac
import json

import pytest
from django.test import Client
from django.utils import timezone

from customers.models import ConsentState, CustomerEvent
from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import worker
from marketing.delivery.models import (
    DispatchBatch,
    Message,
    ProviderReference,
    WebhookEvent,
)
from marketing.delivery.services import freeze_run
from marketing.delivery.webhooks import consumer
from marketing.policy.models import ProviderAccount, WebhookAddress
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, make_sender, open_all_hours, states_of

SECRET = "app-secret-0001"  # of tests.factories.policy.WORKING_VALUES
NOW = 1776000000


@pytest.fixture
def run(live_chain, vendor, settings):
    """A run of three people, all sent."""
    settings.SANDBOX_URL = vendor.url
    with tenant_scope(live_chain.tenant.pk):
        open_all_hours()
        make_sender(rate_per_second=1000)
        CustomerFactory.create_batch(3, home_branch=live_chain.north)
        made = make_run()
        freeze_run(run=made, audience=everyone())
    worker.run()
    return made


@pytest.fixture
def post(run):
    """Post a body to the account's webhook, signed unless told otherwise."""
    with tenant_scope(run.tenant_id):
        account = ProviderAccount.objects.get()
    token = WebhookAddress.objects.get(account_id=account.pk).token

    def send(payload, signature=None, url=f"/api/v1/webhooks/meta/{token}"):
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        good = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        return Client().post(
            url,
            body,
            content_type="application/json",
            headers={"X-Hub-Signature-256": good if signature is None else signature},
        )

    return send


def status(message, state, at=NOW, ours=True, **more):
    said = {
        "id": message.provider_message_id or "wamid.unknown",
        "status": state,
        "timestamp": str(at),
        "recipient_id": "919876543210",
        **more,
    }
    if ours:
        said["biz_opaque_callback_data"] = str(message.pk)
    return said


def statuses(*said):
    change = {"field": "messages", "value": {"messaging_product": "whatsapp", "statuses": said}}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}


def inbound(text, phone, key="wamid.in1"):
    message = {
        "from": phone.lstrip("+"),
        "id": key,
        "timestamp": str(NOW),
        "type": "text",
        "text": {"body": text},
    }
    change = {"field": "messages", "value": {"messages": [message]}}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}


def messages(run):
    with tenant_scope(run.tenant_id):
        return list(Message.objects.filter(run=run).order_by("pk"))


def counted(run):
    with tenant_scope(run.tenant_id):
        return states_of(run)


def test_delivered_and_read_are_taken_in(run, post):
    first, second, _ = messages(run)
    assert post(statuses(status(first, "delivered"), status(second, "read"))).status_code == 200
    consumer.consume_due()
    first, second, third = messages(run)
    assert [m.state for m in (first, second, third)] == ["delivered", "read", "sent"]
    assert first.delivered_at == dt.datetime.fromtimestamp(NOW, dt.UTC)
    assert second.read_at == second.delivered_at
    assert counted(run) == {"sent": 1, "delivered": 1, "read": 1}


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
    error = {"code": 131049, "title": "Withheld", "error_data": {"details": "ecosystem"}}
    post(statuses(status(first, "failed", errors=[error])))
    consumer.consume_due()
    first, *_ = messages(run)
    assert (first.state, first.error_code, first.cost) == ("failed", "131049", 0)
    assert first.error_detail == "ecosystem"


def test_found_by_the_vendors_id_alone(run, post):
    first, *_ = messages(run)
    post(statuses(status(first, "read", ours=False)))
    consumer.consume_due()
    assert messages(run)[0].state == "read"


def test_report_of_an_unknown_message_is_kept_and_matched_later(run, post):
    first, *_ = messages(run)
    with tenant_scope(run.tenant_id):
        ProviderReference.objects.filter(message_id=first.pk).update(reference="later")
    post(statuses(status(first, "read", ours=False)))
    consumer.consume_due()
    with tenant_scope(run.tenant_id):
        waiting = WebhookEvent.objects.get()
        assert waiting.applied_at is None
        assert waiting.next_at > timezone.now()
        ProviderReference.objects.filter(message_id=first.pk).update(
            reference=first.provider_message_id
        )
        WebhookEvent.objects.update(next_at=timezone.now())
    consumer.consume_due()
    assert messages(run)[0].state == "read"
    with tenant_scope(run.tenant_id):
        assert WebhookEvent.objects.get().applied_at is not None


def test_unknown_state_is_settled_by_the_webhook(run, post):
    first, *_ = messages(run)
    with tenant_scope(run.tenant_id):
        Message.objects.filter(pk=first.pk).update(state="unknown")
        DispatchBatch.objects.filter(pk=first.batch_id).update(sent=2, unknown=1)
    post(statuses(status(first, "delivered")))
    consumer.consume_due()
    assert counted(run) == {"sent": 2, "delivered": 1}


@pytest.mark.parametrize("signature", ["", "sha256=0", "sha256=" + "0" * 64])
def test_bad_signature_is_refused_and_leaves_nothing(run, post, signature):
    response = post(statuses(status(messages(run)[0], "read")), signature=signature)
    assert response.status_code == 403
    with tenant_scope(run.tenant_id):
        assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize("path", ["meta/nonsense", "msg91/{token}"])
def test_unknown_address_is_not_found(run, post, path):
    token = WebhookAddress.objects.get().token
    response = post({}, url=f"/api/v1/webhooks/{path.format(token=token)}")
    assert response.status_code == 404


def test_what_cannot_be_read_is_kept_with_its_error(run, post):
    assert post(b"nonsense").status_code == 200
    consumer.consume_due()
    with tenant_scope(run.tenant_id):
        assert "Expecting value" in WebhookEvent.objects.get().error


def test_subscription_check_answers_the_challenge(run):
    with tenant_scope(run.tenant_id):
        account = ProviderAccount.objects.get()
        account.credentials = {**account.credentials, "verify_token": "ours"}
        account.save()
    url = f"/api/v1/webhooks/meta/{WebhookAddress.objects.get().token}"
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
    good = Client().get(url, {**asked, "hub.verify_token": "ours"})
    assert (good.status_code, good.content) == (200, b"1158201444")
    assert Client().get(url, {**asked, "hub.verify_token": "theirs"}).status_code == 403


@pytest.mark.parametrize("text", ["STOP", " stop ", "Unsubscribe", "बंद", "রোকো বন্ধ", "বন্ধ"])
def test_stop_words_opt_out_at_once(run, post, text):
    phone = messages(run)[0].address
    post(inbound(text, phone))
    consumer.consume_due()
    with tenant_scope(run.tenant_id):
        out = ConsentState.objects.get(customer__phone=phone).marketing_opted_out
        assert out is (text != "রোকো বন্ধ")
        assert ConsentState.objects.filter(marketing_opted_out=True).count() == int(out)


def test_other_words_land_in_the_timeline_once(run, post):
    phone = messages(run)[0].address
    for _ in range(2):
        post(inbound("Can I come at 5? 😊", phone))
    consumer.consume_due()
    with tenant_scope(run.tenant_id):
        (event,) = CustomerEvent.objects.filter(name="message.inbound")
        assert event.properties == {"channel": "whatsapp", "text": "Can I come at 5? 😊"}
        assert not ConsentState.objects.filter(marketing_opted_out=True).exists()


def test_words_from_a_stranger_are_survived(run, post):
    post(inbound("STOP", "+919999999999"))
    assert consumer.consume_due() == 1
