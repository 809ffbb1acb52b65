"""Sending one message, looking up what became of one, asking how the account is.

Our message id rides in the query of the callback's address, which is given with each message:
so a message whose request got no answer is known by its first callback.
"""

import base64
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from marketing.content.rendering import Parameters
from marketing.delivery.providers.base import Account, Answer, Envelope, Request
from marketing.delivery.providers.twilio.codes import SLOW_DOWN, result_class, suppression
from marketing.delivery.rules import Result, ResultClass, by_http_status, seconds_of
from marketing.policy.models import Provider

MAX_BATCH = 1
LOOK_UP_BATCH = 1
LOOK_UP_PAGE = 50
NAMES_WEBHOOK = True
CHARGED_ON = "sent"
FAILED = ("failed", "undelivered", "canceled")


def _address(account: Account, phone: str) -> str:
    return f"whatsapp:{phone}" if account.provider == Provider.TWILIO_WHATSAPP else phone


def headers(account: Account) -> dict[str, str]:
    login = f"{account.credentials['account_sid']}:{account.credentials['auth_token']}"
    return {
        "Authorization": f"Basic {base64.b64encode(login.encode()).decode()}",
        "Content-Type": "application/x-www-form-urlencoded",
    }


def _resource(account: Account, path: str = "") -> str:
    sid = account.credentials["account_sid"]
    return f"{account.base_url}/2010-04-01/Accounts/{sid}{path}.json"


def build(account: Account, envelopes: Sequence[Envelope]) -> Request:
    """A form: a text, or the variables of a content template and then no text."""
    (envelope,) = envelopes
    form = {"To": _address(account, envelope.address)}
    if service := account.sender.get("messaging_service_sid"):
        form["MessagingServiceSid"] = service
    else:
        form["From"] = _address(account, account.sender["from_number"])
    if account.provider == Provider.TWILIO_WHATSAPP and envelope.vendor_template:
        form["ContentSid"] = envelope.vendor_template
        form["ContentVariables"] = json.dumps(
            _variables(envelope.parameters or Parameters(body=())), ensure_ascii=False
        )
    else:
        form["Body"] = envelope.rendered.body
    query = urlencode({"message": str(envelope.message_id)})
    form["StatusCallback"] = f"{account.webhook_url}?{query}"
    return Request(
        url=_resource(account, "/Messages"),
        headers=headers(account),
        body=urlencode(form).encode(),
    )


def _variables(given: Parameters) -> dict[str, str]:
    """Numbered through the template: header, body, then the link buttons'."""
    buttons = (given.buttons[index] for index in sorted(given.buttons))
    texts = (*given.header, *given.body, *buttons)
    return {str(number): text for number, text in enumerate(texts, 1)}


def interpret(envelopes: Sequence[Envelope], answer: Answer) -> list[Result]:
    """Twilio's code decides, then the status."""
    (envelope,) = envelopes
    said = answer.json_object()
    sid = str(said.get("sid") or "")
    if answer.status < 300:
        return [_of_message(said, envelope) if sid else Result(ResultClass.UNKNOWN, code="no_sid")]
    code = said.get("code")
    return [
        Result(
            result_class(code, envelope.address) or by_http_status(answer.status),
            code=f"http_{answer.status}" if code is None else str(code),
            detail=str(said.get("message", "")),
            retry_after=seconds_of(answer.headers.get("Retry-After", "")),
            slows=code in SLOW_DOWN or answer.status == 429,
            suppress=suppression(code),
        )
    ]


def _of_message(message: Mapping[str, Any], envelope: Envelope) -> Result:
    """Accepted, unless the message says itself that it failed."""
    code = message.get("error_code")
    if message.get("status") not in FAILED:
        return Result(ResultClass.ACCEPTED, reference=str(message["sid"]))
    return Result(
        result_class(code, envelope.address) or ResultClass.FAIL_RECIPIENT,
        reference=str(message["sid"]),
        code=str(code or message["status"]),
        detail=str(message.get("error_message") or ""),
        suppress=suppression(code),
    )


def look_up(account: Account, envelopes: Sequence[Envelope]) -> Request:
    """Lists what was sent to the number since the day on which the message was made."""
    (envelope,) = envelopes
    query = urlencode(
        {
            "To": _address(account, envelope.address),
            "DateSent>": _made_at(envelope).date().isoformat(),
            "PageSize": LOOK_UP_PAGE,
        }
    )
    return Request(
        url=f"{_resource(account, '/Messages')}?{query}",
        headers=headers(account),
        body=b"",
        method="GET",
    )


def interpret_look_up(envelopes: Sequence[Envelope], answer: Answer) -> list[Result | None]:
    """Found when exactly one message with these words was made since."""
    (envelope,) = envelopes
    if answer.status >= 300:
        return [None]
    wanted = " ".join(envelope.rendered.body.split())
    # Twilio's times have whole seconds.
    since = _made_at(envelope).replace(microsecond=0)
    found = [
        message
        for message in answer.json_object().get("messages") or []
        if str(message.get("direction", "")).startswith("outbound")
        and " ".join(str(message.get("body", "")).split()) == wanted
        and dt.datetime.strptime(message["date_created"], "%a, %d %b %Y %H:%M:%S %z") >= since
    ]
    return [_of_message(found[0], envelope) if len(found) == 1 else None]


def _made_at(envelope: Envelope) -> dt.datetime:
    """Our ids begin with the milliseconds at which they were made."""
    return dt.datetime.fromtimestamp((envelope.message_id.int >> 80) / 1000, dt.UTC)


def check(account: Account) -> Request:
    """Reads the account: proves its sid and token."""
    return Request(url=_resource(account), headers=headers(account), body=b"", method="GET")


def explain_check(answer: Answer) -> str:
    """What Twilio complains of; an account may be known and yet be suspended or closed."""
    said = answer.json_object()
    if answer.status >= 300:
        return str(said.get("message") or f"HTTP {answer.status}")
    return "" if said.get("status") == "active" else f"status: {said.get('status', '?')}"
