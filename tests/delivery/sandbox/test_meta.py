"""The sandbox as Meta: who may send, what is refused, what is called back."""

import hashlib
import hmac
import http.client
import json
import urllib.error

import pytest

ACCOUNT = {
    "provider": "meta",
    "credentials": {
        "access_token": "token",
        "app_secret": "app-secret",
        "phone_number_id": "106",
        "waba_id": "102",
    },
    "sent_delay_ms": 0,
    "delivered_delay_ms": 30,
    "read_delay_ms": 60,
    "template_review_ms": 50,
}
TEMPLATE = {
    "provider": "meta",
    "owner": "102",
    "name": "diwali",
    "language": "hi",
    "body": {"components": [{"type": "BODY", "text": "नमस्ते {{1}}"}]},
}
SEND, TEMPLATES = "/v23.0/106/messages", "/v23.0/102/message_templates"


@pytest.fixture
def meta(sandbox, receiver):
    sandbox.control("PUT", "accounts/wa", {**ACCOUNT, "webhook_url": receiver.url})
    sandbox.control("PUT", "templates", [TEMPLATE])
    sandbox.control("POST", "plan", {"account": "wa", "faults": []})
    return sandbox


def message(to="919876543210", reference="ref-1", template="diwali", parameters=("आशा",)):
    given = [{"type": "text", "text": text} for text in parameters]
    return {
        "messaging_product": "whatsapp",
        "to": to,
        "type": "template",
        "template": {
            "name": template,
            "language": {"code": "hi"},
            "components": [{"type": "body", "parameters": given}],
        },
        "biz_opaque_callback_data": reference,
    }


def send(meta, body, token="token"):
    return meta.ask("POST", SEND, body, {"Authorization": f"Bearer {token}"})


def statuses(receiver):
    return [
        status
        for _, body in list(receiver.posts)
        for change in json.loads(body)["entry"][0]["changes"]
        for status in change["value"].get("statuses", [])
    ]


def test_accepted_message_is_sent_delivered_and_read(meta, receiver):
    reply = send(meta, message())
    assert reply.status == 200
    vendor_id = reply.json()["messages"][0]["id"]
    receiver.wait(lambda: len(statuses(receiver)) == 3)
    assert [s["status"] for s in statuses(receiver)] == ["sent", "delivered", "read"]
    assert {s["id"] for s in statuses(receiver)} == {vendor_id}
    assert {s["biz_opaque_callback_data"] for s in statuses(receiver)} == {"ref-1"}


def test_callbacks_are_signed_with_the_app_secret(meta, receiver):
    send(meta, message())
    receiver.wait(lambda: receiver.posts)
    headers, body = receiver.posts[0]
    expected = hmac.new(b"app-secret", body, hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature-256"] == f"sha256={expected}"


@pytest.mark.parametrize(("ending", "code"), [("0026", 131026), ("0049", 131049), ("0050", 131050)])
def test_endings_that_fail(meta, receiver, ending, code):
    send(meta, message(f"91987654{ending}"))
    receiver.wait(lambda: statuses(receiver))
    (status,) = statuses(receiver)
    assert (status["status"], status["errors"][0]["code"]) == ("failed", code)


def test_0429_is_refused_once(meta):
    first, second = (send(meta, message("919876540429")) for _ in range(2))
    assert (first.status, first.headers["Retry-After"]) == (429, "1")
    assert first.json()["error"]["code"] == 130429
    assert second.status == 200


def test_0500_is_never_accepted(meta):
    assert send(meta, message("919876540500")).status == 500
    assert meta.control("GET", "ledger/summary")["accepted"] == 0


def test_0999_is_accepted_and_never_answered(meta):
    with pytest.raises((TimeoutError, urllib.error.URLError)):
        send(meta, message("919876540999"))
    assert meta.control("GET", "ledger/summary")["accepted"] == 1


@pytest.mark.parametrize(
    ("body", "token", "status", "code"),
    [
        (message(), "wrong", 401, 190),
        (message(to="nobody"), "token", 400, 131009),
        (message(template="unknown"), "token", 404, 132001),
        (message(parameters=()), "token", 400, 132000),
        (message(parameters=("two\nlines",)), "token", 400, 132012),
        ({**message(), "messaging_product": "x"}, "token", 400, 100),
        ({**message(), "type": "text", "text": {"body": "Hi"}}, "token", 400, 131047),
        ({**message(), "type": "reaction"}, "token", 400, 131051),
        (b"nonsense", "token", 400, 100),
        ({**message(), "template": {"name": "diwali"}}, "token", 400, 100),
        ([1], "token", 400, 100),
    ],
)
def test_what_is_refused_is_not_accepted(meta, body, token, status, code):
    reply = send(meta, body, token)
    assert (reply.status, reply.json()["error"]["code"]) == (status, code)
    assert meta.control("GET", "ledger/summary")["accepted"] == 0


def test_rate_is_limited(meta, receiver):
    meta.control("PUT", "accounts/wa", {**ACCOUNT, "rate_per_second": 2})
    found = [send(meta, message(reference=str(n))).status for n in range(5)]
    assert found.count(429) >= 2
    assert found[:2] == [200, 200]


def test_template_is_reviewed(meta, receiver):
    body = {
        "name": "holi_v1",
        "language": "en",
        "category": "MARKETING",
        "components": [{"type": "BODY", "text": "Hi {{1}}", "example": {"body_text": [["Asha"]]}}],
    }
    headers = {"Authorization": "Bearer token"}
    assert meta.ask("POST", TEMPLATES, body, headers).json()["status"] == "PENDING"
    meta.ask("POST", TEMPLATES, {**body, "name": "holi_v1_reject"}, headers)

    def events():
        return {
            change["value"]["message_template_name"]: change["value"]["event"]
            for _, posted in list(receiver.posts)
            for change in json.loads(posted)["entry"][0]["changes"]
        }

    receiver.wait(lambda: len(events()) == 2)
    assert events() == {"holi_v1": "APPROVED", "holi_v1_reject": "REJECTED"}
    listed = meta.ask("GET", TEMPLATES, headers=headers).json()["data"]
    assert {t["name"]: t["status"] for t in listed}["holi_v1"] == "APPROVED"


def test_variable_without_example_is_refused(meta):
    body = {
        "name": "x",
        "language": "en",
        "category": "MARKETING",
        "components": [{"type": "BODY", "text": "Hi {{1}}"}],
    }
    reply = meta.ask("POST", TEMPLATES, body, {"Authorization": "Bearer token"})
    assert reply.status == 400


def test_person_writes(meta, receiver):
    meta.control("POST", "inbound", {"account": "wa", "from": "+919876543210", "text": "STOP"})
    receiver.wait(lambda: receiver.posts)
    (change,) = json.loads(receiver.posts[0][1])["entry"][0]["changes"]
    assert change["value"]["messages"][0]["text"]["body"] == "STOP"


def test_what_is_owed_survives_a_kill(meta, receiver):
    receiver.is_down = True
    send(meta, message())
    meta.kill()
    receiver.is_down = False
    meta.start()
    receiver.wait(lambda: len(statuses(receiver)) == 3)
    found = meta.control("GET", "ledger/summary")
    assert (found["accepted"], found["duplicated"], found["owed"]) == (1, 0, 0)


def test_ledger_tells_of_duplicates(meta):
    for reference in ("a", "a", "b"):
        send(meta, message(reference=reference))
    found = meta.control("GET", "ledger/summary")
    assert (found["accepted"], found["referenced"], found["duplicated"]) == (3, 2, 1)


def test_connection_drops_after_accept(meta):
    plan = {"account": "wa", "faults": [{"kind": "drop_after_accept", "count": 1}]}
    meta.control("POST", "plan", plan)
    with pytest.raises((http.client.HTTPException, OSError)):
        send(meta, message())
    assert meta.control("GET", "ledger/summary")["accepted"] == 1


@pytest.mark.parametrize("kind", ["duplicate_callbacks", "reorder_callbacks"])
def test_callbacks_come_twice_or_out_of_order(meta, receiver, kind):
    meta.control("POST", "plan", {"account": "wa", "faults": [{"kind": kind}]})
    send(meta, message())
    wanted = 6 if kind == "duplicate_callbacks" else 3
    receiver.wait(lambda: len(statuses(receiver)) == wanted)
    found = [s["status"] for s in statuses(receiver)]
    assert found == (
        ["sent", "sent", "delivered", "delivered", "read", "read"]
        if kind == "duplicate_callbacks"
        else ["read", "delivered", "sent"]
    )
