"""Meta: what we ask, what its answers and webhooks mean."""

import hashlib
import hmac
import json
import uuid

import pytest

from marketing.content.rendering import Parameters, Rendered
from marketing.delivery.providers.base import Account, Envelope
from marketing.delivery.providers.meta import client, webhook
from marketing.delivery.rules import ResultClass

ACCOUNT = Account(
    id=uuid.uuid4(),
    provider="meta",
    base_url="http://127.0.0.1:1",
    credentials={"access_token": "token", "app_secret": "secret"},
    sender={"phone_number_id": "106", "waba_id": "102"},
    rate_per_second=10,
    max_concurrency=10,
)


def envelope(address="+919876543210", **parameters):
    return Envelope(
        message_id=uuid.UUID("019a0000-0000-7000-8000-000000000001"),
        address=address,
        language="hi",
        rendered=Rendered(body="नमस्ते आशा", language="hi"),
        parameters=Parameters(body=("आशा",), **parameters),
        vendor_template="diwali_offer_v1",
        unsubscribe_url="",
    )


def test_template_message():
    request = client.build(ACCOUNT, envelope(header=("दिवाली",), buttons={0: "r/abc"}))
    assert request.url == "http://127.0.0.1:1/v23.0/106/messages"
    assert request.headers["Authorization"] == "Bearer token"
    body = json.loads(request.body)
    assert body["to"] == "919876543210"
    assert body["biz_opaque_callback_data"] == "019a0000-0000-7000-8000-000000000001"
    assert body["template"]["language"] == {"code": "hi"}
    assert [part["type"] for part in body["template"]["components"]] == ["header", "body", "button"]
    assert body["template"]["components"][1]["parameters"] == [{"type": "text", "text": "आशा"}]


def test_business_scoped_user_is_named_as_recipient():
    body = json.loads(client.build(ACCOUNT, envelope("IN.1502576394655843")).body)
    assert body["recipient"] == "IN.1502576394655843"
    assert "to" not in body


def test_accepted(payload):
    result = client.interpret(200, {}, payload("meta/accepted.json"))
    assert result.outcome is ResultClass.ACCEPTED
    assert result.reference == "wamid.HBgLOTE5ODc2NTQzMjEw"


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        (131026, 400, ResultClass.FAIL_RECIPIENT),
        (131049, 400, ResultClass.RETRY_LATER_24H),
        (131050, 400, ResultClass.FAIL_OPTOUT),
        (130429, 429, ResultClass.RETRY),
        (132001, 404, ResultClass.FAIL_CONTENT),
        (190, 401, ResultClass.FAIL_ACCOUNT),
        (299, 403, ResultClass.FAIL_ACCOUNT),
        (999999, 500, ResultClass.RETRY),
        (999999, 400, ResultClass.FAIL_CONTENT),
    ],
)
def test_codes_decide_and_unknown_ones_go_by_http_status(code, status, expected):
    body = json.dumps({"error": {"code": code, "message": "no"}}).encode()
    result = client.interpret(status, {}, body)
    assert (result.outcome, result.code) == (expected, str(code))


def test_error_as_captured(payload):
    result = client.interpret(400, {}, payload("meta/error_131026.json"))
    assert (result.code, result.detail) == ("131026", "Message Undeliverable.")


def test_retry_after_is_kept():
    result = client.interpret(429, {"Retry-After": "7"}, b'{"error": {"code": 130429}}')
    assert result.retry_after == 7.0


def test_answer_that_is_no_json():
    assert client.interpret(502, {}, b"<html>").outcome is ResultClass.RETRY


def test_signature_is_of_the_raw_body(payload):
    body = payload("meta/status_read.json")
    good = "sha256=" + hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    assert webhook.verify(ACCOUNT, {"X-Hub-Signature-256": good}, body)
    assert not webhook.verify(ACCOUNT, {"X-Hub-Signature-256": good}, body + b" ")
    assert not webhook.verify(ACCOUNT, {}, body)


def test_read_status(payload):
    (update,) = webhook.parse(payload("meta/status_read.json"))
    assert update.state == "read"
    assert update.message_id == uuid.UUID("019a0000-0000-7000-8000-000000000001")
    assert update.key == "wamid.HBgLOTE5ODc2NTQzMjEw:read:1776000001"


def test_failed_status_without_our_id(payload):
    (update,) = webhook.parse(payload("meta/status_failed.json"))
    assert (update.state, update.code) == ("failed", "131049")
    assert update.message_id is None
    assert update.reference == "wamid.HBgLOTE5ODc2NTQzMjEx"
    assert update.error_class == "retry_later_24h"


def test_inbound_text_and_button(payload):
    text, button = webhook.parse(payload("meta/inbound_stop.json"))
    assert (text.address, text.text.strip(), text.opt_out) == ("+919876543210", "बंद", None)
    assert button.opt_out is True


def test_preference(payload):
    (preference,) = webhook.parse(payload("meta/preference_stop.json"))
    assert preference.opt_out is True


def test_template_rejected(payload):
    (update,) = webhook.parse(payload("meta/template_rejected.json"))
    assert (update.name, update.language) == ("diwali_offer_v1", "hi")
    assert (update.status, update.reason) == ("rejected", "INVALID_FORMAT")


@pytest.mark.parametrize("body", [b"{}", b"[]", b"nonsense", b'{"entry": [{"changes": [1]}]}'])
def test_what_is_not_a_webhook_is_refused(body):
    with pytest.raises(ValueError, match=r"not a webhook|Expecting value"):
        webhook.parse(body)
