"""The sandbox as MSG91: many recipients a call, one request id, reports by number."""

import json
from urllib.parse import parse_qs, quote

import pytest

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


def test_each_recipients_variables_are_checked(msg91):
    people = [{"mobiles": "919876543210", "VAR1": "Asha"}, {"mobiles": "919876543211"}]
    reply = flow(msg91, recipients=people)
    assert "919876543211" in reply.json()["message"]
    assert msg91.control("GET", "ledger/summary")["accepted"] == 0


def test_many_recipients_share_a_request_and_are_told_apart_by_number(msg91, receiver):
    numbers = [f"9198765{n:05}" for n in range(10_000, 10_150)]
    people = [{"mobiles": number, "VAR1": "Asha"} for number in numbers]
    request_id = flow(msg91, recipients=people).json()["message"]

    def reports():
        return [
            (request["requestId"], one["number"], one["CRQID"])
            for _, body in list(receiver.posts)
            for request in json.loads(parse_qs(body.decode())["data"][0])
            for one in request["report"]
        ]

    receiver.wait(lambda: len(reports()) == len(numbers))
    assert set(reports()) == {(request_id, number, "0") for number in numbers}
    found = msg91.control("GET", "ledger/summary")
    assert (found["accepted"], found["referenced"], found["duplicated"]) == (150, 150, 0)


def test_same_message_twice_is_told_by_number_and_request(msg91):
    for name in ("Asha", "Asha", "Ravi"):
        flow(msg91, recipients=[{"mobiles": "919876543210", "VAR1": name}])
    found = msg91.control("GET", "ledger/summary")
    assert (found["accepted"], found["referenced"], found["duplicated"]) == (3, 2, 1)


@pytest.mark.parametrize(("ending", "status"), [("0026", "2"), ("0049", "9"), ("0050", "17")])
def test_endings(msg91, receiver, ending, status):
    flow(msg91, [f"91987654{ending}"])
    receiver.wait(lambda: receiver.posts)
    (request,) = json.loads(parse_qs(receiver.posts[0][1].decode())["data"][0])
    assert request["report"][0]["status"] == status


def test_request_endings(msg91):
    first, second = (flow(msg91, ["919876540429"]) for _ in range(2))
    assert (first.status, first.headers["Retry-After"], second.status) == (429, "1", 200)
    assert flow(msg91, ["919876540500"]).status == 500
    with msg91.silent():
        flow(msg91, ["919876540999"])
    assert msg91.control("GET", "ledger/summary")["accepted"] == 2


def test_balance_is_read(msg91):
    assert msg91.ask("GET", "/api/balance.php?authkey=key&type=1").json() > 0
    assert msg91.ask("GET", "/api/balance.php?authkey=x").json()["msg_type"] == "error"


def test_inbox_shows_the_filled_in_text(msg91):
    flow(msg91)
    (bubble,) = msg91.ask("GET", f"/inbox/thread?to={quote('+919876543210')}").json()
    assert bubble["body"] == "Hi Asha, see you soon."
    (thread,) = msg91.ask("GET", "/inbox/threads?q=98765").json()
    assert thread["recipient"] == "+919876543210"
