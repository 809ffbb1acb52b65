"""Gupshup: what we ask, what its answers and callbacks mean."""

import dataclasses
import datetime as dt
import json
from urllib.parse import parse_qs

import pytest

from marketing.content.rendering import Parameters
from marketing.delivery.providers.base import Call, Notice
from marketing.delivery.providers.gupshup import client, webhook
from tests.delivery.providers.conftest import account, answer, envelope

ACCOUNT = account(
    "gupshup",
    credentials={"api_key": "key"},
    sender={"source": "+91 80000 00000", "app_name": "ParlourApp"},
)
GUPSHUP_ID = "ee4a68a0-1203-4c85-8dc3-49d0b3226a35"
# providers.md 1.2.4, and a few of Meta's that async failures carry
CLASSES = {
    "fail_account": [1003, 9999, 131042],
    "retry": [500, 4001, 4002, 131056],
    "fail_optout": [1012, 131050],
    "fail_recipient": [1002, 1006, 1007, 1008, 131026],
    "fail_content": [470, 1004, 1005, 1009, 1010, 1011, 4003, 4005, 132001],
    "retry_later_24h": [131049],
}


def asked(envelope):
    request = client.build(ACCOUNT, [envelope])
    return request, {name: value for name, (value,) in parse_qs(request.body.decode()).items()}


def interpret(status, body, **headers):
    (result,) = client.interpret([envelope()], answer(status, body, **headers))
    return result


def parse(body):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return webhook.parse(Call(url="", headers={}, body=content))


def event(kind, payload):
    return {"app": "A", "timestamp": 1776000001500, "version": 2, "type": kind, "payload": payload}


def test_template_message():
    rich = Parameters(body=("Asha", "20%"), header=("Diwali",), buttons={1: "b", 0: "a"})
    request, form = asked(envelope(parameters=rich, vendor_template=GUPSHUP_ID))
    assert request.url == "http://127.0.0.1:1/wa/api/v1/template/msg"
    assert request.headers["apikey"] == "key"
    assert {name: form[name] for name in ("channel", "source", "src.name", "destination")} == {
        "channel": "whatsapp",
        "source": "918000000000",
        "src.name": "ParlourApp",
        "destination": "919876543210",
    }
    assert json.loads(form["template"]) == {
        "id": GUPSHUP_ID,
        "params": ["Diwali", "Asha", "20%", "a", "b"],
    }


def test_free_text():
    request, form = asked(envelope(vendor_template="", body="You will get no more."))
    assert request.url == "http://127.0.0.1:1/wa/api/v1/msg"
    assert json.loads(form["message"]) == {"type": "text", "text": "You will get no more."}
    assert "template" not in form


@pytest.mark.parametrize("status", ["submitted", "success"])
def test_accepted(status):
    result = interpret(202, {"status": status, "messageId": GUPSHUP_ID})
    assert (result.outcome, result.reference) == ("accepted", GUPSHUP_ID)


def test_accepted_as_captured(payload):
    assert interpret(202, payload("gupshup/submitted.json"), Content_Type="text/html").reference


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"status": "error", "message": "Invalid Destination"}, "fail_recipient"),
        (400, {"status": "error", "message": "Invalid App Details"}, "fail_account"),
        (400, {"status": "error", "message": "Template Not Found"}, "fail_content"),
        (401, {"status": "error", "message": "Authentication Failed"}, "fail_account"),
        (200, {"status": "error", "message": "Low balance in wallet"}, "fail_account"),
        (200, {"status": "error", "message": "something"}, "fail_content"),
        (429, {"status": "error", "message": "Too Many Requests"}, "retry"),
        (500, b"<html>", "retry"),
        (503, b"", "retry"),
        (202, {"status": "submitted"}, "unknown"),
        (202, b"ok", "unknown"),
    ],
)
def test_refusals_by_message_then_by_status(status, body, expected):
    result = interpret(status, body)
    assert (result.outcome, result.slows) == (expected, status == 429)
    assert result.reference == ""


@pytest.mark.parametrize(
    ("code", "expected"),
    [(code, expected) for expected, codes in CLASSES.items() for code in codes],
)
def test_every_code_in_answers_and_in_callbacks(code, expected):
    result = interpret(400, {"status": "error", "code": code, "message": "no"})
    assert (result.outcome, result.code) == (expected, str(code))
    assert result.slows == (code == 4001)
    failed = {"id": "wa1", "gsId": "gs1", "type": "failed", "payload": {"code": code}}
    (update,) = parse(event("message-event", failed))
    assert (update.state, update.code, update.error_class) == ("failed", str(code), expected)
    assert update.suppress == (
        "opted_out" if expected == "fail_optout" else "unreachable" if code == 131026 else ""
    )


def test_the_journey_of_a_message(payload):
    updates = [item for name in ("enqueued", "sent", "delivered", "read")
               for item in parse(payload(f"gupshup/{name}.json"))]  # fmt: skip
    assert [update.state for update in updates] == ["sent", "sent", "delivered", "read"]
    assert {update.reference for update in updates} == {GUPSHUP_ID}
    assert [update.alias for update in updates] == ["gBEGkYiEB1VXAglK", "gBEGkYiEB1VXAglK", "", ""]
    assert updates[1].at == dt.datetime(2026, 4, 12, 13, 20, 1, tzinfo=dt.UTC)
    assert len({update.key for update in updates}) == 4


def test_failures_sync_and_async_are_keyed_alike(payload):
    (at_once,) = parse(payload("gupshup/failed_sync.json"))
    (later,) = parse(payload("gupshup/failed_async.json"))
    assert (at_once.reference, at_once.code) == (GUPSHUP_ID, "1002")
    assert (later.reference, later.code) == (GUPSHUP_ID, "131049")
    assert "not a valid WhatsApp user" in at_once.detail


def test_a_late_event_names_whatsapps_id_alone():
    late = {"id": "gBEGkYiEB1VXAglK", "type": "read", "payload": {"ts": 1776000003}}
    (update,) = parse(event("message-event", late))
    assert (update.reference, update.alias) == ("gBEGkYiEB1VXAglK", "")


def test_deleted_says_nothing_of_delivery():
    (update,) = parse(event("message-event", {"id": "wa1", "gsId": "gs1", "type": "deleted"}))
    assert update.state == ""


def test_version_3_is_metas_envelope(payload):
    (update,) = parse(payload("gupshup/v3_status.json"))
    assert (update.state, update.reference) == ("delivered", GUPSHUP_ID)


def test_version_3_tells_in_milliseconds_that_gupshup_has_the_message(payload):
    (update,) = parse(payload("gupshup/v3_enqueued.json"))
    assert (update.state, update.reference) == ("sent", GUPSHUP_ID)
    assert (update.alias, update.at) == (
        "wamid.HBgL",
        dt.datetime(2026, 4, 12, 13, 20, tzinfo=dt.UTC),
    )


@pytest.mark.parametrize(
    ("code", "error_class", "suppress"),
    [(1002, "fail_recipient", ""), (1012, "fail_optout", "opted_out"),
     (131026, "fail_recipient", "unreachable"), (131050, "fail_optout", "opted_out")],
)  # fmt: skip
def test_version_3_has_gupshups_codes_and_metas(payload, code, error_class, suppress):
    (update,) = parse(payload("gupshup/v3_failed.json").replace(b"1002", str(code).encode()))
    assert (update.state, update.reference, update.code) == ("failed", GUPSHUP_ID, str(code))
    assert (update.error_class, update.suppress) == (error_class, suppress)


def test_a_late_event_of_version_3_names_whatsapps_id_alone(payload):
    late = payload("gupshup/v3_status.json").replace(b'"gs_id"', b'"other"')
    (update,) = parse(late)
    assert (update.reference, update.alias) == ("wamid.HBgL", "")


@pytest.mark.parametrize(
    ("name", "text", "opt_out"),
    [("text", "STOP", None), ("quick_reply", "Stop promotions", True),
     ("text_button", "Stop promotions", True)],
)  # fmt: skip
def test_inbound(payload, name, text, opt_out):
    (said,) = parse(payload(f"gupshup/inbound_{name}.json"))
    assert (said.address, said.text, said.opt_out) == ("+919876543210", text, opt_out)
    assert said.scoped_id == ("IN.1502576394655843" if name == "text" else "")


def test_preferences(payload):
    stop, resume = parse(payload("gupshup/preferences.json"))
    assert (stop.opt_out, stop.address) == (True, "+919876543210")
    assert (resume.opt_out, resume.scoped_id) == (False, "IN.77")


@pytest.mark.parametrize(("kind", "expected"), [("opted-out", True), ("opted-in", False)])
def test_legacy_opt_outs(kind, expected):
    (said,) = parse(event("user-event", {"phone": "919876543210", "type": kind}))
    assert (said.opt_out, said.address) == (expected, "+919876543210")


@pytest.mark.parametrize(
    ("given", "status"),
    [("approved", "approved"), ("rejected", "rejected"), ("disabled", "disabled"),
     ("paused", "paused"), ("deleted", "disabled")],
)  # fmt: skip
def test_template_events(payload, given, status):
    body = payload("gupshup/template.json").replace(b'"approved"', f'"{given}"'.encode())
    (update,) = parse(body)
    assert (update.name, update.language, update.status) == ("diwali_offer_v1", "hi", status)


def test_account_events_become_notices(payload):
    (notice,) = parse(payload("gupshup/account.json"))
    assert isinstance(notice, Notice)
    assert (notice.kind, notice.subject) == ("account", "ParlourApp")
    assert "TIER_10K" in notice.text


@pytest.mark.parametrize(
    ("said", "is_free"),
    [
        ({"type": "regular", "billable": True}, False),
        ({"type": "regular", "billable": False}, True),
        ({"type": "free_entry_point", "billable": True}, True),
        ({"type": "free_customer_service"}, True),
    ],
)
def test_a_billing_event_says_whether_the_message_is_charged(said, is_free):
    deductions = {"model": "PMP", "source": "whatsapp", "category": "marketing", **said}
    references = {"id": "wamid.1", "gsId": "gs-1", "destination": "919876543210"}
    (update,) = parse(event("billing-event", {"deductions": deductions, "references": references}))
    assert (update.reference, update.state, update.is_free) == ("gs-1", "", is_free)


@pytest.mark.parametrize("kind", ["sandbox-start", "something-new"])
def test_what_does_not_concern_us_says_nothing(kind):
    assert parse(event(kind, {"id": "x", "type": "sandbox-start"})) == []


@pytest.mark.parametrize("body", [b"{}", b"[]", b"nonsense", b'{"type": "message-event"}'])
def test_what_is_not_a_callback_is_refused(body):
    with pytest.raises(ValueError, match=r"not a callback|Expecting value"):
        parse(body)


def test_the_agreed_header_is_checked_where_there_is_one():
    agreed = dataclasses.replace(ACCOUNT, credentials={"api_key": "k", "callback_secret": "s3cret"})
    assert webhook.verify(ACCOUNT, Call("", {}, b"{}"))
    assert webhook.verify(agreed, Call("", {"X-Callback-Secret": "s3cret"}, b"{}"))
    assert not webhook.verify(agreed, Call("", {"X-Callback-Secret": "s3cre"}, b"{}"))
    assert not webhook.verify(agreed, Call("", {}, b"{}"))


def test_check_lists_the_templates(payload):
    request = client.check(ACCOUNT)
    assert (request.method, request.url) == (
        "GET",
        "http://127.0.0.1:1/wa/api/v1/template/list/ParlourApp",
    )
    assert client.explain_check(answer(200, payload("gupshup/templates.json"))) == ""
    refused = answer(401, {"status": "error", "message": "Authentication Failed"})
    assert client.explain_check(refused) == "Authentication Failed"
    assert client.explain_check(answer(502, b"<html>")) == "HTTP 502"
