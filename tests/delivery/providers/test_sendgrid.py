"""SendGrid: what we ask, what its answers and events mean."""

import base64
import dataclasses
import json
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from marketing.content.rendering import Rendered
from marketing.delivery.providers.base import Account, Envelope
from marketing.delivery.providers.sendgrid import client, webhook
from marketing.delivery.rules import ResultClass

ACCOUNT = Account(
    id=uuid.uuid4(),
    provider="sendgrid",
    base_url="http://127.0.0.1:1",
    credentials={"api_key": "SG.x"},
    sender={"from_email": "hello@example.com", "from_name": "Parlour"},
    rate_per_second=10,
    max_concurrency=10,
)
MESSAGE_ID = uuid.UUID("019a0000-0000-7000-8000-000000000003")


def test_mail_has_both_parts_and_one_click_unsubscribe():
    request = client.build(
        ACCOUNT,
        Envelope(
            message_id=MESSAGE_ID,
            address="asha@example.com",
            language="en",
            rendered=Rendered(body="Hi", language="en", subject="Hello", html="<p>Hi</p>"),
            parameters=None,
            vendor_template="",
            unsubscribe_url="https://example.com/u/token",
        ),
    )
    body = json.loads(request.body)
    (personalization,) = body["personalizations"]
    assert personalization["custom_args"] == {"message_id": str(MESSAGE_ID)}
    assert personalization["headers"] == {
        "List-Unsubscribe": "<https://example.com/u/token>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert [part["type"] for part in body["content"]] == ["text/plain", "text/html"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (202, ResultClass.ACCEPTED),
        (400, ResultClass.FAIL_CONTENT),
        (401, ResultClass.FAIL_ACCOUNT),
        (429, ResultClass.RETRY),
        (503, ResultClass.RETRY),
    ],
)
def test_answers(status, expected):
    body = json.dumps({"errors": [{"message": "no", "field": None, "help": None}]}).encode()
    result = client.interpret(status, {"X-Message-Id": "abc123"}, body)
    assert result.outcome is expected
    assert result.reference == ("abc123" if status == 202 else "")


def test_events(payload):
    delivered, bounced, complained = webhook.parse(payload("sendgrid/events.json"))
    assert (delivered.state, delivered.message_id) == ("delivered", MESSAGE_ID)
    assert delivered.reference == "abc123"
    assert (bounced.state, bounced.code, bounced.reference) == ("failed", "bounce", "abc124")
    assert complained.opt_out is True
    assert complained.address == "asha@example.com"


def test_signature(payload):
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    account = dataclasses.replace(
        ACCOUNT, credentials={"webhook_public_key": base64.b64encode(public).decode()}
    )
    body = payload("sendgrid/events.json")
    signature = base64.b64encode(key.sign(b"1776000001" + body, ec.ECDSA(SHA256()))).decode()
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": "1776000001",
    }
    assert webhook.verify(account, headers, body)
    assert not webhook.verify(account, headers, body + b" ")
    assert not webhook.verify(account, {}, body)
    assert not webhook.verify(ACCOUNT, headers, body)
