"""Sending a message, submitting a template, asking how the number is."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from marketing.content.rendering import Parameters
from marketing.delivery.providers.base import Account, Answer, Envelope, Request
from marketing.delivery.providers.meta.codes import SLOW_DOWN, result_class, suppression
from marketing.delivery.rules import Result, ResultClass, by_http_status, seconds_of

MAX_BATCH = 1
CHARGED_ON = "delivered"
DEFAULT_VERSION = "v23.0"
# One person gets about one message in this many seconds; more are refused with this code.
PAIR_RATE, PAIR_SECONDS = 131056, 6.0


def _base(account: Account) -> str:
    return f"{account.base_url}/{account.sender.get('api_version') or DEFAULT_VERSION}"


def _headers(account: Account) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {account.credentials['access_token']}",
        "Content-Type": "application/json",
    }


def build(account: Account, envelopes: Sequence[Envelope]) -> Request:
    """One message. Our message id rides in `biz_opaque_callback_data`."""
    (envelope,) = envelopes
    body: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        # A business-scoped user id has a dot; a phone is digits behind a plus.
        **(
            {"to": envelope.address[1:]}
            if envelope.address.startswith("+")
            else {"recipient": envelope.address}
        ),
        **(_template(account, envelope) if envelope.vendor_template else _text(envelope)),
        "biz_opaque_callback_data": str(envelope.message_id),
    }
    return Request(
        url=f"{_base(account)}/{account.sender['phone_number_id']}/{_endpoint(account, envelope)}",
        headers=_headers(account),
        body=orjson.dumps(body),
    )


def _endpoint(account: Account, envelope: Envelope) -> str:
    """The Marketing Messages API takes marketing templates only."""
    if envelope.vendor_template and envelope.is_promotional:
        return account.sender.get("marketing_endpoint") or "messages"
    return "messages"


def _text(envelope: Envelope) -> dict[str, Any]:
    return {"type": "text", "text": {"body": envelope.rendered.body, "preview_url": False}}


def _template(account: Account, envelope: Envelope) -> dict[str, Any]:
    given = envelope.parameters or Parameters(body=())
    is_named = account.sender.get("parameter_format") == "NAMED"
    components: list[dict[str, Any]] = [
        {"type": part, "parameters": _named(texts, names) if is_named else _in_order(texts)}
        for part, texts, names in (
            ("header", given.header, given.header_names),
            ("body", given.body, given.body_names),
        )
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
    return {
        "type": "template",
        "template": {
            "name": envelope.vendor_template,
            "language": {"code": envelope.language},
            "components": components,
        },
    }


def _in_order(texts: Sequence[str]) -> list[dict[str, str]]:
    return [{"type": "text", "text": text} for text in texts]


def _named(texts: Sequence[str], names: Sequence[str]) -> list[dict[str, str]]:
    """A name is given once, however often the text has it."""
    return [
        {"type": "text", "parameter_name": name, "text": text}
        for name, text in dict(zip(names, texts, strict=True)).items()
    ]


def interpret(envelopes: Sequence[Envelope], answer: Answer) -> list[Result]:
    """Decided by the code alone: titles and HTTP statuses are not stable.

    An answer that names no message may be of somebody between Meta and us.
    """
    result = read_answer(answer)
    if result.outcome is ResultClass.ACCEPTED and not result.reference:
        return [Result(ResultClass.UNKNOWN, code="no_id")]
    return [result]


def read_answer(answer: Answer) -> Result:
    """What Meta answered to one request, whatever was asked.

    `detail` of an accepted message says when it is held or paused for the template's quality;
    what becomes of it comes as a status.
    """
    try:
        said = orjson.loads(answer.body)
    except ValueError:
        said = {}
    if answer.status < 300:
        messages = said.get("messages") or [{}]
        status = str(messages[0].get("message_status") or "accepted")
        return Result(
            ResultClass.ACCEPTED,
            reference=messages[0].get("id", ""),
            detail="" if status == "accepted" else status,
        )
    error = said.get("error") or {}
    code = error.get("code")
    wait = seconds_of(answer.headers.get("Retry-After", ""))
    return Result(
        result_class(code) or by_http_status(answer.status),
        code=f"http_{answer.status}" if code is None else str(code),
        detail=str((error.get("error_data") or {}).get("details") or error.get("message", "")),
        retry_after=PAIR_SECONDS if code == PAIR_RATE and wait is None else wait,
        slows=code in SLOW_DOWN or (result_class(code) is None and answer.status == 429),
        suppress=suppression(code),
    )


def check(account: Account) -> Request:
    """Reads the number: proves the token and that it may use the number."""
    fields = "display_phone_number,verified_name,quality_rating"
    return Request(
        url=f"{_base(account)}/{account.sender['phone_number_id']}?fields={fields}",
        headers=_headers(account),
        body=b"",
        method="GET",
    )


def explain_check(answer: Answer) -> str:
    """What Meta complains of."""
    result = read_answer(answer)
    return "" if result.outcome is ResultClass.ACCEPTED else result.detail or result.code


def template_request(account: Account, body: Mapping[str, Any]) -> Request:
    """The request that submits a template for approval."""
    return Request(
        url=f"{_base(account)}/{account.sender['waba_id']}/message_templates",
        headers=_headers(account),
        body=orjson.dumps(body),
    )
