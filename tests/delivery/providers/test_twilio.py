"""Twilio: what we ask over both channels, what its answers and callbacks mean."""

import base64
import dataclasses
import datetime as dt
import hashlib
import hmac
import json
import uuid
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from marketing.content.rendering import Parameters
from marketing.delivery.providers.base import Call
from marketing.delivery.providers.twilio import client, webhook
from marketing.delivery.registry import vendor
from tests.delivery.providers.conftest import MESSAGE_ID, account, answer, envelope

HOOK = "https://parlour.example/api/v1/webhooks/twilio/token"
CREDENTIALS = {"account_sid": "AC1", "auth_token": "secret", "webhook_key_secret": "shared"}
SMS = account(
    "twilio", credentials=CREDENTIALS, sender={"from_number": "+15550001111"}, webhook_url=HOOK
)
WHATSAPP = dataclasses.replace(SMS, provider="twilio_whatsapp")
RECEIVED = dt.datetime(2026, 11, 21, 10, 0, tzinfo=dt.UTC)
# providers.md 1.3 and 2.2
CLASSES = {
    "fail_account": [20003, 21606, 30002, 30034, 63001],
    "retry": [20429, 21611, 30001, 30003, 30008, 63010, 63012, 63017, 63018],
    "retry_later_24h": [63049],
    "fail_optout": [21610],
    "fail_recipient": [21211, 21408, 21608, 21612, 21614, 30004, 30005, 30006, 63003, 63024,
                       63032],
    "fail_content": [21617, 30007, 63005, 63013, 63016, 63021, 63027, 63028, 63030],
}  # fmt: skip
SUPPRESSED = {21610: "opted_out", 21211: "invalid", 21614: "invalid", 30005: "invalid",
              30006: "invalid"}  # fmt: skip


def asked(account, envelope):
    request = client.build(account, [envelope])
    return request, {name: value for name, (value,) in parse_qs(request.body.decode()).items()}


def interpret(status, body, address="+919876543210", **headers):
    (result,) = client.interpret([envelope(address)], answer(status, body, **headers))
    return result


def parse(body, query=""):
    content = body if isinstance(body, bytes) else urlencode(body).encode()
    return webhook.parse(Call(url=f"?{query}", headers={}, body=content, received_at=RECEIVED))


def test_sms_is_a_text_with_its_own_callback_address():
    request, form = asked(SMS, envelope())
    assert request.url == "http://127.0.0.1:1/2010-04-01/Accounts/AC1/Messages.json"
    assert request.headers["Authorization"] == "Basic " + base64.b64encode(b"AC1:secret").decode()
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert form == {
        "To": "+919876543210",
        "From": "+15550001111",
        "Body": "Hi Asha, 20% off",
        "StatusCallback": f"{HOOK}?message={MESSAGE_ID}",
    }


def test_a_messaging_service_takes_the_numbers_place():
    service = dataclasses.replace(
        SMS, sender={"messaging_service_sid": "MG1", "from_number": "+15550001111"}
    )
    _, form = asked(service, envelope())
    assert form["MessagingServiceSid"] == "MG1"
    assert "From" not in form


def test_whatsapp_template_has_variables_and_no_text():
    rich = Parameters(body=("आशा", "20%"), header=("दिवाली",), buttons={0: "r/abc"})
    _, form = asked(WHATSAPP, envelope(parameters=rich, vendor_template="HX1"))
    assert (form["To"], form["From"]) == ("whatsapp:+919876543210", "whatsapp:+15550001111")
    assert form["ContentSid"] == "HX1"
    variables = {"1": "दिवाली", "2": "आशा", "3": "20%", "4": "r/abc"}
    assert json.loads(form["ContentVariables"]) == variables
    assert "Body" not in form


def test_whatsapp_free_text():
    _, form = asked(WHATSAPP, envelope(vendor_template="", body="You will get no more."))
    assert form["Body"] == "You will get no more."
    assert "ContentSid" not in form


def test_accepted(payload):
    result = interpret(201, payload("twilio/queued.json"))
    assert (result.outcome, result.reference) == ("accepted", "SM0123456789abcdef0123456789abcdef")


def test_created_and_failed_at_once():
    body = {"sid": "SM1", "status": "failed", "error_code": 30006, "error_message": "Landline"}
    result = interpret(201, body)
    assert (result.outcome, result.code, result.suppress) == ("fail_recipient", "30006", "invalid")


@pytest.mark.parametrize(
    ("code", "expected"),
    [(code, expected) for expected, codes in CLASSES.items() for code in codes],
)
def test_every_code_in_answers_and_in_callbacks(code, expected):
    result = interpret(400, {"code": code, "message": "no", "status": 400})
    assert (result.outcome, result.code, result.detail) == (expected, str(code), "no")
    assert result.slows == (code in (20429, 21611, 30001, 63017, 63018))
    assert result.suppress == SUPPRESSED.get(code, "")
    form = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": str(code)}
    (update,) = parse({**form, "To": "+919876543210"})
    assert (update.state, update.code, update.error_class) == ("failed", str(code), expected)
    assert update.suppress == SUPPRESSED.get(code, "")


def test_marketing_withheld_from_american_numbers_stays_so():
    assert interpret(400, {"code": 63049}, "+12025550123").outcome == "fail_recipient"
    form = {"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": "63049"}
    (update,) = parse({**form, "To": "whatsapp:+12025550123"})
    assert update.error_class == "fail_recipient"


@pytest.mark.parametrize(
    ("status", "body", "expected", "slows"),
    [
        (400, {"code": 99999, "message": "no"}, "fail_content", False),
        (401, b"", "fail_account", False),
        (403, {"code": 99999}, "fail_account", False),
        (429, {"code": 20429}, "retry", True),
        (429, b"", "retry", True),
        (500, {"code": 20500}, "retry", False),
        (503, b"<html>", "retry", False),
        (201, b"<html>", "unknown", False),
    ],
)
def test_unknown_codes_go_by_the_http_status(status, body, expected, slows):
    result = interpret(status, body, Retry_After="3")
    assert (result.outcome, result.slows) == (expected, slows)


def test_error_as_captured(payload):
    result = interpret(400, payload("twilio/error_21211.json"))
    assert (result.code, result.outcome) == ("21211", "fail_recipient")


@pytest.mark.parametrize(
    ("status", "state"),
    [("accepted", "sent"), ("scheduled", "sent"), ("queued", "sent"), ("sending", "sent"),
     ("sent", "sent"), ("delivered", "delivered"), ("partially_delivered", "delivered"),
     ("read", "read"), ("failed", "failed"), ("undelivered", "failed"), ("canceled", "failed"),
     ("something_new", "")],
)  # fmt: skip
def test_every_status(status, state):
    form = {"MessageSid": "SM1", "MessageStatus": status, "To": "+919876543210"}
    (update,) = parse(form, f"message={MESSAGE_ID}")
    assert (update.state, update.message_id, update.reference) == (state, MESSAGE_ID, "SM1")
    assert (update.key, update.at) == (f"SM1:{status}", RECEIVED)
    assert update.error_class == ("fail_recipient" if state == "failed" else "")


def test_status_as_captured(payload):
    (update,) = parse(payload("twilio/status_undelivered.form").strip(), f"message={MESSAGE_ID}")
    assert (update.state, update.code, update.most_tries) == ("failed", "30003", 2)
    assert update.message_id == MESSAGE_ID


@pytest.mark.parametrize("query", ["", "message=", "message=nonsense"])
def test_without_our_id_the_sid_names_it(query):
    (update,) = parse({"MessageSid": "SM1", "MessageStatus": "sent"}, query)
    assert (update.message_id, update.reference) == (None, "SM1")


def test_inbound_as_captured(payload):
    (said,) = parse(payload("twilio/inbound_stop.form").strip())
    assert (said.address, said.text, said.opt_out) == ("+919876543210", "STOP", True)
    assert said.is_answered


@pytest.mark.parametrize(
    ("extra", "opt_out", "is_answered"),
    [
        ({"Body": "Hello"}, None, False),
        ({"Body": "STOP"}, None, False),
        ({"Body": "START", "OptOutType": "START"}, False, True),
        ({"Body": "HELP", "OptOutType": "HELP"}, None, True),
        ({"Body": "Stop", "ButtonText": "Stop", "ButtonPayload": "STOP_MKT"}, True, False),
    ],
)
def test_inbound(extra, opt_out, is_answered):
    form = {"MessageSid": "SM2", "SmsStatus": "received", "From": "whatsapp:+919876543210"}
    (said,) = parse({**form, **extra})
    assert (said.address, said.text) == ("+919876543210", extra["Body"])
    assert (said.opt_out, said.is_answered) == (opt_out, is_answered)


def test_what_is_not_a_callback_is_refused():
    with pytest.raises(ValueError, match="no MessageSid"):
        parse(b"{}")


def signed(text, *, secret=b"secret", digest=hashlib.sha1):
    return base64.b64encode(hmac.new(secret, text.encode(), digest).digest()).decode()


FORM = [("To", "+15550001111"), ("Body", "Hé & so"), ("MessageSid", "SM1"), ("Empty", "")]
JOINED = "BodyHé & soEmptyMessageSidSM1To+15550001111"
URL = f"{HOOK}?message=1"


def is_right(signature, *, url=URL, body=None, account=SMS, **headers):
    content = urlencode(FORM).encode() if body is None else body
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return webhook.verify(account, Call(url, {"X-Twilio-Signature": signature, **names}, content))


@pytest.mark.parametrize(
    ("signed_url", "called_url"),
    [
        (URL, URL),
        (URL.replace("example/", "example:443/"), URL),
        (URL, URL.replace("example/", "example:443/")),
        ("http://p.example:80/x", "http://p.example/x"),
    ],
)
def test_signature_over_the_public_address_with_and_without_port(signed_url, called_url):
    assert is_right(signed(signed_url + JOINED), url=called_url)


def test_wrong_signatures():
    good = signed(URL + JOINED)
    assert not is_right(good, body=urlencode([*FORM, ("More", "x")]).encode())
    assert not is_right(good, url=URL.replace("message=1", "message=2"))
    assert not is_right(signed(URL + JOINED, secret=b"other"))
    assert not is_right("")
    assert not is_right("ü")
    no_secret = dataclasses.replace(SMS, credentials={"account_sid": "AC1"})
    assert not is_right(signed(URL + JOINED, secret=b""), account=no_secret)


def test_repeated_fields_count_once_and_sorted():
    body = urlencode([("A", "2"), ("A", "1"), ("A", "2")]).encode()
    assert is_right(signed(f"{URL}A1A2"), body=body)


def test_a_body_that_is_no_form_is_named_by_its_hash():
    body = b'{"a": 1}'
    url = f"{HOOK}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    assert is_right(signed(url), url=url, body=body)
    assert not is_right(signed(url), url=url, body=body + b" ")


def test_shared_key_and_sha_256():
    settings = {"X_Twilio_Webhooks_Signature_Settings": "key=webhooks_1,algorithm=HMAC_SHA256"}
    good = signed(URL + JOINED, secret=b"shared", digest=hashlib.sha256)
    assert is_right(good, **settings)
    assert not is_right(good)
    assert not is_right(signed(URL + JOINED), **settings)
    without = dataclasses.replace(SMS, credentials={"auth_token": "secret"})
    empty = signed(URL + JOINED, secret=b"", digest=hashlib.sha256)
    assert not is_right(empty, account=without, **settings)
    unknown = {"X_Twilio_Webhooks_Signature_Settings": "key=1,algorithm=HMAC_MD5"}
    assert not is_right(good, **unknown)


def test_answers_twiml():
    assert webhook.ANSWER == ("text/xml", "<Response/>")


MADE = dt.datetime(2026, 11, 21, 9, 30, 5, 400000, tzinfo=dt.UTC)
ASKED_FOR = envelope(body="Hi Asha,\n20% off")
ASKED_FOR = dataclasses.replace(
    ASKED_FOR, message_id=uuid.UUID(int=int(MADE.timestamp() * 1000) << 80 | 7 << 76 | 1 << 63)
)


def test_look_up_asks_by_number_and_day():
    request = client.look_up(WHATSAPP, [ASKED_FOR])
    assert request.method == "GET"
    parts = urlsplit(request.url)
    assert parts.path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert parse_qs(parts.query) == {
        "To": ["whatsapp:+919876543210"],
        "DateSent>": ["2026-11-21"],
        "PageSize": ["50"],
    }


def found(*messages):
    return client.interpret_look_up([ASKED_FOR], answer(200, {"messages": list(messages)}))


def listed(**values):
    return {
        "sid": "SM1",
        "direction": "outbound-api",
        "body": "Hi Asha, 20% off",
        "date_created": "Sat, 21 Nov 2026 09:30:05 +0000",
        "status": "sent",
        "error_code": None,
        **values,
    }


def test_look_up_finds_the_one_message_with_these_words():
    (result,) = found(listed(), listed(sid="SM2", body="Something else"))
    assert (result.outcome, result.reference) == ("accepted", "SM1")


def test_look_up_tells_of_a_failure():
    (result,) = found(listed(status="undelivered", error_code=30005))
    assert (result.outcome, result.code, result.suppress) == ("fail_recipient", "30005", "invalid")


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [listed(), listed(sid="SM2")],
        [listed(direction="inbound")],
        [listed(date_created="Sat, 21 Nov 2026 09:30:04 +0000")],
    ],
)
def test_look_up_that_does_not_tell(messages):
    assert found(*messages) == [None]
    assert client.interpret_look_up([ASKED_FOR], answer(500, b"")) == [None]


def test_look_up_as_captured(payload):
    (result,) = client.interpret_look_up([ASKED_FOR], answer(200, payload("twilio/messages.json")))
    assert result.reference == "SM0123456789abcdef0123456789abcdef"


def test_check_reads_the_account(payload):
    request = client.check(SMS)
    assert (request.method, request.url) == (
        "GET",
        "http://127.0.0.1:1/2010-04-01/Accounts/AC1.json",
    )
    assert client.explain_check(answer(200, payload("twilio/account.json"))) == ""
    assert client.explain_check(answer(200, {"status": "suspended"})) == "status: suspended"
    refused = client.explain_check(answer(401, payload("twilio/error_20003.json")))
    assert refused == "Authenticate"
    assert client.explain_check(answer(502, b"")) == "HTTP 502"


def test_both_channels_are_charged_in_their_own_way():
    assert vendor("twilio").charged_on == "sent"
    assert vendor("twilio_whatsapp").charged_on == "delivered"
