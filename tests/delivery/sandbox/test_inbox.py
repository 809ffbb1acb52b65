"""The inbox page: what each person got, and what she does with it."""

import json
from urllib.parse import parse_qs, quote

import pytest

from tests.delivery.sandbox.test_meta import ACCOUNT, TEMPLATE, changes, message, send
from tests.delivery.sandbox.test_sendgrid import batch, mail, person, sendgrid

__all__ = ["sendgrid"]


@pytest.fixture
def meta(sandbox, receiver):
    sandbox.control("PUT", "accounts/wa", {**ACCOUNT, "webhook_url": receiver.url})
    sandbox.control("PUT", "templates", [TEMPLATE])
    return sandbox


def thread(sandbox, person):
    return sandbox.ask("GET", f"/inbox/thread?to={quote(person)}").json()


def test_page_runs_only_its_own_scripts(sandbox):
    page = sandbox.ask("GET", "/")
    assert page.status == 200
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert sandbox.ask("GET", "/static/inbox.js").status == 200


def test_person_answers(meta, receiver):
    send(meta, message())
    said = {"account": "wa", "from": "+919876543210", "text": "STOP"}
    assert meta.ask("POST", "/inbox/reply", said).status == 200
    receiver.wait(lambda: [v for v in changes(receiver, "messages") if "messages" in v])
    assert [(one["state"], one["body"]) for one in thread(meta, "+919876543210")][-1] == (
        "inbound",
        "STOP",
    )


def test_person_stops_offers(meta, receiver):
    send(meta, message())
    assert thread(meta, "+919876543210")[0]["prefers"]
    said = {"account": "wa", "from": "+919876543210", "value": "stop"}
    assert meta.ask("POST", "/inbox/preference", said).status == 200
    receiver.wait(lambda: changes(receiver, "user_preferences"))
    assert meta.ask("POST", "/inbox/preference", {**said, "value": "maybe"}).status == 400


@pytest.mark.parametrize("path", ["reply", "preference", "unsubscribe"])
def test_other_sites_can_do_nothing(meta, path):
    said = {"account": "wa", "from": "+919876543210", "text": "STOP", "value": "stop", "id": 1}
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert meta.ask("POST", f"/inbox/{path}", said, headers).status == 403
    assert thread(meta, "+919876543210") == []


def one_click(receiver):
    address = f"<{receiver.url}/u/token>, <mailto:u@example.com>"
    return {
        "List-Unsubscribe": address,
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def test_reader_unsubscribes_by_her_mail_program(sendgrid, receiver):
    batch(sendgrid, [person("asha", headers=one_click(receiver))])
    (bubble,) = thread(sendgrid, "asha@example.com")
    assert bubble["unsubscribes"]
    assert sendgrid.ask("POST", "/inbox/unsubscribe", {"id": bubble["id"]}).status == 200
    posted = [parse_qs(body.decode()) for _, body in receiver.posts]
    assert {"List-Unsubscribe": ["One-Click"]} in posted


def test_refused_unsubscribing_is_told(sendgrid, receiver):
    batch(sendgrid, [person("asha", headers=one_click(receiver)), person("ravi")])
    receiver.is_down = True
    (bubble,) = thread(sendgrid, "asha@example.com")
    reply = sendgrid.ask("POST", "/inbox/unsubscribe", {"id": bubble["id"]})
    assert (reply.status, "503" in reply.json()["error"]) == (400, True)
    (other,) = thread(sendgrid, "ravi@example.com")
    assert not other["unsubscribes"]
    assert sendgrid.ask("POST", "/inbox/unsubscribe", {"id": other["id"]}).status == 400
    receiver.is_down = False


def test_text_is_in_the_language_of_its_script(meta):
    for language, text in (("hi", "नमस्ते"), ("bn", "নমস্কার"), ("", "Hello")):
        said = {"account": "wa", "from": "+919876500009", "text": text}
        meta.ask("POST", "/inbox/reply", said)
        assert thread(meta, "+919876500009")[-1]["language"] == language


def test_threads_are_found_by_a_part_of_the_number(meta):
    for to in ("919876543210", "919812345678"):
        send(meta, message(to))
    found = json.loads(meta.ask("GET", "/inbox/threads?q=12345").body)
    assert [(one["recipient"], one["messages"]) for one in found] == [("+919812345678", 1)]


def test_inbox_shows_mail_that_can_do_nothing(sendgrid):
    mail(sendgrid)
    (bubble,) = sendgrid.ask("GET", "/inbox/thread?to=asha%40example.com").json()
    shown = sendgrid.ask("GET", f"/inbox/mail/{bubble['id']}")
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
