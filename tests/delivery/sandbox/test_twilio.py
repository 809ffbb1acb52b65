"""The sandbox as Twilio: SMS and WhatsApp, look-ups, signed callbacks."""

import base64
import datetime as dt
import hashlib
import hmac
import json
import uuid
from urllib.parse import parse_qsl, urlencode

import pytest

SID = "AC" + "1" * 32
CONTENT_SID = "HX" + "a" * 32
ACCOUNT = {
    "credentials": {"account_sid": SID, "auth_token": "token", "from_number": "+14155550100"},
    "sent_delay_ms": 0,
    "delivered_delay_ms": 30,
    "read_delay_ms": 60,
}
ROOT = f"/2010-04-01/Accounts/{SID}"
OUR_ID = str(uuid.uuid4())
COMPONENTS = {"components": [{"type": "BODY", "text": "नमस्ते {{1}}, {{2}} की छूट"}]}


@pytest.fixture
def twilio(sandbox, receiver):
    for name, provider in (("sms", "twilio"), ("wa", "twilio_whatsapp")):
        body = {**ACCOUNT, "provider": provider, "webhook_url": receiver.url}
        sandbox.control("PUT", f"accounts/t-{name}", body)
        sandbox.control("POST", "plan", {"account": f"t-{name}", "faults": []})
    template = {
        "provider": "twilio_whatsapp",
        "owner": "t-wa",
        "name": CONTENT_SID,
        "language": "hi",
        "body": COMPONENTS,
    }
    sandbox.control("PUT", "templates", [template])
    return sandbox


def authorization(user=SID, token="token"):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()}


def send(twilio, receiver=None, *, headers=None, **more):
    form = {"To": "+919876543210", "From": "+14155550100", "Body": "Hi", **more}
    if receiver:
        form["StatusCallback"] = f"{receiver.url}?message={OUR_ID}"
    body = urlencode({key: value for key, value in form.items() if value is not None}).encode()
    return twilio.ask("POST", f"{ROOT}/Messages.json", body, headers or authorization())


def send_content(twilio, receiver=None, to="whatsapp:+919876543210", **more):
    values = {
        "To": to,
        "From": "whatsapp:+14155550100",
        "Body": None,
        "ContentSid": CONTENT_SID,
        "ContentVariables": json.dumps({"1": "आशा", "2": "20%"}),
    }
    return send(twilio, receiver, **values | more)


def forms(receiver):
    return [dict(parse_qsl(body.decode())) for _, body in list(receiver.posts)]


def accepted(twilio):
    return twilio.control("GET", "ledger/summary")["accepted"]


def test_sms_is_queued_then_sent_and_delivered(twilio, receiver):
    reply = send(twilio, receiver)
    assert reply.status == 201
    message = reply.json()
    assert (message["status"], message["to"], message["price"]) == ("queued", "+919876543210", None)
    receiver.wait(lambda: len(forms(receiver)) == 2)
    assert [form["MessageStatus"] for form in forms(receiver)] == ["sent", "delivered"]
    assert {form["MessageSid"] for form in forms(receiver)} == {message["sid"]}


def test_our_id_is_read_from_the_address_to_call_back(twilio, receiver):
    send(twilio, receiver)
    (known,) = twilio.control("GET", "ledger/ids")["ids"]
    assert known["reference"] == OUR_ID


def test_callbacks_are_signed_over_the_address_and_the_sorted_form(twilio, receiver):
    send(twilio, receiver)
    receiver.wait(lambda: receiver.posts)
    headers, body = receiver.posts[0]
    pairs = sorted(parse_qsl(body.decode(), keep_blank_values=True))
    signed = f"{receiver.url}?message={OUR_ID}" + "".join(name + value for name, value in pairs)
    expected = base64.b64encode(hmac.new(b"token", signed.encode(), hashlib.sha1).digest())
    assert headers["X-Twilio-Signature"] == expected.decode()


def test_nothing_is_called_back_that_was_not_asked_for(twilio):
    send(twilio)
    assert twilio.control("GET", "ledger/summary")["owed"] == 0


def test_whatsapp_content_is_read(twilio, receiver):
    assert send_content(twilio, receiver).status == 201
    receiver.wait(lambda: len(forms(receiver)) == 3)
    assert [form["MessageStatus"] for form in forms(receiver)] == ["sent", "delivered", "read"]
    assert forms(receiver)[0]["To"] == "whatsapp:+919876543210"
    assert forms(receiver)[0]["ChannelPrefix"] == "whatsapp"


@pytest.mark.parametrize(("ending", "code"), [("0026", "30005"), ("0049", "30007")])
def test_sms_endings(twilio, receiver, ending, code):
    send(twilio, receiver, To=f"+91987654{ending}")
    receiver.wait(lambda: forms(receiver))
    (form,) = forms(receiver)
    assert (form["MessageStatus"], form["ErrorCode"]) == ("undelivered", code)


@pytest.mark.parametrize(("ending", "code"), [("0026", "63024"), ("0049", "63049")])
def test_whatsapp_endings(twilio, receiver, ending, code):
    send_content(twilio, receiver, f"whatsapp:+91987654{ending}")
    receiver.wait(lambda: forms(receiver))
    (form,) = forms(receiver)
    assert (form["MessageStatus"], form["ErrorCode"]) == ("failed", code)


def test_free_text_outside_the_window_fails_later(twilio, receiver):
    to = {"To": "whatsapp:+919876500011", "From": "whatsapp:+14155550100"}
    assert send(twilio, receiver, **to).status == 201
    receiver.wait(lambda: forms(receiver))
    assert forms(receiver)[0]["ErrorCode"] == "63016"
    twilio.control("POST", "inbound", {"account": "t-wa", "from": "+919876500011", "text": "Hi"})
    receiver.posts.clear()
    send(twilio, receiver, **to)
    receiver.wait(lambda: "read" in {form.get("MessageStatus") for form in forms(receiver)})


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"To": None}, 21604),
        ({"To": "12"}, 21211),
        ({"From": None}, 21603),
        ({"From": "whatsapp:+14155550100"}, 21910),
        ({"Body": None}, 21619),
        ({"Body": "x" * 1601}, 21617),
        ({"To": "+919876540050"}, 21610),
        ({"ContentSid": "HX" + "b" * 32, "To": "+919876500044"}, 21655),
    ],
)
def test_what_is_refused_is_not_accepted(twilio, more, code):
    reply = send(twilio, **more)
    assert (reply.status, reply.json()["code"]) == (400, code)
    assert accepted(twilio) == 0


@pytest.mark.parametrize("variables", ["{}", "no JSON", '{"1": "Asha"}', '{"1": "Asha", "2": ""}'])
def test_content_variables_are_checked(twilio, variables):
    reply = send_content(twilio, ContentVariables=variables)
    assert (reply.status, reply.json()["code"]) == (400, 21656)


@pytest.mark.parametrize(
    "headers", [{"X": "y"}, authorization(token="wrong"), authorization(user="AC2")]
)
def test_who_is_not_known_is_refused(twilio, headers):
    reply = send(twilio, headers=headers)
    assert (reply.status, reply.json()["code"]) == (401, 20003)
    for path in (".json", "/Messages.json", "/Messages/SM1.json"):
        assert twilio.ask("GET", ROOT + path, headers=headers).status == 401
    assert accepted(twilio) == 0


def test_request_endings(twilio):
    first, second = (send(twilio, To="+919876540429") for _ in range(2))
    assert (first.status, first.json()["code"], first.headers["Retry-After"]) == (429, 20429, "1")
    assert second.status == 201
    assert send(twilio, To="+919876540500").status == 500
    with twilio.silent():
        send(twilio, To="+919876540999")
    assert accepted(twilio) == 2


def test_message_is_looked_up(twilio, receiver):
    sid = send(twilio).json()["sid"]

    def found():
        return twilio.ask("GET", f"{ROOT}/Messages/{sid}.json", headers=authorization()).json()

    receiver.wait(lambda: found()["status"] == "delivered")
    assert found()["price"] == "-0.00750"
    content = send_content(twilio).json()
    assert content["body"] == "नमस्ते आशा, 20% की छूट"
    missing = twilio.ask("GET", f"{ROOT}/Messages/SM0.json", headers=authorization())
    assert (missing.status, missing.json()["code"]) == (404, 20404)


def test_messages_are_listed_by_number_and_day(twilio):
    sids = [send(twilio).json()["sid"] for _ in range(3)]
    send(twilio, To="+919876500022")
    today = dt.datetime.now(dt.UTC).date()

    def listed(**asked):
        query = urlencode({"To": "+919876543210", **asked})
        return twilio.ask("GET", f"{ROOT}/Messages.json?{query}", headers=authorization()).json()

    found = listed(DateSent=today.isoformat())
    assert [one["sid"] for one in found["messages"]] == sids[::-1]
    assert found["next_page_uri"] is None
    assert listed(**{"DateSent<": (today - dt.timedelta(days=1)).isoformat()})["messages"] == []
    assert len(listed(**{"DateSent>": today.isoformat()})["messages"]) == 3
    first = listed(PageSize=2)
    second = twilio.ask("GET", first["next_page_uri"], headers=authorization()).json()
    assert [one["sid"] for one in first["messages"] + second["messages"]] == sids[::-1]


def test_account_is_read(twilio):
    reply = twilio.ask("GET", f"{ROOT}.json", headers=authorization())
    assert (reply.json()["sid"], reply.json()["status"]) == (SID, "active")


def test_person_stops_and_starts_again(twilio, receiver):
    def write(text):
        body = {"account": "t-sms", "from": "+919876500033", "text": text}
        twilio.control("POST", "inbound", body)
        receiver.wait(lambda: text in {form.get("Body") for form in forms(receiver)})
        return next(form for form in forms(receiver) if form.get("Body") == text)

    stop = write("Stop")
    assert (stop["OptOutType"], stop["From"]) == ("STOP", "+919876500033")
    assert send(twilio, To="+919876500033").json()["code"] == 21610
    assert write("START")["OptOutType"] == "START"
    assert send(twilio, To="+919876500033").status == 201
    assert "OptOutType" not in write("Thanks")


def test_callbacks_are_owed_over_a_kill(twilio, receiver):
    receiver.is_down = True
    send(twilio, receiver)
    twilio.kill()
    receiver.is_down = False
    twilio.start()
    receiver.wait(lambda: len(forms(receiver)) == 2)


def test_inbox_shows_the_filled_in_text(twilio):
    send_content(twilio)
    (bubble,) = twilio.ask("GET", "/inbox/thread?to=%2B919876543210").json()
    assert bubble["body"] == "नमस्ते आशा, 20% की छूट"
    assert (bubble["language"], bubble["hears"]) == ("hi", True)
