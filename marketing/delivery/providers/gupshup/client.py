"""Sending a template or a free text, and listing the templates as a test of the account."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from marketing.content.rendering import Parameters
from marketing.delivery.providers.base import Account, Answer, Envelope, Request
from marketing.delivery.providers.gupshup.codes import (
    RATE_LIMITED,
    as_code,
    class_of_message,
    result_class,
    suppression,
)
from marketing.delivery.rules import Result, ResultClass, by_http_status, seconds_of

MAX_BATCH = 1
CHARGED_ON = "delivered"


def build(account: Account, envelopes: Sequence[Envelope]) -> Request:
    """A form. Variables go in order of appearance: header, body, then the link buttons'."""
    (envelope,) = envelopes
    form = {
        "channel": "whatsapp",
        "source": _digits(account.sender["source"]),
        "src.name": account.sender["app_name"],
        "destination": envelope.address.removeprefix("+"),
    }
    if envelope.vendor_template:
        given = envelope.parameters or Parameters(body=())
        buttons = (given.buttons[index] for index in sorted(given.buttons))
        params = [*given.header, *given.body, *buttons]
        form["template"] = _json({"id": envelope.vendor_template, "params": params})
        path = "template/msg"
    else:
        form["message"] = _json({"type": "text", "text": envelope.rendered.body})
        path = "msg"
    return Request(
        url=f"{account.base_url}/wa/api/v1/{path}",
        headers={
            "apikey": account.credentials["api_key"],
            "Content-Type": "application/x-www-form-urlencoded",
        },
        body=urlencode(form).encode(),
    )


def _digits(number: str) -> str:
    return "".join(character for character in number if character.isdecimal())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def interpret(envelopes: Sequence[Envelope], answer: Answer) -> list[Result]:
    """Accepted is a 2xx with a message id and no status "error", whatever its content type."""
    said = answer.json_object()
    reference = str(said.get("messageId") or "")
    is_error = said.get("status") == "error"
    if answer.status < 300 and reference and not is_error:
        return [Result(ResultClass.ACCEPTED, reference=reference)]
    message = said.get("message", "")
    if isinstance(message, dict):
        said, message = {**said, **message}, message.get("reason", "")
    code = as_code(said.get("code"))
    return [
        Result(
            result_class(code) or class_of_message(str(message)) or _by_status(answer, is_error),
            code=f"http_{answer.status}" if code is None else str(code),
            detail=str(message),
            retry_after=seconds_of(answer.headers.get("Retry-After", "")),
            slows=answer.status == 429 or code == RATE_LIMITED,
            suppress=suppression(code),
        )
    ]


def _by_status(answer: Answer, is_error: bool) -> ResultClass:
    if answer.status >= 300:
        return by_http_status(answer.status)
    # A 2xx that names no message: it may have been taken.
    return ResultClass.FAIL_CONTENT if is_error else ResultClass.UNKNOWN


def check(account: Account) -> Request:
    """Lists the app's templates: proves the key and the app's name."""
    app_name = quote(account.sender["app_name"], safe="")
    return Request(
        url=f"{account.base_url}/wa/api/v1/template/list/{app_name}",
        headers={"apikey": account.credentials["api_key"]},
        body=b"",
        method="GET",
    )


def explain_check(answer: Answer) -> str:
    """What Gupshup complains of."""
    said = answer.json_object()
    if answer.status < 300 and said.get("status") != "error":
        return ""
    return str(said.get("message") or f"HTTP {answer.status}")
