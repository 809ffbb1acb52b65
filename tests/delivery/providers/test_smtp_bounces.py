"""Bounces: what a report says, and how it is fetched from the mailbox."""

import asyncio
import dataclasses
import imaplib
import uuid

import pytest

from marketing.delivery.providers.base import Call
from marketing.delivery.providers.smtp import client, mailbox, webhook
from tests.delivery.providers import imap
from tests.delivery.providers.mailbox import ACCOUNT, MESSAGE_ID

LOGIN = {"bounce_username": "bounces", "bounce_password": "right"}
# Under the key of the tests' settings.
TAG = "647d0d8923787cfa"
HUMAN = b"Content-Type: text/plain\r\nSubject: Tomorrow at five?\r\n\r\nHi\r\n"


def parse(body):
    return webhook.parse(Call(url="", headers={}, body=body))


@pytest.mark.parametrize(
    ("name", "code", "detail", "suppress"),
    [
        ("unknown", "5.1.1", "550 5.1.1 <asha@nowhere.example>: Recipient address", "hard_bounce"),
        ("full", "5.2.2", "552 5.2.2 Mailbox full", ""),
    ],
)
def test_a_bounce_names_our_message_and_says_why(payload, name, code, detail, suppress):
    (update,) = parse(payload(f"smtp/bounce_{name}.eml"))
    assert (update.state, update.code, update.error_class) == ("failed", code, "fail_recipient")
    assert update.detail.startswith(detail)
    assert (update.message_id, update.suppress) == (MESSAGE_ID, suppress)
    assert update.reference == f"<{MESSAGE_ID.hex}.{TAG}@example.com>"


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        (b"Action: failed", b"Action: delayed"),
        (b"Message-ID: <019a", b"Message-ID: <CAF-019a"),
        (b"Message-ID: <", b"X-Other: <"),
        # Whose name was guessed from that of another mail.
        (MESSAGE_ID.hex.encode(), uuid.UUID(int=MESSAGE_ID.int + 1).hex.encode()),
        (TAG.encode(), TAG[::-1].encode()),
        (b"Content-Type: message/rfc822", b"Content-Type: application/octet-stream"),
        (b"Content-Type: message/delivery-status", b"Content-Type: text/plain"),
    ],
)
def test_delays_and_mails_of_others_say_nothing(payload, written, instead):
    body = payload("smtp/bounce_unknown.eml")
    assert written in body
    assert parse(body.replace(written, instead)) == []


@pytest.mark.parametrize("body", [b"", HUMAN, b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"])
def test_what_is_no_report_is_not_read(body):
    with pytest.raises(ValueError, match="not a report"):
        parse(body)


def test_a_mail_in_an_unknown_charset_is_not_read(payload):
    head = b"Content-Type: text/rfc822-headers"
    body = payload("smtp/bounce_full.eml").replace(head, head + b'; charset="klingon"')
    with pytest.raises(ValueError, match="klingon"):
        parse(body)


def test_nobody_can_call_it_in(payload):
    call = Call(url="", headers={}, body=payload("smtp/bounce_unknown.eml"))
    assert not webhook.verify(ACCOUNT, call)


@pytest.fixture
def box():
    with imap.serving() as served:
        yield served


def account_of(box, **credentials):
    return dataclasses.replace(
        ACCOUNT, sender=ACCOUNT.sender | box.sender, credentials=LOGIN | credentials
    )


def test_a_report_is_marked_as_read_when_the_next_is_asked_for(box, payload):
    bounces = [payload("smtp/bounce_unknown.eml"), payload("smtp/bounce_full.eml")]
    box.mails.update({3: bounces[0], 4: HUMAN, 9: bounces[1]})
    reports = mailbox.reports(account_of(box))
    assert next(reports) == bounces[0]
    assert box.seen == set()
    assert next(reports) == bounces[1]
    assert box.seen == {3}
    assert list(reports) == []
    assert box.seen == {3, 9}
    assert list(mailbox.reports(account_of(box))) == []


def test_of_a_long_report_the_beginning_is_fetched(box, payload, monkeypatch):
    monkeypatch.setattr(mailbox, "MOST_BYTES", 2500)
    bounce = payload("smtp/bounce_unknown.eml")
    box.mails[1] = bounce + b"x" * 10_000
    (report,) = mailbox.reports(account_of(box))
    assert report == box.mails[1][:2500]
    assert parse(report)[0].message_id == MESSAGE_ID


def test_the_connection_test_logs_in_to_the_mailbox(serve, box):
    _, account = serve(sender=box.sender, credentials=LOGIN)
    assert asyncio.run(client.probe(account)) == ""
    _, account = serve(sender=box.sender, credentials=LOGIN | {"bounce_password": "wrong"})
    assert asyncio.run(client.probe(account)) == "127.0.0.1: [AUTHENTICATIONFAILED] wrong"


def test_a_mailbox_that_refuses_is_unreachable(box):
    with pytest.raises(imaplib.IMAP4.error):
        list(mailbox.reports(account_of(box, bounce_password="wrong")))
    assert issubclass(imaplib.IMAP4.error, mailbox.Unreachable)
