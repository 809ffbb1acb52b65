"""SendGrid: what we ask, what its answers and events mean."""

import base64
import dataclasses
import json
import time
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from marketing.content.mail import Mail, MailLayout
from marketing.delivery.providers.base import Account, Answer, Call, Envelope
from marketing.delivery.providers.sendgrid import client, webhook
from marketing.delivery.rules import ResultClass

ACCOUNT = Account(
    id=uuid.uuid4(),
    provider="sendgrid",
    base_url="http://127.0.0.1:1",
    credentials={"api_key": "SG.x"},
    sender={"from_email": "hello@example.com", "from_name": "पार्लर"},
    rate_per_second=10,
    max_concurrency=10,
)
MESSAGE_ID = uuid.UUID("019a0000-0000-7000-8000-000000000003")
TABLE = "<table>" + "<tr><td>The same for everybody</td></tr>" * 400 + "</table>"
LAYOUT = MailLayout(
    language="en",
    subject=("For ", 0),
    body=("Hi ", 0, ",\n20% off\n", 1),
    html=("<p>Hi <b>", 0, f"</b></p>{TABLE}<a href='", 1, "'>No more</a>"),
)


def envelope(number=0, **changes):
    name = changes.pop("name", f"Asha {number}")
    link = f"https://example.com/u/token{number}"
    values = {
        "message_id": uuid.UUID(int=MESSAGE_ID.int + number),
        "address": f"asha{number}@example.com",
        "language": "en",
        "rendered": Mail(changes.pop("layout", LAYOUT), (name, link)),
        "parameters": None,
        "vendor_template": "",
        "unsubscribe_url": link,
    }
    return Envelope(**values | changes)


def token_of(envelope):
    return envelope.unsubscribe_url.rpartition("/")[2]


def read_by(body, person):
    """Subject, text and HTML as SendGrid makes them for one person."""
    texts = [body["subject"], *(part["value"] for part in body["content"])]
    for mark, value in (person.get("substitutions") or {}).items():
        texts = [text.replace(mark, value) for text in texts]
    return texts


def asked(envelopes):
    return json.loads(client.build(ACCOUNT, envelopes).body)


def test_everybody_gets_her_own_mail_from_one_call():
    envelopes = [envelope(number) for number in range(300)]
    (call,) = client.calls(ACCOUNT, envelopes)
    request = client.build(ACCOUNT, call)
    assert request.url == "http://127.0.0.1:1/v3/mail/send"
    assert request.headers["Authorization"] == "Bearer SG.x"
    body = json.loads(request.body)
    assert [part["type"] for part in body["content"]] == ["text/plain", "text/html"]
    assert body["from"] == {"email": "hello@example.com", "name": "पार्लर"}
    for each, person in zip(call, body["personalizations"], strict=True):
        assert person["to"] == [{"email": each.address}]
        assert person["custom_args"] == {"message_id": str(each.message_id)}
        assert person["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert person["headers"]["List-Unsubscribe"].startswith(
            f"<{each.unsubscribe_url}>, <mailto"
        )
        rendered = each.rendered
        assert read_by(body, person) == [rendered.subject, rendered.body, rendered.html]
        own = person["substitutions"]
        assert sum(len(key) + len(value.encode()) for key, value in own.items()) < 10_000
    assert len(request.body) < 300 * len(TABLE) / 4, "what is common is sent once"


def test_a_layout_without_gaps_needs_no_substitutions():
    layout = dataclasses.replace(LAYOUT, subject=("Hi",), body=("Hi",), html=())
    body = asked([envelope(1, layout=layout), envelope(2, layout=layout)])
    assert not any(person.get("substitutions") for person in body["personalizations"])
    assert (body["subject"], body["content"]) == ("Hi", [{"type": "text/plain", "value": "Hi"}])


def test_marks_cannot_be_guessed():
    one, other = (asked([envelope(1, layout=dataclasses.replace(LAYOUT))]) for _ in range(2))
    assert one["subject"] != other["subject"]


def test_links_are_not_rewritten_by_the_vendor():
    assert asked([envelope()])["tracking_settings"]["click_tracking"] == {"enable": False}


def test_other_languages_and_shapes_go_by_themselves():
    other = MailLayout("hi", ("x",), ("नमस्ते ", 0), ("<p>x</p>",))
    hindi = [envelope(number, layout=other, language="hi") for number in (1, 3)]
    english = [envelope(number) for number in (0, 2)]
    calls = client.calls(ACCOUNT, [english[0], hindi[0], english[1], hindi[1]])
    assert calls == [english, hindi]


def test_no_address_twice_in_a_call():
    mother, daughter = envelope(1), envelope(2, address="ASHA1@example.com")
    assert client.calls(ACCOUNT, [mother, daughter]) == [[mother], [daughter]]


def test_a_call_takes_a_thousand_people_at_most():
    envelopes = [envelope(number) for number in range(1001)]
    assert [len(call) for call in client.calls(ACCOUNT, envelopes)] == [1000, 1]


def test_who_has_too_much_of_her_own_goes_alone():
    long = envelope(2, name="आ" * 4000)
    assert client.calls(ACCOUNT, [envelope(1), long, envelope(3)]) == [
        [envelope(1), envelope(3)],
        [long],
    ]
    body = asked([long])
    (person,) = body["personalizations"]
    assert not person.get("substitutions")
    assert read_by(body, person) == [long.rendered.subject, long.rendered.body, long.rendered.html]


def test_addresses_are_written_as_the_wire_has_them():
    envelopes = [envelope(1, address="asha@Example.COM"), envelope(2, address="asha@münchen.de")]
    first, second = asked(envelopes)["personalizations"]
    assert first["to"] == [{"email": "asha@example.com"}]
    assert second["to"] == [{"email": "asha@xn--mnchen-3ya.de"}]
    assert first["custom_args"] != second["custom_args"]


def test_a_malformed_address_spoils_no_call():
    good, bad = envelope(1), envelope(2, address="a\r\nBcc: b@example.com")
    assert client.calls(ACCOUNT, [good, bad]) == [[good], [bad]]
    with pytest.raises(ValueError, match="not a"):
        client.build(ACCOUNT, [bad])


def test_other_mail_has_no_unsubscribe_headers():
    (person,) = asked([envelope(is_promotional=False)])["personalizations"]
    assert not person.get("headers")


def answered(status, body=b"", headers=(), count=2):
    envelopes = [envelope(number) for number in range(count)]
    return client.interpret(envelopes, Answer(status, dict(headers), body))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (202, ResultClass.ACCEPTED),
        (400, ResultClass.FAIL_CONTENT),
        (401, ResultClass.FAIL_ACCOUNT),
        (403, ResultClass.FAIL_ACCOUNT),
        (413, ResultClass.FAIL_CONTENT),
        (429, ResultClass.RETRY),
        (500, ResultClass.RETRY),
        (503, ResultClass.RETRY),
    ],
)
def test_an_answer_is_for_all_of_the_call(status, expected):
    body = json.dumps({"errors": [{"message": "no", "field": None, "help": None}]}).encode()
    results = answered(status, body, {"X-Message-Id": "abc123"})
    assert [result.outcome for result in results] == [expected] * 2
    # One id for two messages would be another message's.
    assert {result.reference for result in results} == {""}
    assert {result.slows for result in results} == {status == 429}


def test_too_many_requests_wait_for_the_limit_to_begin_anew():
    (result,) = answered(429, b"", {"X-RateLimit-Reset": str(int(time.time()) + 30)}, count=1)
    assert 25 < result.retry_after <= 30


def test_a_malformed_address_is_told_apart_from_the_others(payload):
    first, second, third = answered(400, payload("sendgrid/error_address.json"), count=3)
    assert (second.outcome, second.suppress) == (ResultClass.FAIL_RECIPIENT, "invalid")
    assert [first.outcome, third.outcome] == [ResultClass.RETRY] * 2
    assert not first.suppress


def test_a_malformed_address_alone_does_not_stop_the_campaign(payload):
    body = payload("sendgrid/error_address.json").replace(
        b"personalizations.1", b"personalizations.0"
    )
    (result,) = answered(400, body, count=1)
    assert (result.outcome, result.suppress) == (ResultClass.FAIL_RECIPIENT, "invalid")


def call(body, headers=()):
    return Call(url="https://example.com/webhooks/sendgrid/x", headers=dict(headers), body=body)


def test_events(payload):
    parsed = webhook.parse(call(payload("sendgrid/events.json")))
    *updates, opt_out = parsed
    assert [
        (update.key, update.state, update.code, update.error_class, update.suppress)
        for update in updates
    ] == [
        ("ev0", "sent", "", "", ""),
        ("ev1", "delivered", "", "", ""),
        ("ev2", "read", "", "", ""),
        ("ev3", "failed", "bounce", "fail_recipient", "hard_bounce"),
        ("ev4", "failed", "blocked", "fail_recipient", ""),
        ("ev5", "failed", "dropped", "fail_recipient", "hard_bounce"),
        ("ev6", "failed", "dropped", "fail_optout", "opted_out"),
        ("ev7", "failed", "dropped", "fail_recipient", "complaint"),
        ("ev9", "delivered", "", "", "complaint"),
    ]
    assert (updates[0].message_id, updates[0].reference) == (MESSAGE_ID, "abc123.recvd-1")
    assert updates[0].at.timestamp() == 1776000000
    assert updates[3].message_id is None
    assert updates[3].detail == "550 5.1.1 no such user"
    assert (opt_out.address, opt_out.opt_out) == ("asha@example.com", True)


@pytest.mark.parametrize(
    "body",
    [b"", b"[1]", b'["x"]', b'[{"event": "open"}]', b'[{"event": "open", "timestamp": 1}]'],
)
def test_what_is_not_events_is_refused(body):
    with pytest.raises(ValueError, match=r"event|Expecting"):
        webhook.parse(call(body))


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
    assert webhook.verify(account, call(body, headers))
    assert not webhook.verify(account, call(body + b" ", headers))
    later = headers | {"X-Twilio-Email-Event-Webhook-Timestamp": "1776000002"}
    assert not webhook.verify(account, call(body, later))
    assert not webhook.verify(account, call(body))
    assert not webhook.verify(ACCOUNT, call(body, headers))


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (200, {"scopes": ["mail.send", "alerts.read"]}, ""),
        (200, {"scopes": ["alerts.read"]}, "mail.send"),
        (200, {}, "not SendGrid"),
        (401, {"errors": [{"message": "authorization required"}]}, "authorization required"),
        (500, {}, "HTTP 500"),
    ],
)
def test_the_key_is_checked_for_sending(status, body, problem):
    assert client.check(ACCOUNT).method == "GET"
    explained = client.explain_check(Answer(status, {}, json.dumps(body).encode()))
    assert problem in explained
    assert bool(explained) == bool(problem)
