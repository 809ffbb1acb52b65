"""Meta: what we ask, what its answers and webhooks mean."""

import dataclasses
import datetime as dt
import hashlib
import hmac
import json

import pytest

from marketing.content.rendering import Parameters
from marketing.delivery.providers.base import Call, Inbound, Notice, StatusUpdate, TemplateUpdate
from marketing.delivery.providers.meta import client, webhook
from tests.delivery.providers.conftest import MESSAGE_ID, account, answer, envelope

ACCOUNT = account(
    "meta",
    credentials={"access_token": "token", "app_secret": "secret"},
    sender={"phone_number_id": "106", "waba_id": "102"},
)
RICH = Parameters(
    body=("आशा", "20%", "आशा"),
    header=("दिवाली",),
    buttons={0: "r/abc"},
    body_names=("first_name", "discount", "first_name"),
    header_names=("festival",),
)
# providers.md 1.1.7
CLASSES = {
    "fail_account": [0, 3, 10, 190, *range(200, 300), 368, 131005, 131031, 131037, 131042,
                     131044, 131045, 131048, 131063, 131064],
    "retry": [1, 2, 4, 80007, 130429, 131000, 131016, 131056, 131057, 132069, 133004, 133016,
              135000],
    "retry_later_24h": [131049],
    "fail_optout": [131050],
    "fail_recipient": [130472, 130497, 131021, 131026, 131030, 131062, 137000],
    "fail_content": [100, 131008, 131009, 131047, 131051, 131052, 131053, 132000, 132001, 132005,
                     132007, 132008, 132012, 132015, 132016, 132068],
}  # fmt: skip


def asked(envelope, **sender):
    changed = dataclasses.replace(ACCOUNT, sender={**ACCOUNT.sender, **sender})
    request = client.build(changed, [envelope])
    return request, json.loads(request.body)


def interpret(status, body, **headers):
    (result,) = client.interpret([envelope()], answer(status, body, **headers))
    return result


def parse(body):
    return webhook.parse(Call(url="", headers={}, body=body))


def test_template_message():
    request, body = asked(envelope(parameters=RICH, language="hi"))
    assert request.url == "http://127.0.0.1:1/v23.0/106/messages"
    assert request.headers["Authorization"] == "Bearer token"
    assert body["to"] == "919876543210"
    assert body["biz_opaque_callback_data"] == str(MESSAGE_ID)
    template = body["template"]
    assert (template["name"], template["language"]) == ("template-1", {"code": "hi"})
    assert [part["type"] for part in template["components"]] == ["header", "body", "button"]
    assert template["components"][1]["parameters"] == [
        {"type": "text", "text": "आशा"},
        {"type": "text", "text": "20%"},
        {"type": "text", "text": "आशा"},
    ]
    assert template["components"][2] == {
        "type": "button",
        "sub_type": "url",
        "index": "0",
        "parameters": [{"type": "text", "text": "r/abc"}],
    }


def test_named_variables_are_given_once_each():
    _, body = asked(envelope(parameters=RICH), parameter_format="NAMED")
    header, text, _ = body["template"]["components"]
    assert header["parameters"] == [
        {"type": "text", "parameter_name": "festival", "text": "दिवाली"}
    ]
    assert text["parameters"] == [
        {"type": "text", "parameter_name": "first_name", "text": "आशा"},
        {"type": "text", "parameter_name": "discount", "text": "20%"},
    ]


def test_business_scoped_user_is_named_as_recipient():
    _, body = asked(envelope("IN.1502576394655843"))
    assert body["recipient"] == "IN.1502576394655843"
    assert "to" not in body


def test_without_a_template_it_is_text():
    _, body = asked(envelope(vendor_template="", body="You will get no more."))
    assert (body["type"], body["text"]["body"]) == ("text", "You will get no more.")
    assert "template" not in body


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({}, "marketing_messages"),
        ({"is_promotional": False}, "messages"),
        ({"vendor_template": ""}, "messages"),
    ],
)
def test_only_marketing_templates_go_to_the_marketing_endpoint(values, path):
    request, _ = asked(envelope(**values), marketing_endpoint="marketing_messages")
    assert request.url == f"http://127.0.0.1:1/v23.0/106/{path}"


def test_accepted(payload):
    result = interpret(200, payload("meta/accepted.json"))
    assert (result.outcome, result.detail) == ("accepted", "")
    assert result.reference == "wamid.HBgLOTE5ODc2NTQzMjEw"


@pytest.mark.parametrize("status", ["held_for_quality_assessment", "paused"])
def test_held_and_paused_messages_are_accepted_and_say_so(status):
    said = {"messages": [{"id": "wamid.1", "message_status": status}]}
    result = interpret(200, said)
    assert (result.outcome, result.reference, result.detail) == ("accepted", "wamid.1", status)


@pytest.mark.parametrize(
    ("code", "expected"),
    [(code, expected) for expected, codes in CLASSES.items() for code in codes],
)
def test_every_code_in_answers_and_in_webhooks(code, expected):
    result = interpret(400, {"error": {"code": code, "message": "no"}})
    assert (result.outcome, result.code) == (expected, str(code))
    assert result.slows == (code in (4, 80007, 130429))
    assert result.suppress == {131050: "opted_out", 131026: "unreachable"}.get(code, "")
    status = {"id": "wamid.1", "status": "failed", "timestamp": "1", "errors": [{"code": code}]}
    value = {"statuses": [status]}
    (update,) = parse(
        json.dumps({"entry": [{"changes": [{"field": "messages", "value": value}]}]}).encode()
    )
    assert (update.state, update.code, update.error_class) == ("failed", str(code), expected)


@pytest.mark.parametrize(
    ("status", "expected", "slows"),
    [
        (400, "fail_content", False),
        (401, "fail_account", False),
        (403, "fail_account", False),
        (404, "fail_content", False),
        (429, "retry", True),
        (500, "retry", False),
        (503, "retry", False),
    ],
)
def test_an_unknown_code_goes_by_the_http_status(status, expected, slows):
    result = interpret(status, {"error": {"code": 999999, "message": "no"}})
    assert (result.outcome, result.code, result.slows) == (expected, "999999", slows)


def test_error_as_captured(payload):
    result = interpret(400, payload("meta/error_131026.json"))
    assert (result.code, result.detail) == ("131026", "Message Undeliverable.")


def test_how_long_to_wait():
    assert interpret(429, {"error": {"code": 130429}}, Retry_After="7").retry_after == 7.0
    pair = interpret(400, {"error": {"code": 131056}})
    assert (pair.retry_after, pair.slows) == (6.0, False)


def test_answer_that_is_no_json():
    result = interpret(502, b"<html>")
    assert (result.outcome, result.code) == ("retry", "http_502")
    assert interpret(429, b"").slows


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"messages": []}', b'{"messages": [{}]}'])
def test_an_answer_that_names_no_message_is_no_acceptance(body):
    result = interpret(200, body)
    assert (result.outcome, result.code) == ("unknown", "no_id")


def test_check_reads_the_number(payload):
    request = client.check(ACCOUNT)
    assert request.method == "GET"
    assert request.url.startswith("http://127.0.0.1:1/v23.0/106?fields=display_phone_number")
    assert client.explain_check(answer(200, payload("meta/number.json"))) == ""
    complaint = client.explain_check(answer(401, payload("meta/error_190.json")))
    assert "Session has expired" in complaint


def test_signature_is_of_the_raw_body(payload):
    body = payload("meta/status_read.json")
    good = "sha256=" + hmac.new(b"secret", body, hashlib.sha256).hexdigest()

    def is_right(given, body=body):
        headers = {"X-Hub-Signature-256": given} if given else {}
        return webhook.verify(ACCOUNT, Call(url="", headers=headers, body=body))

    assert is_right(good)
    assert not is_right(good, body + b" ")
    assert not is_right("")
    assert not is_right("sha256=ü")
    no_secret = dataclasses.replace(ACCOUNT, credentials={"access_token": "token"})
    empty = "sha256=" + hmac.new(b"", body, hashlib.sha256).hexdigest()
    assert not webhook.verify(no_secret, Call("", {"X-Hub-Signature-256": empty}, body))


def test_read_status(payload):
    (update,) = parse(payload("meta/status_read.json"))
    assert (update.state, update.message_id) == ("read", MESSAGE_ID)
    assert update.key == "wamid.HBgLOTE5ODc2NTQzMjEw:read:1776000001"


def test_failed_status_without_our_id(payload):
    (update,) = parse(payload("meta/status_failed.json"))
    assert (update.state, update.code) == ("failed", "131049")
    assert update.message_id is None
    assert update.reference == "wamid.HBgLOTE5ODc2NTQzMjEx"
    assert update.error_class == "retry_later_24h"


def test_status_of_a_person_with_a_username_names_no_phone(payload):
    (update,) = parse(payload("meta/status_scoped.json"))
    assert (update.state, update.message_id) == ("delivered", MESSAGE_ID)


def test_faults_of_the_api_become_notices(payload):
    (notice,) = parse(payload("meta/value_errors.json"))
    assert isinstance(notice, Notice)
    assert (notice.kind, notice.subject) == ("account", "15550001111")
    assert notice.text == "131053: Media file could not be read"


def test_inbound_text_and_button(payload):
    text, button = parse(payload("meta/inbound_stop.json"))
    assert (text.address, text.text.strip(), text.opt_out) == ("+919876543210", "बंद", None)
    assert button.opt_out is True


def test_inbound_of_a_person_with_a_username(payload):
    (said,) = parse(payload("meta/inbound_scoped.json"))
    assert isinstance(said, Inbound)
    assert (said.address, said.scoped_id, said.text) == ("", "IN.1502576394655843", "STOP")


def test_inbound_with_both_identities():
    message = {"from": "919876543210", "id": "w1", "timestamp": "1", "text": {"body": "Hi"}}
    contacts = [
        {"wa_id": "919876543211", "user_id": "IN.2"},
        {"wa_id": "919876543210", "user_id": "IN.1"},
    ]
    value = {"messages": [message], "contacts": contacts}
    body = {"entry": [{"changes": [{"field": "messages", "value": value}]}]}
    (said,) = parse(json.dumps(body).encode())
    assert (said.address, said.scoped_id) == ("+919876543210", "IN.1")


def test_interactive_reply_is_text():
    message = {
        "from": "919876543210",
        "id": "w1",
        "timestamp": "1",
        "type": "interactive",
        "interactive": {"type": "button_reply", "button_reply": {"id": "b1", "title": "Book"}},
    }
    body = {"entry": [{"changes": [{"field": "messages", "value": {"messages": [message]}}]}]}
    (said,) = parse(json.dumps(body).encode())
    assert (said.text, said.opt_out) == ("Book", None)


def test_preferences(payload):
    stop, resume = parse(payload("meta/preferences.json"))
    assert (stop.opt_out, stop.address, stop.scoped_id) == (True, "+919876543210", "")
    assert (resume.opt_out, resume.address, resume.scoped_id) == (False, "", "IN.77")


def test_template_rejected(payload):
    (update,) = parse(payload("meta/template_rejected.json"))
    assert isinstance(update, TemplateUpdate)
    assert (update.name, update.language) == ("diwali_offer_v1", "hi")
    assert (update.status, update.reason) == ("rejected", "INVALID_FORMAT")


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("APPROVED", "approved"),
        ("REINSTATED", "approved"),
        ("UNARCHIVED", "approved"),
        ("PENDING", "pending"),
        ("REJECTED", "rejected"),
        ("IN_APPEAL", "rejected"),
        ("LIMIT_EXCEEDED", "rejected"),
        ("PAUSED", "paused"),
        ("FLAGGED", "paused"),
        ("LOCKED", "paused"),
        ("ARCHIVED", "paused"),
        ("DISABLED", "disabled"),
        ("PENDING_DELETION", "disabled"),
        ("DELETED", "disabled"),
        ("SOMETHING_NEW", ""),
    ],
)
def test_every_template_status(payload, event, status):
    body = payload("meta/template_rejected.json").replace(b"REJECTED", event.encode())
    (update,) = parse(body)
    assert (update.status, update.said) == (status, event)
    assert update.at == dt.datetime.fromtimestamp(1776000000, dt.UTC)
    assert update.category == "MARKETING"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("template_category", {"category": "MARKETING"}),
        ("template_category_announced", {"next_category": "MARKETING"}),
        ("template_quality", {"quality": "YELLOW"}),
    ],
)
def test_category_and_quality_of_a_template(payload, name, told):
    (update,) = parse(payload(f"meta/{name}.json"))
    plain = TemplateUpdate(name="diwali_offer_v1", language="hi", at=update.at)
    assert update == dataclasses.replace(plain, **told)


def test_pause_says_why(payload):
    (update,) = parse(payload("meta/template_paused.json"))
    assert (update.status, update.reason) == ("paused", "FIRST_PAUSE: Low quality in 6 hours.")


@pytest.mark.parametrize(
    ("name", "kind", "subject", "words"),
    [
        ("number_quality", "number", "15550001111", "current_limit: TIER_10K"),
        ("account_update", "account", "", "event: ACCOUNT_VIOLATION"),
    ],
)
def test_news_of_the_account_become_notices(payload, name, kind, subject, words):
    (notice,) = parse(payload(f"meta/{name}.json"))
    assert isinstance(notice, Notice)
    assert (notice.kind, notice.subject) == (kind, subject)
    assert words in notice.text
    assert notice.key


@pytest.mark.parametrize("body", [b"{}", b"[]", b"nonsense", b'{"entry": [{"changes": [1]}]}'])
def test_what_is_not_a_webhook_is_refused(body):
    with pytest.raises(ValueError, match=r"not a webhook|Expecting value"):
        parse(body)


def test_fields_that_do_not_concern_us_say_nothing():
    body = {"entry": [{"changes": [{"field": "flows", "value": {"event": "x"}}]}]}
    assert parse(json.dumps(body).encode()) == []


def test_several_changes_in_one_request(payload):
    read = json.loads(payload("meta/status_read.json"))
    failed = json.loads(payload("meta/status_failed.json"))
    both = json.dumps({"entry": [*read["entry"], *failed["entry"]]}).encode()
    assert [type(item) for item in parse(both)] == [StatusUpdate, StatusUpdate]
