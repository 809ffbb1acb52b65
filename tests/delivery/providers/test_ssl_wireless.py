"""SSL Wireless: what we ask and what its answers mean."""

import dataclasses
import json

import pytest

from marketing.delivery.providers.ssl_wireless import client
from marketing.delivery.registry import vendor, webhook_of
from tests.delivery.providers.conftest import account, answer, envelope

ACCOUNT = account("ssl_wireless", credentials={"api_token": "token"}, sender={"sid": "PARLOURBD"})
TEXT = "নমস্কার আশা, ২০% ছাড়"
# providers.md 2.3
CLASSES = {
    "accepted": [4023],
    "fail_account": [4001, 4002, 4003, 4030, 4034, 4035],
    "fail_content": [4004, 4005, 4020, 4022, 4027, 4028, 4032],
    "fail_recipient": [4024, 4025, 4026],
    "retry": [4029, 4031, 4033, 5000],
}
OF_ONE_MESSAGE = (4020, 4023, 4024, 4025, 4026, 4027)


def people(count, **values):
    return [
        envelope(f"+88017123456{number:02}", number=number, body=TEXT, **values)
        for number in range(1, count + 1)
    ]


def interpret(envelopes, status, body, **headers):
    return client.interpret(envelopes, answer(status, body, **headers))


def row(one, status, **values):
    return {"sms_status": status, "csms_id": client.csms_id(one), "msisdn": "880", **values}


def test_each_gets_a_text_of_its_own():
    request = client.build(ACCOUNT, people(2))
    assert request.url == "http://127.0.0.1:1/api/v3/send-sms/dynamic"
    assert request.headers["Accept"] == "application/json"
    body = json.loads(request.body)
    assert (body["api_token"], body["sid"]) == ("token", "PARLOURBD")
    assert [(sms["msisdn"], sms["text"]) for sms in body["sms"]] == [
        ("8801712345601", TEXT),
        ("8801712345602", TEXT),
    ]


def test_our_id_is_short_lasting_and_ones_own():
    ids = [client.csms_id(one) for one in people(50)]
    assert ids == [client.csms_id(one) for one in people(50)]
    assert len(set(ids)) == 50
    assert all(len(one) == 20 and one.isalnum() for one in ids)


def test_calls_hold_a_hundred_and_no_number_twice():
    assert [len(call) for call in client.calls(ACCOUNT, [*people(99), *people(30)])] == [99, 30]
    different = [
        dataclasses.replace(one, address=f"+{n}") for n, one in enumerate(people(99) + people(60))
    ]
    assert [len(call) for call in client.calls(ACCOUNT, different)] == [100, 59]


def test_each_row_tells_its_own(payload):
    envelopes = people(5)
    said = json.loads(payload("ssl_wireless/dynamic.json"))
    for one, each in zip(envelopes, said["smsinfo"], strict=False):
        each["csms_id"] = client.csms_id(one)
    results = interpret(envelopes, 200, said)
    assert [result.outcome for result in results] == [
        "accepted", "fail_recipient", "accepted", "fail_recipient", "unknown",
    ]  # fmt: skip
    assert [result.suppress for result in results] == ["", "invalid", "", "", ""]
    assert results[0].reference == "64f1c0ffee01"
    assert results[2].reference == client.csms_id(envelopes[2])


def test_rows_are_matched_by_id_in_any_order():
    first, second = people(2)
    rows = [row(second, "BLOCKED"), row(first, "SUCCESS", reference_id="r1")]
    results = interpret([first, second], 200, {"status_code": 200, "smsinfo": rows})
    assert [result.outcome for result in results] == ["accepted", "fail_recipient"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [(code, expected) for expected, codes in CLASSES.items() for code in codes],
)
def test_every_code(code, expected):
    said = {"status": "FAILED", "status_code": code, "error_message": "no", "smsinfo": []}
    (result,) = interpret(people(1), 200, said)
    assert (result.outcome, result.detail) == (expected, "no")
    assert result.code == ("" if expected == "accepted" else str(code))
    assert result.slows == (code in (4029, 4031))
    assert result.suppress == ("invalid" if code == 4025 else "")
    together = {result.outcome for result in interpret(people(3), 200, said)}
    assert together == {"retry" if code in OF_ONE_MESSAGE else expected}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"status": "FAILED", "status_code": 4999, "error_message": "new"}, "fail_content"),
        (401, {"status_code": 0}, "fail_account"),
        (429, b"", "retry"),
        (500, b"<html>", "retry"),
        (200, b"<html>", "unknown"),
    ],
)
def test_unknown_codes_go_by_the_http_status(status, body, expected):
    (result,) = interpret(people(1), status, body)
    assert (result.outcome, result.slows) == (expected, status == 429)


def test_an_unknown_row_status_is_a_refusal():
    (one,) = people(1)
    (result,) = interpret([one], 200, {"status_code": 200, "smsinfo": [row(one, "EXPIRED")]})
    assert (result.outcome, result.code, result.suppress) == ("fail_recipient", "EXPIRED", "")


def test_may_be_repeated_and_never_calls_back():
    known = vendor("ssl_wireless")
    assert (known.is_idempotent, known.max_batch) == (True, 100)
    assert known.webhook is None
    with pytest.raises(KeyError):
        webhook_of("ssl_wireless")


def test_check_sends_nothing():
    request = client.check(ACCOUNT)
    assert json.loads(request.body)["sms"] == []
    for code in (200, 4004, 4022):
        assert client.explain_check(answer(200, {"status_code": code})) == ""
    refused = {"status_code": 4003, "error_message": "IP not allowed"}
    assert client.explain_check(answer(200, refused)) == "IP not allowed"
    assert client.explain_check(answer(502, b"")) == "HTTP 502"
