"""Mails as bytes: what is written is what Python's email library reads."""

import dataclasses
import email
import email.policy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from marketing.content.mail import Mail, MailLayout
from marketing.content.rendering import Rendered
from marketing.delivery.providers.base import Envelope
from marketing.delivery.providers.smtp.mime import compose
from marketing.delivery.providers.smtp.naming import message_named
from tests.delivery.providers.mailbox import ACCOUNT, HINDI, HTML, MESSAGE_ID


def envelope(mail):
    return Envelope(
        message_id=MESSAGE_ID,
        address="asha@example.com",
        language="en",
        rendered=mail,
        parameters=None,
        vendor_template="",
        unsubscribe_url="https://example.com/u/token",
    )


def whole(body="Hi Asha\n.\nBye", subject="Offer", html=HTML):
    return envelope(Rendered(body=body, language="en", subject=subject, html=html))


def written(envelope):
    return compose(ACCOUNT, envelope, envelope.address)


def read(raw):
    return email.message_from_bytes(raw, policy=email.policy.default)


def text_of(part):
    return part.get_content().replace("\r\n", "\n").removesuffix("\n")


@pytest.mark.parametrize("body", ["Hi Asha\n.\nBye = now ", HINDI, "one line", "a\r\nb", ""])
@pytest.mark.parametrize("html", [HTML, f"<p>{HINDI}</p>"])
def test_what_is_written_is_what_is_read(body, html):
    mail = read(written(whole(body=body, html=html)))
    assert not mail.defects
    assert text_of(mail.get_body(("plain",))) == body.replace("\r\n", "\n")
    assert text_of(mail.get_body(("html",))) == html


@pytest.mark.parametrize("subject", ["Offer", "Offer " * 40, "नमस्ते " * 30, "two\r\nBcc: x@y.z"])
def test_headers(subject):
    raw = written(whole(subject=subject))
    mail = read(raw)
    assert mail["Subject"].split() == subject.split()
    assert mail["From"].addresses[0].display_name == "Parlour, Park Street"
    assert mail["To"] == "asha@example.com"
    assert mail["Bcc"] is None
    assert message_named(mail["Message-ID"]) == MESSAGE_ID
    assert mail["Message-ID"].endswith("@example.com>")
    assert mail["Date"].datetime
    assert mail["List-Unsubscribe"] == (
        "<https://example.com/u/token>, <mailto:hello@example.com?subject=token>"
    )
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_other_mail_has_no_unsubscribe_headers():
    service = dataclasses.replace(whole(), is_promotional=False)
    assert read(written(service))["List-Unsubscribe"] is None


def test_a_text_alone_has_one_part():
    mail = read(written(whole(html="")))
    assert mail.get_content_type() == "text/plain"
    assert text_of(mail) == "Hi Asha\n.\nBye"


# Long words, dots at a line's start, spaces at its end, what looks encoded, other alphabets.
WORDS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\r")),
    st.sampled_from([".", "\n.", " \n", "=", "=?utf-8?q?x?=", "\n" * 3, "--=_parlour\n", HINDI]),
    st.integers(60, 90).map(lambda length: "x" * length),
)
TEXTS = st.lists(WORDS | st.integers(0, 2), max_size=8).map(tuple)


@example((), ("x" * 74 + " ",), ("x" * 74, "\t\ny"), ("", "", ""))
@given(subject=TEXTS, body=TEXTS, html=TEXTS, values=st.tuples(WORDS, WORDS, WORDS))
def test_mails_with_gaps_are_read_as_they_were_filled(subject, body, html, values):
    mail = Mail(MailLayout("en", subject, body, html), values)
    raw = written(envelope(mail))
    got = read(raw)
    assert not got.defects
    assert got["Subject"].split() == mail.subject.split()
    # How many line ends a part ends with is nobody's matter.
    assert text_of(got.get_body(("plain",))).rstrip("\n") == mail.body.rstrip("\n")
    if html:
        assert text_of(got.get_body(("html",))).rstrip("\n") == mail.html.rstrip("\n")
    head, _, rest = raw.partition(b"\r\n\r\n")
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert max(map(len, rest.split(b"\r\n"))) <= 76
    assert max(len(line) for line in head.split(b"\r\n") if line.startswith(b"Subject")) <= 76
    assert set(got.keys()) <= {
        *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "List-Unsubscribe"),
        *("List-Unsubscribe-Post", "Content-Type", "Content-Transfer-Encoding"),
    }
