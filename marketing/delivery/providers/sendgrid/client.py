"""Sending one personalised e-mail; unsubscribe headers by RFC 8058."""

import json
from collections.abc import Sequence

from marketing.delivery.providers.base import Account, Answer, Envelope, Request
from marketing.delivery.rules import Result, ResultClass, by_http_status, seconds_of

MAX_BATCH = 1
ECHOES_ID = True
CHARGED_ON = "sent"


def build(account: Account, envelopes: Sequence[Envelope]) -> Request:
    """Text and HTML parts, one-click unsubscribe headers, our id in `custom_args`."""
    (envelope,) = envelopes
    rendered = envelope.rendered
    personalization = {
        "to": [{"email": envelope.address}],
        "custom_args": {"message_id": str(envelope.message_id)},
    }
    if envelope.unsubscribe_url:
        personalization["headers"] = {  # RFC 8058
            "List-Unsubscribe": f"<{envelope.unsubscribe_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    content = [{"type": "text/plain", "value": rendered.body}]
    if rendered.html:
        content.append({"type": "text/html", "value": rendered.html})
    body = {
        "personalizations": [personalization],
        "from": {
            "email": account.sender["from_email"],
            "name": account.sender.get("from_name", ""),
        },
        "subject": rendered.subject,
        "content": content,
    }
    return Request(
        url=f"{account.base_url}/v3/mail/send",
        headers={
            "Authorization": f"Bearer {account.credentials['api_key']}",
            "Content-Type": "application/json",
        },
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
    )


def interpret(envelopes: Sequence[Envelope], answer: Answer) -> list[Result]:
    """202 with the id in a header; errors name themselves in `errors[].message`."""
    if answer.status < 300:
        return [Result(ResultClass.ACCEPTED, reference=answer.headers.get("X-Message-Id", ""))]
    try:
        errors = json.loads(answer.body)["errors"]
        detail = "; ".join(str(error["message"]) for error in errors)
    except (ValueError, KeyError, TypeError):
        detail = ""
    return [
        Result(
            by_http_status(answer.status),
            code=f"http_{answer.status}",
            detail=detail,
            retry_after=seconds_of(answer.headers.get("Retry-After", "")),
            slows=answer.status == 429,
        )
    ]
