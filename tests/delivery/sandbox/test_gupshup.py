"""The sandbox as Gupshup: templates, free text, callbacks of version 2."""

import json
from urllib.parse import urlencode

import pytest

ACCOUNT = {
    "provider": "gupshup",
    "credentials": {"api_key": "key", "app_name": "Lotus", "source": "919000000001"},
    "sent_delay_ms": 0,
    "delivered_delay_ms": 30,
    "read_delay_ms": 60,
}
TEMPLATE = {
    "provider": "gupshup",
    "owner": "gs",
    "name": "7f1c-uuid",
    "language": "bn",
    "body": {
        "components": [
            {"type": "BODY", "text": "নমস্কার {{1}}"},
            {
                "type": "BUTTONS",
                "buttons": [{"type": "URL", "text": "Book", "url": "https://x.test/{{1}}"}],
            },
        ]
    },
}


@pytest.fixture
def gupshup(sandbox, receiver):
    sandbox.control("PUT", "accounts/gs", {**ACCOUNT, "webhook_url": receiver.url})
    sandbox.control("PUT", "templates", [TEMPLATE])
    return sandbox


def send(gupshup, path="template/msg", key="key", **more):
    form = {
        "channel": "whatsapp",
        "source": "919000000001",
        "src.name": "Lotus",
        "destination": "919876543210",
        "template": json.dumps({"id": "7f1c-uuid", "params": ["আশা", "r/1"]}),
        **more,
    }
    return gupshup.ask("POST", f"/wa/api/v1/{path}", urlencode(form).encode(), {"apikey": key})


def say(gupshup, text="Hi", **more):
    return send(gupshup, "msg", message=json.dumps({"type": "text", "text": text}), **more)


def events(receiver, kind="message-event"):
    found = [json.loads(body) for _, body in list(receiver.posts)]
    return [one["payload"] for one in found if one["type"] == kind]


def test_template_message_is_enqueued_sent_delivered_and_read(gupshup, receiver):
    reply = send(gupshup)
    assert (reply.status, reply.json()["status"]) == (202, "submitted")
    own = reply.json()["messageId"]
    receiver.wait(lambda: len(events(receiver)) == 4)
    enqueued, *later = events(receiver)
    assert [e["type"] for e in events(receiver)] == ["enqueued", "sent", "delivered", "read"]
    assert enqueued["id"] == own
    assert {(e["gsId"], e["id"]) for e in later} == {
        (own, enqueued["payload"]["whatsappMessageId"])
    }


@pytest.mark.parametrize(
    ("ending", "code", "is_own"),
    [("0026", 1002, True), ("0049", 131049, False), ("0050", 131050, False)],
)
def test_endings_that_fail(gupshup, receiver, ending, code, is_own):
    own = send(gupshup, destination=f"91987654{ending}").json()["messageId"]
    receiver.wait(lambda: [e for e in events(receiver) if e["type"] == "failed"])
    failed = events(receiver)[-1]
    assert failed["payload"]["code"] == code
    assert (failed["id"] == own, "gsId" in failed) == (is_own, not is_own)


def test_wrong_count_of_parameters_is_told_later(gupshup, receiver):
    template = json.dumps({"id": "7f1c-uuid", "params": ["আশা"]})
    assert send(gupshup, template=template).status == 202
    receiver.wait(lambda: len(events(receiver)) == 2)
    assert events(receiver)[-1]["payload"]["code"] == 132000


@pytest.mark.parametrize(
    ("more", "status", "message"),
    [
        ({"key": "wrong"}, 401, "Authentication Failed"),
        ({"src.name": "Other"}, 400, "Invalid App Details"),
        ({"source": "1"}, 400, "Invalid App Details"),
        ({"channel": ""}, 400, "Invalid App Details"),
        ({"destination": "+91"}, 400, "Invalid Destination"),
        ({"template": '{"id": "none"}'}, 400, "Template Not Found"),
        ({"template": "nonsense"}, 400, "Invalid Message"),
    ],
)
def test_what_is_refused_is_not_accepted(gupshup, more, status, message):
    reply = send(gupshup, **more)
    assert (reply.status, reply.json()) == (status, {"status": "error", "message": message})
    assert gupshup.control("GET", "ledger/summary")["accepted"] == 0


def test_request_endings(gupshup):
    first, second = (send(gupshup, destination="919876540429") for _ in range(2))
    assert (first.status, first.json()["message"]) == (429, "Too Many Requests")
    assert second.status == 202
    assert send(gupshup, destination="919876540500").status == 500
    with gupshup.silent():
        send(gupshup, destination="919876540999")
    assert gupshup.control("GET", "ledger/summary")["accepted"] == 2


def test_same_message_twice_is_told_by_number_and_request(gupshup):
    template = json.dumps({"id": "7f1c-uuid", "params": ["আশা", "r/2"]})
    for more in ({}, {}, {"template": template}):
        send(gupshup, **more)
    found = gupshup.control("GET", "ledger/summary")
    assert (found["accepted"], found["referenced"], found["duplicated"]) == (3, 2, 1)


def test_free_text_needs_an_open_window(gupshup, receiver):
    say(gupshup, destination="919876500001")
    receiver.wait(lambda: len(events(receiver)) == 2)
    assert events(receiver)[-1]["payload"]["code"] == 131047
    body = {"account": "gs", "from": "+919876500001", "text": "STOP"}
    gupshup.control("POST", "inbound", body)
    receiver.wait(lambda: events(receiver, "message"))
    (said,) = events(receiver, "message")
    assert (said["source"], said["payload"]["text"]) == ("919876500001", "STOP")
    say(gupshup, destination="919876500001")
    receiver.wait(lambda: "read" in {e["type"] for e in events(receiver)})


def test_person_stops_marketing(gupshup, receiver):
    body = {"account": "gs", "from": "+919876500002", "value": "stop"}
    gupshup.control("POST", "preferences", body)
    receiver.wait(lambda: events(receiver, "preference-event"))
    (event,) = events(receiver, "preference-event")
    (said,) = event["payload"]["user_preferences"]
    assert (said["wa_id"], said["value"]) == ("919876500002", "stop")
    send(gupshup, destination="919876500002")
    receiver.wait(lambda: "failed" in {e["type"] for e in events(receiver)})
    assert events(receiver)[-1]["payload"]["code"] == 131050


def test_templates_are_listed(gupshup):
    reply = gupshup.ask("GET", "/wa/api/v1/template/list/Lotus", headers={"apikey": "key"})
    (template,) = reply.json()["templates"]
    assert (template["id"], template["status"]) == ("7f1c-uuid", "APPROVED")
    refused = gupshup.ask("GET", "/wa/api/v1/template/list/Lotus", headers={"apikey": "x"})
    assert refused.status == 401


def test_inbox_shows_the_filled_in_text(gupshup):
    send(gupshup)
    (bubble,) = gupshup.ask("GET", "/inbox/thread?to=%2B919876543210").json()
    assert (bubble["body"], bubble["language"]) == ("নমস্কার আশা", "bn")
