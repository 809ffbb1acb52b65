"""Sending by a flow, many recipients a call.

MSG91 gives one request id for the whole call, and its reports name that and the number: so a
message's reference is both, and a call never holds a number twice. A call has one flow.
"""

from collections.abc import Sequence
from urllib.parse import urlencode

import orjson

from marketing.delivery.providers import batching
from marketing.delivery.providers.base import Account, Answer, Envelope, Request
from marketing.delivery.providers.msg91.codes import (
    ADDRESS_NOT_LISTED,
    CODES,
    HOURS_CLOSED,
    HOURS_CLOSED_SECONDS,
    INVALID_MOBILE,
)
from marketing.delivery.rules import Result, ResultClass, by_http_status, seconds_of

MAX_BATCH = 100
CHARGED_ON = "sent"


def calls(account: Account, envelopes: Sequence[Envelope]) -> list[list[Envelope]]:
    """By flow, as many a call as the account's `batch_size` says."""
    size = int(account.sender.get("batch_size") or MAX_BATCH)
    return batching.cut(envelopes, size, kind=lambda envelope: envelope.vendor_template)


def build(account: Account, envelopes: Sequence[Envelope]) -> Request:
    """The recipients of one flow, which holds the DLT-registered text."""
    body = {
        "template_id": envelopes[0].vendor_template,
        "short_url": "0",
        "realTimeResponse": "1",
        "recipients": [_recipient(envelope) for envelope in envelopes],
    }
    return Request(
        url=f"{account.base_url}/api/v5/flow",
        headers={
            "authkey": account.credentials["authkey"],
            "Content-Type": "application/json",
            "accept": "application/json",
        },
        body=orjson.dumps(body),
    )


def _recipient(envelope: Envelope) -> dict[str, str]:
    texts = envelope.parameters.body if envelope.parameters else ()
    variables = {f"VAR{number}": text for number, text in enumerate(texts, 1)}
    return {"mobiles": _number(envelope), **variables}


def _number(envelope: Envelope) -> str:
    return envelope.address.removeprefix("+")


def interpret(envelopes: Sequence[Envelope], answer: Answer) -> list[Result]:
    """Errors may come with status 200: `type` decides, then the code, then the status.

    An answer is about the whole call. When one bad number spoils it, the others are not to
    blame: all are tried again, at last each alone.
    """
    said = answer.json_object()
    if said.get("type") == "success":
        request_id = said.get("message", "")
        return [
            Result(ResultClass.ACCEPTED, reference=f"{request_id}:{_number(envelope)}")
            for envelope in envelopes
        ]
    code = str(said.get("code") or "")
    if not code and answer.status == ADDRESS_NOT_LISTED:
        code = str(ADDRESS_NOT_LISTED)
    # An answer that MSG91 did not write says nothing about acceptance.
    status = answer.status if answer.status >= 300 or not said else 400
    kind = CODES.get(code) or (by_http_status(status) if status >= 300 else ResultClass.UNKNOWN)
    if kind is ResultClass.FAIL_RECIPIENT and len(envelopes) > 1:
        kind = ResultClass.RETRY
    result = Result(
        kind,
        code=code or f"http_{status}",
        detail=str(said.get("message", "")),
        retry_after=(
            HOURS_CLOSED_SECONDS
            if code == HOURS_CLOSED
            else seconds_of(answer.headers.get("Retry-After", ""))
        ),
        slows=answer.status == 429,
        suppress="invalid" if code == INVALID_MOBILE and len(envelopes) == 1 else "",
    )
    return [result] * len(envelopes)


def check(account: Account) -> Request:
    """Asks for the balance of the transactional route: proves the key and our address."""
    query = urlencode({"authkey": account.credentials["authkey"], "type": "4"})
    return Request(
        url=f"{account.base_url}/api/balance.php?{query}", headers={}, body=b"", method="GET"
    )


def explain_check(answer: Answer) -> str:
    """A bare number is the balance; everything else is a complaint."""
    try:
        said = orjson.loads(answer.body)
    except ValueError:
        said = {}
    if answer.status < 300 and isinstance(said, int | float):
        return ""
    words = said.get("msg") or said.get("message") if isinstance(said, dict) else ""
    return str(words or f"HTTP {answer.status}")
