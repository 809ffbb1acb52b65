"""The sandbox as MSG91 and SendGrid, its control endpoints and its inbox."""

import base64
import json
from urllib.parse import parse_qs, quote

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

FAST = {"sent_delay_ms": 0, "delivered_delay_ms": 0, "read_delay_ms": 0}


@pytest.fixture
def msg91(sandbox, receiver):
    sandbox.control(
        "PUT",
        "accounts/sms",
        {
            "provider": "msg91",
            "credentials": {"authkey": "key"},
            "webhook_url": receiver.url,
            **FAST,
        },
    )
    text = {"text": "Hi ##VAR1##, see you soon."}
    sandbox.control(
        "PUT", "templates", [{"provider": "msg91", "owner": "sms", "name": "f1", "body": text}]
    )
    return sandbox


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


def flow(msg91, numbers=("919876543210",), key="key", **more):
    people = [{"mobiles": n, "CRQID": f"ref-{n}", "VAR1": "Asha"} for n in numbers]
    body = {"template_id": "f1", "recipients": people, **more}
    return msg91.ask("POST", "/api/v5/flow", body, {"authkey": key})


def test_flow_is_reported(msg91, receiver):
    request_id = flow(msg91, ("919876543210", "919876540049")).json()["message"]

    def reports():
        return [
            (request["requestId"], one["number"], one["status"], one["CRQID"])
            for _, body in list(receiver.posts)
            for request in json.loads(parse_qs(body.decode())["data"][0])
            for one in request["report"]
        ]

    receiver.wait(lambda: len(reports()) == 2)
    assert sorted(reports(), key=lambda r: r[2]) == [
        (request_id, "919876543210", "1", "ref-919876543210"),
        (request_id, "919876540049", "9", "ref-919876540049"),
    ]


@pytest.mark.parametrize(
    ("key", "more", "status"),
    [
        ("wrong", {}, 401),
        ("key", {"template_id": "none"}, 200),
        ("key", {"recipients": [{"mobiles": "919876543210"}]}, 200),
        ("key", {"recipients": [{"mobiles": "x"}]}, 200),
        ("key", {"recipients": []}, 200),
        ("key", {"recipients": None}, 400),
    ],
)
def test_flow_is_refused(msg91, key, more, status):
    reply = flow(msg91, key=key, **more)
    assert (reply.status, reply.json()["type"]) == (status, "error")
    assert msg91.control("GET", "ledger/summary")["accepted"] == 0


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


def test_control_needs_the_secret(sandbox):
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        assert sandbox.ask("GET", "/_sandbox/accounts", headers=headers).status == 401


@pytest.mark.parametrize(
    "account",
    [
        {"provider": "meta", "credentials": {}},
        {"provider": "nobody", "credentials": {}},
        {"provider": "msg91", "credentials": {"authkey": "k"}, "failure_rate": 2},
        {"provider": "msg91", "credentials": {"authkey": "k"}, "unknown": 1},
    ],
)
def test_bad_account_is_refused(sandbox, account):
    headers = {"Authorization": "Bearer control-secret"}
    assert sandbox.ask("PUT", "/_sandbox/accounts/x", account, headers).status == 400
    assert "x" not in {known["name"] for known in sandbox.control("GET", "accounts")}


def test_accounts_do_not_show_their_credentials(msg91):
    accounts = msg91.control("GET", "accounts")
    assert accounts
    assert not any("credentials" in account for account in accounts)


def test_inbox_shows_the_filled_in_text(msg91):
    flow(msg91)
    (bubble,) = msg91.ask("GET", f"/inbox/thread?to={quote('+919876543210')}").json()
    assert bubble["body"] == "Hi Asha, see you soon."
    (thread,) = msg91.ask("GET", "/inbox/threads?q=98765").json()
    assert thread["recipient"] == "+919876543210"


def test_inbox_shows_mail_that_can_do_nothing(sendgrid):
    mail(sendgrid)
    (bubble,) = sendgrid.ask("GET", "/inbox/thread?to=asha%40example.com").json()
    shown = sendgrid.ask("GET", f"/inbox/mail/{bubble['id']}")
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
