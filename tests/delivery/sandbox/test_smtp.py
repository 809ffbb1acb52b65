"""The sandbox as a mail relay: AUTH, replies by the address, a ledger."""

import smtplib
import socket
import uuid
from email.message import EmailMessage

import pytest

from tests.concurrency import PATIENCE

ACCOUNT = {"provider": "smtp", "credentials": {"username": "lotus", "password": "word"}}
OUR_ID = str(uuid.uuid4())


@pytest.fixture
def relay(sandbox):
    sandbox.control("PUT", "accounts/relay", ACCOUNT)
    sandbox.control("POST", "plan", {"account": "relay", "faults": []})
    return sandbox


def port(relay):
    (account,) = (a for a in relay.control("GET", "accounts") if a["provider"] == "smtp")
    return account["smtp_port"]


def connected(relay, password="word", timeout=PATIENCE):
    connection = smtplib.SMTP("127.0.0.1", port(relay), timeout=timeout)
    try:
        connection.login("lotus", password)
    except smtplib.SMTPException:
        connection.close()
        raise
    return connection


def mail(*to):
    message = EmailMessage()
    message["From"] = "Lotus <hello@example.com>"
    message["To"] = ", ".join(to)
    message["Subject"] = "Diwali"
    message["Message-ID"] = f"<{uuid.UUID(OUR_ID).hex}@example.com>"
    message.set_content("Hi")
    message.add_alternative("<p>Hi</p>", subtype="html")
    return message


def send(relay, *to, **options):
    with connected(relay, **options) as connection:
        return connection.send_message(mail(*to or ("asha@example.com",)))


def accepted(relay):
    return relay.control("GET", "ledger/summary")["accepted"]


def test_mail_is_accepted_under_our_id(relay):
    assert send(relay) == {}
    (known,) = relay.control("GET", "ledger/ids")["ids"]
    found = (known["reference"], known["recipient"], known["answer"])
    assert found == (OUR_ID, "asha@example.com", "clean")


def test_password_is_checked(relay):
    with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        send(relay, password="wrong")
    assert refused.value.smtp_code == 535


def test_nothing_is_taken_without_auth(relay):
    with smtplib.SMTP("127.0.0.1", port(relay), timeout=PATIENCE) as connection:
        connection.ehlo()
        assert connection.mail("hello@example.com")[0] == 530
    assert accepted(relay) == 0


@pytest.mark.parametrize(
    ("ending", "code"), [("0026", 550), ("0049", 451), ("0050", 554), ("0500", 451)]
)
def test_endings_that_are_refused(relay, ending, code):
    address = f"asha.{ending}@example.com"
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(relay, address)
    assert refused.value.recipients[address][0] == code
    assert accepted(relay) == 0


def test_one_of_two_recipients_is_refused(relay):
    assert set(send(relay, "a@example.com", "b.0026@example.com")) == {"b.0026@example.com"}
    assert accepted(relay) == 1


def test_0429_is_refused_once(relay):
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(relay, "a.0429@example.com")
    assert refused.value.recipients["a.0429@example.com"][0] == 450
    assert send(relay, "a.0429@example.com") == {}


def test_0999_is_accepted_and_never_answered(relay):
    connection = connected(relay, timeout=1)
    with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
        connection.send_message(mail("a.0999@example.com"))
    connection.close()
    found = relay.control("GET", "ledger/summary")
    assert (found["accepted"], found["unanswered"]) == (1, 1)


def test_connection_drops_after_accept(relay):
    plan = {"account": "relay", "faults": [{"kind": "drop_after_accept", "count": 1}]}
    relay.control("POST", "plan", plan)
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        send(relay)
    found = relay.control("GET", "ledger/summary")
    assert (found["accepted"], found["unanswered"]) == (1, 1)


def test_port_stays_the_same_over_a_kill(relay):
    before = port(relay)
    send(relay)
    relay.kill()
    relay.start()
    assert port(relay) == before
    assert accepted(relay) == 1
    send(relay)
    assert relay.control("GET", "ledger/summary")["duplicated"] == 1


def test_taken_port_is_replaced_by_a_free_one(relay):
    before = port(relay)
    relay.kill()
    with socket.create_server(("127.0.0.1", before)):
        relay.start()
        assert port(relay) != before
        assert send(relay) == {}


def test_inbox_shows_the_mail(relay):
    send(relay)
    (bubble,) = relay.ask("GET", "/inbox/thread?to=asha%40example.com").json()
    assert (bubble["subject"], bubble["hears"]) == ("Diwali", False)
    assert b"<p>Hi</p>" in relay.ask("GET", f"/inbox/mail/{bubble['id']}").body
