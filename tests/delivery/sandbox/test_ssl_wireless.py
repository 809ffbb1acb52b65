"""The sandbox as SSL Wireless: one, bulk and dynamic, with its codes inside a 200."""

import pytest

ACCOUNT = {
    "provider": "ssl_wireless",
    "credentials": {"api_token": "token", "sid": "LOTUS"},
    "sent_delay_ms": 0,
    "delivered_delay_ms": 0,
}
AUTH = {"api_token": "token", "sid": "LOTUS"}
NUMBER = "8801712345678"
TOO_MANY = [{"msisdn": f"88017{n:08}", "text": "x", "csms_id": str(n)} for n in range(101)]


@pytest.fixture
def ssl(sandbox):
    sandbox.control("PUT", "accounts/bd", ACCOUNT)
    return sandbox


def send(ssl, kind="", **more):
    body = {**AUTH, "msisdn": NUMBER, "sms": "নমস্কার", "csms_id": "a1", **more}
    return ssl.ask("POST", f"/api/v3/send-sms{kind}", body)


def dynamic(ssl, *rows):
    sms = [{"msisdn": msisdn, "text": "Hi", "csms_id": csms_id} for msisdn, csms_id in rows]
    return ssl.ask("POST", "/api/v3/send-sms/dynamic", {**AUTH, "sms": sms}).json()


def accepted(ssl):
    return ssl.control("GET", "ledger/summary")["accepted"]


def test_one_is_accepted_under_our_id(ssl):
    answer = send(ssl).json()
    (row,) = answer["smsinfo"]
    assert (answer["status"], answer["status_code"]) == ("SUCCESS", 200)
    assert (row["sms_status"], row["sms_type"], row["csms_id"]) == ("SUCCESS", "BN", "a1")
    assert row["reference_id"]
    (known,) = ssl.control("GET", "ledger/ids")["ids"]
    assert (known["reference"], known["recipient"]) == ("a1", f"+{NUMBER}")


def test_same_id_twice_is_a_duplicate_also_after_a_kill(ssl):
    send(ssl)
    ssl.kill()
    ssl.start()
    answer = send(ssl).json()
    assert (answer["status"], answer["status_code"]) == ("FAILED", 4023)
    assert answer["smsinfo"][0]["sms_status"] == "DUPLICATE"
    assert accepted(ssl) == 1


def test_batch_succeeds_with_rows_that_failed(ssl):
    answer = dynamic(
        ssl,
        (NUMBER, "b1"),
        ("8801712340026", "b2"),
        ("8801712340050", "b3"),
        ("8801712345679", "b1"),
    )
    assert answer["status"] == "SUCCESS"
    statuses = [row["sms_status"] for row in answer["smsinfo"]]
    assert statuses == ["SUCCESS", "INVALID", "BLOCKED", "DUPLICATE"]
    assert accepted(ssl) == 1


def test_one_text_for_many(ssl):
    more = {"msisdn": [NUMBER, "8801712345679"], "batch_csms_id": "c1"}
    answer = send(ssl, "/bulk", **more).json()
    assert [row["csms_id"] for row in answer["smsinfo"]] == ["c1", "c1"]
    assert accepted(ssl) == 2


@pytest.mark.parametrize(
    ("kind", "more", "code"),
    [
        ("", {"api_token": "wrong"}, 4001),
        ("", {"sid": "OTHER"}, 4002),
        ("", {"api_token": None}, 4001),
        ("", {"csms_id": "x" * 21}, 4020),
        ("", {"csms_id": ""}, 4020),
        ("", {"msisdn": "none"}, 4025),
        ("", {"msisdn": "8801712340026"}, 4025),
        ("", {"msisdn": "8801712340049"}, 4026),
        ("", {"sms": ""}, 4005),
        ("", {"sms": "x" * 1001}, 4027),
        ("/bulk", {}, 4004),
        ("/bulk", {"msisdn": [NUMBER] * 2, "batch_csms_id": "d"}, 4024),
        ("/bulk", {"msisdn": [], "batch_csms_id": "d"}, 4022),
        ("/dynamic", {"sms": [{"msisdn": NUMBER}]}, 4004),
        (
            "/dynamic",
            {
                "sms": [
                    {"msisdn": f"88017{n:08}", "text": "x", "csms_id": str(n)} for n in range(101)
                ]
            },
            4022,
        ),
    ],
)
def test_what_is_refused_is_not_accepted(ssl, kind, more, code):
    reply = send(ssl, kind, **more)
    assert (reply.status, reply.json()["status"]) == (200, "FAILED")
    assert reply.json()["status_code"] == code
    assert accepted(ssl) == 0


def test_request_endings(ssl):
    first = send(ssl, msisdn="8801712340429", csms_id="e1").json()
    assert first["status_code"] == 4031
    assert send(ssl, msisdn="8801712340429", csms_id="e1").json()["status_code"] == 200
    refused = send(ssl, msisdn="8801712340500", csms_id="e2")
    assert (refused.status, refused.json()["status_code"]) == (500, 5000)
    with ssl.silent():
        send(ssl, msisdn="8801712340999", csms_id="e3")
    assert accepted(ssl) == 2


def test_nothing_is_owed(ssl):
    send(ssl)
    assert ssl.control("GET", "ledger/summary")["owed"] == 0


def test_inbox_shows_the_text(ssl):
    send(ssl)
    (bubble,) = ssl.ask("GET", f"/inbox/thread?to=%2B{NUMBER}").json()
    assert (bubble["body"], bubble["language"], bubble["hears"]) == ("নমস্কার", "bn", False)
