"""The sandbox as SendGrid: many people a call, each with her own; signed events."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

FAST = {"sent_delay_ms": 0, "delivered_delay_ms": 0, "read_delay_ms": 0}


@pytest.fixture
def sendgrid(sandbox, receiver):
    account = {
        "provider": "sendgrid",
        "credentials": {"api_key": "SG.x"},
        "webhook_url": receiver.url,
        **FAST,
    }
    sandbox.control("PUT", "accounts/mail", account)
    return sandbox


def mail(sendgrid, address="asha@example.com", key="SG.x"):
    body = {
        "personalizations": [{"to": [{"email": address}], "custom_args": {"message_id": "ref-1"}}],
        "from": {"email": "hello@example.com", "name": "Lotus"},
        "subject": "Diwali",
        "content": [
            {"type": "text/plain", "value": "Hi"},
            {"type": "text/html", "value": "<p>Hi</p><script>alert(1)</script>"},
        ],
    }
    return sendgrid.ask("POST", "/v3/mail/send", body, {"Authorization": f"Bearer {key}"})


def test_mail_is_reported_and_signed(sendgrid, receiver):
    reply = mail(sendgrid)
    assert (reply.status, reply.body) == (202, b"")

    def events():
        return [event for _, body in list(receiver.posts) for event in json.loads(body)]

    receiver.wait(lambda: len(events()) == 3)
    assert {event["event"] for event in events()} == {"processed", "delivered", "open"}
    assert {event["message_id"] for event in events()} == {"ref-1"}
    assert all(e["sg_message_id"].startswith(reply.headers["X-Message-Id"]) for e in events())
    account = {a["name"]: a for a in sendgrid.control("GET", "accounts")}["mail"]
    key = load_der_public_key(base64.b64decode(account["webhook_public_key"]))
    headers, body = receiver.posts[0]
    stamp = headers["X-Twilio-Email-Event-Webhook-Timestamp"].encode()
    signature = base64.b64decode(headers["X-Twilio-Email-Event-Webhook-Signature"])
    key.verify(signature, stamp + body, ec.ECDSA(SHA256()))


def test_mail_bounces(sendgrid, receiver):
    mail(sendgrid, "asha.0026@example.com")
    receiver.wait(lambda: receiver.posts)
    (event,) = json.loads(receiver.posts[0][1])
    assert (event["event"], event["status"]) == ("bounce", "5.1.1")


def test_mail_needs_the_key(sendgrid):
    assert mail(sendgrid, key="SG.y").status == 401
    assert mail(sendgrid, address="nobody").status == 400


def batch(sendgrid, people, **more):
    body = {
        "personalizations": people,
        "from": {"email": "hello@example.com", "name": "Lotus"},
        "content": [
            {"type": "text/plain", "value": "Hi -name-"},
            {"type": "text/html", "value": "<p>Hi -name-</p>"},
        ],
        **more,
    }
    return sendgrid.ask("POST", "/v3/mail/send", body, {"Authorization": "Bearer SG.x"})


def person(name, **more):
    return {
        "to": [{"email": f"{name}@example.com"}],
        "subject": f"Diwali, {name}",
        "substitutions": {"-name-": name},
        "headers": {"List-Unsubscribe": f"<https://x.test/u/{name}>"},
        "custom_args": {"message_id": f"ref-{name}"},
        **more,
    }


def events(receiver):
    return [event for _, body in list(receiver.posts) for event in json.loads(body)]


def accepted(sendgrid):
    return sendgrid.control("GET", "ledger/summary")["accepted"]


def test_each_person_has_her_own_subject_text_and_id(sendgrid, receiver):
    reply = batch(sendgrid, [person("asha"), person("ravi")])
    receiver.wait(lambda: len(events(receiver)) == 6)
    found = {(event["email"], event["message_id"]) for event in events(receiver)}
    assert found == {("asha@example.com", "ref-asha"), ("ravi@example.com", "ref-ravi")}
    assert len({event["sg_event_id"] for event in events(receiver)}) == 6
    assert all(
        e["sg_message_id"].startswith(reply.headers["X-Message-Id"]) for e in events(receiver)
    )
    (bubble,) = sendgrid.ask("GET", "/inbox/thread?to=ravi%40example.com").json()
    assert bubble["subject"] == "Diwali, ravi"
    assert bubble["headers"]["List-Unsubscribe"] == "<https://x.test/u/ravi>"
    assert sendgrid.ask("GET", f"/inbox/mail/{bubble['id']}").body == b"<p>Hi ravi</p>"


def test_a_thousand_a_call_and_no_more(sendgrid):
    people = [person(f"p{n}") for n in range(1001)]
    assert batch(sendgrid, people).status == 400
    assert accepted(sendgrid) == 0
    assert batch(sendgrid, people[:1000]).status == 202
    assert accepted(sendgrid) == 1000


@pytest.mark.parametrize(
    ("people", "more"),
    [
        ([], {}),
        ([person("a"), person("A")], {}),
        ([person("a", subject="")], {}),
        ([person("a", custom_args={"n": 1})], {}),
        ([person("a", to=[])], {}),
        ([person("a", to=[{"email": "no at"}])], {}),
        ([person("a")], {"from": {"email": "nobody"}}),
        ([person("a")], {"content": []}),
        ([person("a")], {"content": [{"type": "text/plain", "value": ""}]}),
    ],
)
def test_what_is_refused_is_not_accepted(sendgrid, people, more):
    reply = batch(sendgrid, people, **more)
    assert (reply.status, list(reply.json())) == (400, ["errors"])
    assert accepted(sendgrid) == 0


def test_a_bad_address_is_named(sendgrid):
    reply = batch(sendgrid, [person("a"), person("b", to=[{"email": "b@x y.com"}])])
    assert reply.json()["errors"][0]["field"] == "personalizations.1.to.0.email"


def test_a_mail_in_sandbox_mode_is_only_checked(sendgrid):
    mode = {"mail_settings": {"sandbox_mode": {"enable": True}}}
    assert batch(sendgrid, [person("a")], **mode).status == 200
    assert accepted(sendgrid) == 0


@pytest.mark.parametrize(
    ("ending", "event", "kind"),
    [
        ("0049", "bounce", "blocked"),
        ("0050", "dropped", None),
        ("0051", "spamreport", None),
    ],
)
def test_endings(sendgrid, receiver, ending, event, kind):
    mail(sendgrid, f"asha.{ending}@example.com")
    receiver.wait(lambda: event in {one["event"] for one in events(receiver)})
    (found,) = (one for one in events(receiver) if one["event"] == event)
    assert found.get("type") == kind


def test_request_endings(sendgrid):
    first, second = (mail(sendgrid, "a.0429@example.com") for _ in range(2))
    assert (first.status, second.status) == (429, 202)
    assert int(first.headers["X-RateLimit-Reset"]) > 0
    assert mail(sendgrid, "a.0500@example.com").status == 500
    with sendgrid.silent():
        mail(sendgrid, "a.0999@example.com")
    assert accepted(sendgrid) == 2


def test_connection_is_tested_by_its_scopes(sendgrid):
    headers = {"Authorization": "Bearer SG.x"}
    assert sendgrid.ask("GET", "/v3/scopes", headers=headers).json() == {"scopes": ["mail.send"]}
    assert sendgrid.ask("GET", "/v3/scopes").status == 401
