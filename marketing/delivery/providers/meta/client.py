"""Sending a template message and submitting a template."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from marketing.content.rendering import Parameters
from marketing.delivery.providers.base import Account, Answer, Envelope, Request
from marketing.delivery.providers.meta.codes import result_class
from marketing.delivery.rules import Result, ResultClass, by_http_status, seconds_of

MAX_BATCH = 1
ECHOES_ID = True
CHARGED_ON = "delivered"
DEFAULT_VERSION = "v23.0"
# The account or its number is asked to slow down; 131056 is about one person only.
SLOW_DOWN = frozenset({4, 80007, 130429})


def _base(account: Account) -> str:
    return f"{account.base_url}/{account.sender.get('api_version') or DEFAULT_VERSION}"


def _headers(account: Account) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {account.credentials['access_token']}",
        "Content-Type": "application/json",
    }


def build(account: Account, envelopes: Sequence[Envelope]) -> Request:
    """One template message. Our message id rides in `biz_opaque_callback_data`."""
    (envelope,) = envelopes
    body: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "type": "template",
        "template": {
            "name": envelope.vendor_template,
            "language": {"code": envelope.language},
            "components": _components(envelope),
        },
        "biz_opaque_callback_data": str(envelope.message_id),
    }
    # A business-scoped user id has a dot; a phone is digits behind a plus.
    if envelope.address.startswith("+"):
        body["to"] = envelope.address[1:]
    else:
        body["recipient"] = envelope.address
    return Request(
        url=f"{_base(account)}/{account.sender['phone_number_id']}/messages",
        headers=_headers(account),
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
    )


def _components(envelope: Envelope) -> list[dict[str, Any]]:
    given = envelope.parameters or Parameters(body=())
    components: list[dict[str, Any]] = [
        {"type": part, "parameters": [{"type": "text", "text": text} for text in texts]}
        for part, texts in (("header", given.header), ("body", given.body))
        if texts
    ]
    components += [
        {
            "type": "button",
            "sub_type": "url",
            "index": str(index),
            "parameters": [{"type": "text", "text": text}],
        }
        for index, text in given.buttons.items()
    ]
    return components


def interpret(envelopes: Sequence[Envelope], answer: Answer) -> list[Result]:
    """Decided by the code alone: titles and HTTP statuses are not stable."""
    return [read_answer(answer)]


def read_answer(answer: Answer) -> Result:
    """What Meta answered to one request, whatever was asked."""
    try:
        said = json.loads(answer.body)
    except ValueError:
        return Result(by_http_status(answer.status), code=f"http_{answer.status}")
    if answer.status < 300:
        messages = said.get("messages") or [{}]
        return Result(ResultClass.ACCEPTED, reference=messages[0].get("id", ""))
    error = said.get("error") or {}
    code = error.get("code")
    return Result(
        result_class(code) or by_http_status(answer.status),
        code=str(code or f"http_{answer.status}"),
        detail=str((error.get("error_data") or {}).get("details") or error.get("message", "")),
        retry_after=seconds_of(answer.headers.get("Retry-After", "")),
        slows=code in SLOW_DOWN or (code is None and answer.status == 429),
    )


def template_request(account: Account, body: Mapping[str, Any]) -> Request:
    """The request that submits a template for approval."""
    return Request(
        url=f"{_base(account)}/{account.sender['waba_id']}/message_templates",
        headers=_headers(account),
        body=json.dumps(body, ensure_ascii=False).encode(),
    )
