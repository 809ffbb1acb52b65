"""MSG91: what we ask, what its answers and delivery reports mean."""

import dataclasses
import datetime as dt
import json
from urllib.parse import urlencode

import pytest

from marketing.delivery.providers.base import Call
from marketing.delivery.providers.msg91 import client, webhook
from tests.delivery.providers.conftest import account, answer, envelope

ACCOUNT = account(
    "msg91", credentials={"authkey": "key"}, sender={"header": "PARLOR", "entity_id": "1"}
)
# providers.md 2.1.1
CLASSES = {
    "fail_account": ["106", "207", "208", "301", "302", "303", "418"],
    "fail_recipient": ["202", "311"],
    "fail_content": ["101", "102", "103", "203", "307"],
    "retry": ["306"],
}
# providers.md 2.1.2
REPORTS = [
    ("1", "delivered", "", ""),
    ("2", "failed", "2", "fail_recipient"),
    ("9", "failed", "9", "fail_recipient"),
    ("16", "failed", "16", "fail_content"),
    ("17", "failed", "17", "fail_recipient"),
    ("25", "failed", "25", "fail_content"),
    ("99", "", "", ""),
]


def people(count, **values):
    return [
        envelope(f"+9198765432{number:02}", number=number, **values)
        for number in range(1, count + 1)
    ]


def interpret(envelopes, status, body, **headers):
    return client.interpret(envelopes, answer(status, body, **headers))


def parse(body):
    return webhook.parse(Call(url="", headers={}, body=body))


def test_flow_request_for_many():
    request = client.build(ACCOUNT, people(2, vendor_template="flow-1"))
    assert request.url == "http://127.0.0.1:1/api/v5/flow"
    assert request.headers["authkey"] == "key"
    body = json.loads(request.body)
    assert (body["template_id"], body["short_url"]) == ("flow-1", "0")
    assert body["recipients"] == [
        {"mobiles": "919876543201", "VAR1": "Asha", "VAR2": "20%"},
        {"mobiles": "919876543202", "VAR1": "Asha", "VAR2": "20%"},
    ]


def test_calls_are_cut_by_the_accounts_size():
    assert [len(call) for call in client.calls(ACCOUNT, people(99) + people(60))] == [99, 60]
    small = dataclasses.replace(ACCOUNT, sender={**ACCOUNT.sender, "batch_size": "25"})
    assert [len(call) for call in client.calls(small, people(60))] == [25, 25, 10]


def test_no_number_is_in_a_call_twice_and_nothing_is_lost():
    envelopes = [*people(3), *people(2), *people(1)]
    calls = client.calls(ACCOUNT, envelopes)
    assert [len(call) for call in calls] == [3, 2, 1]
    assert [one for call in calls for one in call] == envelopes


def test_a_call_holds_one_flow():
    first, second = people(2, vendor_template="hi"), people(2, vendor_template="en")
    mixed = [first[0], second[0], first[1], second[1]]
    assert client.calls(ACCOUNT, mixed) == [first, second]


def test_what_was_refused_twice_goes_alone():
    calls = client.calls(ACCOUNT, [*people(2, tries=2), *people(2, tries=3)])
    assert [len(call) for call in calls] == [2, 1, 1]


def test_one_request_id_names_each_by_number(payload):
    results = interpret(people(2), 200, payload("msg91/success.json"))
    assert [(result.outcome, result.reference) for result in results] == [
        ("accepted", "346b6f4a7a3356:919876543201"),
        ("accepted", "346b6f4a7a3356:919876543202"),
    ]


@pytest.mark.parametrize(
    ("code", "expected"),
    [(code, expected) for expected, codes in CLASSES.items() for code in codes],
)
def test_every_code(code, expected):
    (result,) = interpret([envelope()], 200, {"type": "error", "code": code, "message": "no"})
    assert (result.outcome, result.code, result.detail) == (expected, code, "no")
    assert result.suppress == ("invalid" if code == "202" else "")
    assert not result.slows


def test_one_bad_number_does_not_fail_its_neighbours():
    results = interpret(people(3), 200, {"type": "error", "code": "202", "message": "Invalid"})
    assert [(result.outcome, result.suppress) for result in results] == [("retry", "")] * 3


def test_closed_hours_are_waited_for():
    (result,) = interpret([envelope()], 200, {"type": "error", "code": "306"})
    assert (result.retry_after, result.slows) == (1800.0, False)


@pytest.mark.parametrize(
    ("status", "body", "expected", "slows"),
    [
        (200, {"type": "error", "message": "bad template"}, "fail_content", False),
        (400, {"type": "error", "message": "no"}, "fail_content", False),
        (401, {"type": "error", "message": "authkey"}, "fail_account", False),
        (403, b"", "fail_account", False),
        (418, {"type": "error", "message": "IP is not whitelisted"}, "fail_account", False),
        (429, {"type": "error"}, "retry", True),
        (500, b"<html>", "retry", False),
        (200, b"<html>", "unknown", False),
    ],
)
def test_type_decides_then_the_status(status, body, expected, slows):
    (result,) = interpret([envelope()], status, body)
    assert (result.outcome, result.slows, result.reference) == (expected, slows, "")


@pytest.mark.parametrize(("status", "state", "code", "kind"), REPORTS)
def test_every_report_in_versions_2_and_3(payload, status, state, code, kind):
    v2 = payload("msg91/report_v2.json").replace(b'"status":"1"', f'"status":"{status}"'.encode())
    v3 = payload("msg91/report_v3.json").replace(b'"status":"1"', f'"status":"{status}"'.encode())
    form = urlencode({"data": v2.decode()}).encode()
    for update in (parse(form)[0], parse(v3)[0]):
        assert (update.state, update.code, update.error_class) == (state, code, kind)
        assert update.reference == "346b6f4a7a3356:919876543210"
        assert update.message_id is None


def test_reports_of_a_call_are_told_apart(payload):
    delivered, dnd = parse(urlencode({"data": payload("msg91/report_v2.json").decode()}).encode())
    assert delivered.at.astimezone(dt.UTC) == dt.datetime(2026, 5, 22, 4, 36, 20, tzinfo=dt.UTC)
    assert dnd.reference == "346b6f4a7a3356:919876543211"
    assert (dnd.state, dnd.detail) == ("failed", "DND number")
    assert (delivered.is_on_dnd, dnd.is_on_dnd) == (False, True)
    assert delivered.key != dnd.key


@pytest.mark.parametrize("body", [b"", b"data=nonsense", b"data=%5B1%5D", b'{"status": "1"}'])
def test_what_is_not_a_report_is_refused(body):
    with pytest.raises(ValueError, match=r"not a delivery report|Expecting value"):
        parse(body)


def test_check_asks_for_the_balance(payload):
    request = client.check(ACCOUNT)
    assert request.method == "GET"
    assert request.url == "http://127.0.0.1:1/api/balance.php?authkey=key&type=4"
    assert client.explain_check(answer(200, b"100000")) == ""
    refused = answer(200, payload("msg91/balance_refused.json"))
    assert client.explain_check(refused) == "Authentication failure"
    assert client.explain_check(answer(500, b"<html>")) == "HTTP 500"
