"""Complaints: what a feedback loop's report says of a mail of ours, and what it must not."""

import uuid

import pytest

from marketing.delivery.providers.base import Call
from marketing.delivery.providers.smtp import webhook
from tests.delivery.providers.mailbox import MESSAGE_ID

# Under the key of the tests' settings.
TAG = b"647d0d8923787cfa"
NAME = b"<%s.%s@example.com>" % (MESSAGE_ID.hex.encode(), TAG)


def parse(body):
    return webhook.parse(Call(url="", headers={}, body=body))


@pytest.mark.parametrize("name", ["complaint", "complaint_redacted"])
def test_a_complaint_names_our_message_and_ends_writing_to_it(payload, name):
    (update,) = parse(payload(f"smtp/{name}.eml"))
    assert (update.message_id, update.reference) == (MESSAGE_ID, NAME.decode())
    assert (update.state, update.suppress) == ("delivered", "complaint")
    assert (update.code, update.error_class) == ("", "")
    assert update.key == f"{MESSAGE_ID.hex}:complaint"


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        (b"Feedback-Type: abuse", b"Feedback-Type: not-spam"),
        (b"Feedback-Type: abuse", b"Feedback-Type: auth-failure"),
        (b"Feedback-Type: abuse", b"Feedback-Type: virus"),
        (b"Feedback-Type: abuse", b"X-Type: abuse"),
        # Whose name was guessed from that of another mail.
        (MESSAGE_ID.hex.encode(), uuid.UUID(int=MESSAGE_ID.int + 1).hex.encode()),
        (TAG, TAG[::-1]),
        (b"." + TAG, b""),
        (NAME, b"<redacted@example.com>"),
        (NAME, b""),
        (b"Message-ID: " + NAME, b"X-Other: " + NAME),
        (b"Content-Type: message/rfc822", b"Content-Type: application/octet-stream"),
        (b"Content-Type: message/feedback-report", b"Content-Type: text/plain"),
        (b"Content-Type: message/feedback-report", b"Content-Type: message/rfc822"),
    ],
)
def test_praise_machines_and_mails_of_others_say_nothing(payload, written, instead):
    body = payload("smtp/complaint.eml")
    assert written in body
    assert parse(body.replace(written, instead)) == []


def test_a_mail_with_half_a_name_proves_nothing(payload):
    """Python's parser stumbles over it before 3.13; it is told so, and nothing follows."""
    body = payload("smtp/complaint.eml").replace(NAME, b"<")
    try:
        found = parse(body)
    except ValueError as error:
        assert "cannot be read" in str(error)  # noqa: PT017  only some versions raise
    else:
        assert found == []


def test_our_name_in_the_reports_own_head_proves_nothing(payload):
    """Whoever reports may write there what she likes; only the mail she returns counts."""
    body = payload("smtp/complaint.eml").replace(NAME, b"<redacted@example.com>")
    own = b"<1763709029.77120.fbl@fbl.mailbox.example>"
    assert own in body
    assert parse(body.replace(own, NAME)) == []


def test_parts_in_another_order_and_in_excess_do_no_harm(payload):
    head, _, rest = payload("smtp/complaint_redacted.eml").partition(b"--part_0\n")
    text, fields, returned = rest.removesuffix(b"--part_0--\n").split(b"--part_0\n")
    other = returned.replace(NAME, b"<another@mailbox.example>")
    html = b"Content-Type: text/html\n\n<p>A complaint</p>\n\n"
    parts = [returned, other, html, fields, text]
    body = head + b"".join(b"--part_0\n" + part for part in parts) + b"--part_0--\n"
    (update,) = parse(body)
    assert (update.message_id, update.suppress) == (MESSAGE_ID, "complaint")


def test_a_report_that_breaks_off_in_the_mail_is_read(payload):
    body = payload("smtp/complaint.eml")
    (update,) = parse(body[: body.index(b"Hi Asha")])
    assert update.message_id == MESSAGE_ID


@pytest.mark.parametrize(
    "kept", [b"boundary=", b"Feedback-Type", b"Source-IP", b"Content-Disposition"]
)
def test_a_report_that_breaks_off_before_it_says_nothing(payload, kept):
    body = payload("smtp/complaint.eml")
    assert parse(body[: body.index(kept)]) == []


def test_a_report_without_its_boundary_says_nothing(payload):
    body = payload("smtp/complaint.eml")
    assert parse(body.replace(b'\tboundary="----=_FBL_1763709029"', b"\tx=y")) == []


def test_what_came_back_is_a_bounce_whatever_else_is_said(payload):
    more = b"\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n\n--b1_Exchange--"
    body = payload("smtp/bounce_full.eml").replace(b"--b1_Exchange--", b"--b1_Exchange" + more)
    (update,) = parse(body)
    assert (update.state, update.suppress) == ("failed", "")
