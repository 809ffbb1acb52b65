"""The sandbox as Meta: who may send, what is refused, what is called back."""

import hashlib
import hmac
import http.client
import json

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
SEND = "/v23.0/106/messages"


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


@pytest.mark.parametrize(
    ("ending", "code"),
    [("0026", 131026), ("0049", 131049), ("0050", 131050), ("0130", 131000)],
)
def test_endings_that_fail(meta, receiver, ending, code):
    send(meta, message(f"91987654{ending}"))
    receiver.wait(lambda: statuses(receiver))
    (status,) = statuses(receiver)
    assert (status["status"], status["errors"][0]["code"]) == ("failed", code)


def test_of_a_share_that_fails_nobody_is_reached(meta, receiver):
    account = {**ACCOUNT, "webhook_url": receiver.url, "failure_rate": 1}
    meta.control("PUT", "accounts/wa", account)
    send(meta, message())
    receiver.wait(lambda: statuses(receiver))
    (status,) = statuses(receiver)
    assert (status["status"], status["errors"][0]["code"]) == ("failed", 131026)


def test_0429_is_refused_once(meta):
    first, second = (send(meta, message("919876540429")) for _ in range(2))
    assert (first.status, first.headers["Retry-After"]) == (429, "1")
    assert first.json()["error"]["code"] == 130429
    assert second.status == 200


def test_0500_is_never_accepted(meta):
    assert send(meta, message("919876540500")).status == 500
    assert meta.control("GET", "ledger/summary")["accepted"] == 0


def test_0999_is_accepted_and_never_answered(meta):
    with meta.silent():
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
    receiver.wait(lambda: meta.control("GET", "ledger/summary")["owed"] == 0)
    found = meta.control("GET", "ledger/summary")
    assert (found["accepted"], found["duplicated"]) == (1, 0)


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


def free_text(to="919876500001"):
    return {
        "messaging_product": "whatsapp",
        "to": to,
        "type": "text",
        "text": {"body": "At five?"},
    }


def test_free_text_is_accepted_inside_the_window(meta, receiver):
    assert send(meta, free_text()).json()["error"]["code"] == 131047
    meta.control("POST", "inbound", {"account": "wa", "from": "+919876500001", "text": "When?"})
    assert send(meta, free_text()).status == 200
    assert send(meta, free_text("919876500002")).json()["error"]["code"] == 131047
    receiver.wait(lambda: len(statuses(receiver)) == 3)
    pricing = statuses(receiver)[0]["pricing"]
    assert (pricing["category"], pricing["billable"]) == ("service", False)


def test_person_without_a_number_is_written_to_by_her_user_id(meta, receiver):
    body = {**message(), "recipient": "IN.3724117084395812"}
    del body["to"]
    reply = send(meta, body)
    assert reply.json()["contacts"][0]["user_id"] == "IN.3724117084395812"
    receiver.wait(lambda: len(statuses(receiver)) == 3)
    assert {s["recipient_user_id"] for s in statuses(receiver)} == {"IN.3724117084395812"}
    assert not any("recipient_id" in s for s in statuses(receiver))
    assert send(meta, {**body, "recipient": "nobody"}).json()["error"]["code"] == 131009


def changes(receiver, field):
    return [
        change["value"]
        for _, body in list(receiver.posts)
        for change in json.loads(body)["entry"][0]["changes"]
        if change["field"] == field
    ]


def test_person_stops_marketing_and_resumes(meta, receiver):
    person = {"account": "wa", "from": "+919876500003"}
    meta.control("POST", "preferences", {**person, "value": "stop"})
    receiver.wait(lambda: changes(receiver, "user_preferences"))
    (said,) = changes(receiver, "user_preferences")[0]["user_preferences"]
    assert (said["wa_id"], said["value"]) == ("919876500003", "stop")
    send(meta, message("919876500003"))
    receiver.wait(lambda: statuses(receiver))
    assert statuses(receiver)[0]["errors"][0]["code"] == 131050
    meta.control("POST", "preferences", {**person, "value": "resume"})
    receiver.posts.clear()
    send(meta, message("919876500003"))
    receiver.wait(lambda: "read" in {s["status"] for s in statuses(receiver)})


def test_marketing_messages_takes_marketing_templates_only(meta):
    headers = {"Authorization": "Bearer token"}
    path = "/v23.0/106/marketing_messages"
    assert meta.ask("POST", path, message(), headers).status == 200
    body = {**TEMPLATE["body"], "category": "UTILITY"}
    utility = {**TEMPLATE, "name": "receipt", "body": body}
    meta.control("PUT", "templates", [utility])
    assert meta.ask("POST", path, message(template="receipt"), headers).status == 400
    assert meta.ask("POST", path, free_text(), headers).status == 400


def test_connection_is_tested_by_reading_the_number(meta):
    number = meta.ask("GET", "/v23.0/106", headers={"Authorization": "Bearer token"})
    assert (number.status, number.json()["id"]) == (200, "106")
    refused = meta.ask("GET", "/v23.0/106", headers={"Authorization": "Bearer wrong"})
    assert (refused.status, refused.json()["error"]["code"]) == (401, 190)
    unknown = meta.ask("GET", "/v23.0/107", headers={"Authorization": "Bearer token"})
    assert unknown.json()["error"]["code"] == 100
