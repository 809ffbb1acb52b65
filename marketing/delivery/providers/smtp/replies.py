"""What a mail server's replies, and the want of one, say about a mail."""

import re

import aiosmtplib

from marketing.delivery.rules import Result, ResultClass

# RFC 3463: what is wrong with the address itself, not with the mail or the sender.
NO_SUCH_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
ACCOUNT_CODES = frozenset({530, 534, 535, 538})
RECIPIENT_CODES = frozenset({550, 551, 553})
CLOSING = 421
# A server that puts off a mail (greylisting, a full mailbox) does so for minutes.
PUT_OFF_SECONDS = 60.0


def by_reply(code: int, text: str, stage: str) -> Result:
    """The class of a reply that is no success; every reply says that the mail was not taken.

    `stage` is what it answers: connect, mail, rcpt, data (the command) or text (all of it).
    """
    enhanced = match[0] if (match := ENHANCED.match(text)) else ""
    suppress = ""
    retry_after = None
    if 400 <= code < 500:
        outcome = ResultClass.RETRY
        is_put_off = stage not in ("connect", "mail") and code != CLOSING
        retry_after = PUT_OFF_SECONDS if is_put_off else None
    elif code in ACCOUNT_CODES or stage in ("connect", "mail"):
        outcome = ResultClass.FAIL_ACCOUNT
    elif code in RECIPIENT_CODES and (stage == "rcpt" or not enhanced.startswith("5.7.")):
        outcome = ResultClass.FAIL_RECIPIENT
        suppress = "hard_bounce" if enhanced in NO_SUCH_ADDRESS else ""
    else:
        outcome = ResultClass.FAIL_CONTENT
    return Result(
        outcome,
        code=f"{code} {enhanced}".strip(),
        detail=text,
        retry_after=retry_after,
        slows=code == CLOSING,
        suppress=suppress,
    )


def by_silence(is_begun: bool, detail: str) -> Result:
    """The connection ended, or time ran out: unknown once the mail's text was begun."""
    if is_begun:
        return Result(ResultClass.UNKNOWN, code="no_answer", detail=detail)
    return Result(ResultClass.RETRY, code="unreachable", detail=detail)


def by_refused_session(error: Exception) -> Result:
    """What kept a session from being opened, for a mail that waited for it."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return by_reply(error.code, error.message, "connect")
    if not isinstance(error, OSError):  # the server has no such thing as we are set up to use
        return Result(ResultClass.FAIL_ACCOUNT, code="not_supported", detail=str(error))
    return by_silence(False, str(error) or type(error).__name__)
