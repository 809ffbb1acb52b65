"""Sending up to a hundred texts a call; a repeated message is known by our id and not sent.

`csms_id` has at most 20 characters, too few for our ids: it is made from them, always the same.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from marketing.delivery.providers import batching
from marketing.delivery.providers.base import Account, Answer, Envelope, Request
from marketing.delivery.providers.ssl_wireless.codes import (
    CODES,
    INVALID_NUMBER,
    OF_ONE_MESSAGE,
    OK,
    ROWS,
    SLOW_DOWN,
)
from marketing.delivery.rules import Result, ResultClass, by_http_status, seconds_of

MAX_BATCH = 100
IS_IDEMPOTENT = True
CHARGED_ON = "sent"


def csms_id(envelope: Envelope) -> str:
    """20 letters and digits made from our message id."""
    digest = hashlib.sha256(envelope.message_id.bytes).digest()
    return base64.b32encode(digest).decode().lower()[:20]


def calls(account: Account, envelopes: Sequence[Envelope]) -> list[list[Envelope]]:
    """As many a call as the account says; the vendor refuses a number that comes twice."""
    return batching.cut(envelopes, int(account.sender.get("batch_size") or MAX_BATCH))


def build(account: Account, envelopes: Sequence[Envelope]) -> Request:
    """Each person's own text."""
    return _request(
        account,
        [
            {
                "msisdn": envelope.address.removeprefix("+"),
                "text": envelope.rendered.body,
                "csms_id": csms_id(envelope),
            }
            for envelope in envelopes
        ],
    )


def _request(account: Account, messages: list[dict[str, str]]) -> Request:
    body = {
        "api_token": account.credentials["api_token"],
        "sid": account.sender["sid"],
        "sms": messages,
    }
    return Request(
        url=f"{account.base_url}/api/v3/send-sms/dynamic",
        headers={"Content-Type": "application/json", "Accept": "application/json"},
        body=orjson.dumps(body),
    )


def interpret(envelopes: Sequence[Envelope], answer: Answer) -> list[Result]:
    """HTTP 200 says nothing; a call that succeeded may hold messages that failed."""
    said = answer.json_object()
    if not said:
        kind = by_http_status(answer.status) if answer.status >= 300 else ResultClass.UNKNOWN
        return [
            Result(
                kind,
                code=f"http_{answer.status}",
                retry_after=seconds_of(answer.headers.get("Retry-After", "")),
                slows=answer.status == 429,
            )
        ] * len(envelopes)
    rows = {str(row.get("csms_id")): row for row in said.get("smsinfo") or []}
    of_call = _of_call(said, answer, len(envelopes))
    return [
        _of_row(rows[key], key) if (key := csms_id(envelope)) in rows else of_call
        for envelope in envelopes
    ]


def _of_call(said: Mapping[str, Any], answer: Answer, messages: int) -> Result:
    """What the answer as a whole says of a message that it does not name."""
    code = _number(said.get("status_code"))
    kind = CODES.get(code) or by_http_status(answer.status if answer.status >= 300 else 400)
    if messages > 1 and code in OF_ONE_MESSAGE:
        kind = ResultClass.RETRY
    elif code == OK:
        kind = ResultClass.UNKNOWN  # accepted, it says, and yet leaves this one out
    return Result(
        kind,
        code="" if kind is ResultClass.ACCEPTED else str(code or f"http_{answer.status}"),
        detail=str(said.get("error_message") or ""),
        retry_after=seconds_of(answer.headers.get("Retry-After", "")),
        slows=code in SLOW_DOWN or answer.status == 429,
        suppress="invalid" if code == INVALID_NUMBER and messages == 1 else "",
    )


def _of_row(row: Mapping[str, Any], key: str) -> Result:
    status = str(row.get("sms_status", "")).upper()
    kind = ROWS.get(status, ResultClass.FAIL_RECIPIENT)
    if kind is ResultClass.ACCEPTED:
        return Result(kind, reference=str(row.get("reference_id") or key))
    return Result(
        kind,
        code=status or "row",
        detail=str(row.get("status_message") or ""),
        suppress="invalid" if status == "INVALID" else "",
    )


def check(account: Account) -> Request:
    """Sends nothing to nobody: token, sender and our address are looked at first."""
    return _request(account, [])


def explain_check(answer: Answer) -> str:
    """What SSL Wireless complains of; that there is nothing to send is as it should be."""
    said = answer.json_object()
    code = _number(said.get("status_code"))
    if CODES.get(code) in (ResultClass.ACCEPTED, ResultClass.FAIL_CONTENT):
        return ""
    return str(said.get("error_message") or code or f"HTTP {answer.status}")


def _number(code: object) -> int:
    return int(str(code)) if str(code).isdecimal() else 0
