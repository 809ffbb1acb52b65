"""Sending personalised mails, up to a thousand a call."""

import re
import time
import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson
from anymail.exceptions import AnymailNotSupportedWarning
from anymail.message import AnymailMessage

from marketing.delivery.providers.base import Account, Answer, Envelope, Request
from marketing.delivery.providers.mail import (
    from_header,
    mail_of,
    unsubscribe_headers,
    wire_address,
)
from marketing.delivery.providers.sendgrid.shared import SharedContent, group, may_share, share
from marketing.delivery.rules import Result, ResultClass, by_http_status, seconds_of

MAX_BATCH = 1000
CHARGED_ON = "sent"

PERSON = re.compile(r"personalizations\.(\d+)\.")

with warnings.catch_warnings():
    # anymail has nobody to test its SendGrid code with; our own tests hold its payloads.
    warnings.simplefilter("ignore", AnymailNotSupportedWarning)
    from anymail.backends.sendgrid import EmailBackend

    _BACKEND = EmailBackend(
        api_key="the account's own", generate_message_id=False, merge_field_format="{}"
    )


def calls(account: Account, envelopes: Sequence[Envelope]) -> list[list[Envelope]]:
    """Those that share most of their text go together, one address never twice."""
    return group(envelopes, MAX_BATCH)


def build(account: Account, envelopes: Sequence[Envelope]) -> Request:
    """Text and HTML parts, unsubscribe headers, our id in `custom_args.message_id`.

    The envelopes are one of the groups of `calls`. Raises ValueError for a malformed address.
    """
    mails = [mail_of(envelope) for envelope in envelopes]
    content = share(mails[0].layout)
    if not may_share(mails[0]):
        content = SharedContent(mails[0].subject, mails[0].body, mails[0].html)
    url, common = _common(
        content, from_header(account), account.sender.get("reply_to", ""), account.base_url
    )
    people = [
        _person(account, envelope, dict(zip(content.marks, mail.values, strict=False)))
        for envelope, mail in zip(envelopes, mails, strict=True)
    ]
    headers = {
        "Authorization": f"Bearer {account.credentials['api_key']}",
        "Content-Type": "application/json",
    }
    body = orjson.dumps({**common, "personalizations": people})
    return Request(url=url, headers=headers, body=body)


def _person(account: Account, envelope: Envelope, own: dict[str, str]) -> dict[str, Any]:
    """Raises ValueError for a malformed address."""
    person: dict[str, Any] = {
        "to": [{"email": wire_address(envelope.address)}],
        "custom_args": {"message_id": str(envelope.message_id)},
    }
    if headers := unsubscribe_headers(account, envelope):
        person["headers"] = headers
    if own:
        person["substitutions"] = own
    return person


@lru_cache(maxsize=128)
def _common(
    content: SharedContent, sender: str, reply_to: str, base_url: str
) -> tuple[str, dict[str, Any]]:
    """Where to post, and what a thousand people share, as anymail lays it out for one.

    It takes sixty microseconds for each of them, of which a call of a thousand has no use.
    """
    message = AnymailMessage(
        subject=content.subject,
        body=content.text,
        from_email=sender,
        to=["somebody@example.com"],
        reply_to=[reply_to] if reply_to else [],
        # Links are counted by our own redirect; a second one would hide where they lead.
        track_clicks=False,
    )
    if content.html:
        message.attach_alternative(content.html, "text/html")
    asked = _BACKEND.build_message_payload(message, {}).get_request_params(f"{base_url}/v3/")
    common = orjson.loads(asked["data"])
    del common["personalizations"]
    return asked["url"], common


def interpret(envelopes: Sequence[Envelope], answer: Answer) -> list[Result]:
    """202 for all of them, or an error for all.

    The id in the answer is the call's; each message's own comes with its events. One person's
    malformed address spoils a call: she is told apart, the others go again without her.
    """
    if answer.status < 300:
        return [Result(ResultClass.ACCEPTED) for _ in envelopes]
    errors = _errors(answer)
    code = f"http_{answer.status}"
    named = {
        int(match[1]): error.get("message", "")
        for error in errors
        if (match := PERSON.match(error.get("field") or ""))
    }
    if answer.status == 400 and named and len(named) < len(envelopes):
        return [
            Result(ResultClass.FAIL_RECIPIENT, code="address", detail=named[at], suppress="invalid")
            if at in named
            else Result(ResultClass.RETRY, code="refused_with_others")
            for at in range(len(envelopes))
        ]
    detail = "; ".join(error.get("message", "") for error in errors)
    outcome = by_http_status(answer.status)
    suppress = ""
    if answer.status == 400 and any(".to." in (error.get("field") or "") for error in errors):
        outcome, code, suppress = ResultClass.FAIL_RECIPIENT, "address", "invalid"
    return [
        Result(
            outcome,
            code=code,
            detail=detail,
            retry_after=_wait(answer),
            slows=answer.status == 429,
            suppress=suppress,
        )
        for _ in envelopes
    ]


def _errors(answer: Answer) -> list[dict[str, str]]:
    try:
        errors = orjson.loads(answer.body)["errors"]
        return [error for error in errors if isinstance(error, dict)]
    except (ValueError, KeyError, TypeError):
        return []


def _wait(answer: Answer) -> float | None:
    """How long to wait, in seconds: SendGrid names the second when its limit begins anew."""
    asked = seconds_of(answer.headers.get("Retry-After", ""))
    reset = seconds_of(answer.headers.get("X-RateLimit-Reset", ""))
    if asked is None and reset is not None and answer.status == 429:
        return max(reset - time.time(), 0.0)
    return asked


def check(account: Account) -> Request:
    """Asks what the key may do."""
    return Request(
        url=f"{account.base_url}/v3/scopes",
        headers={"Authorization": f"Bearer {account.credentials['api_key']}"},
        body=b"",
        method="GET",
    )


def explain_check(answer: Answer) -> str:
    """A key that works must be allowed to send."""
    if answer.status >= 300:
        return "; ".join(error.get("message", "") for error in _errors(answer)) or (
            f"HTTP {answer.status}"
        )
    try:
        scopes = orjson.loads(answer.body)["scopes"]
    except (ValueError, KeyError, TypeError):
        return "The answer is not SendGrid's."
    return "" if "mail.send" in scopes else "The key may not send mail (mail.send)."
