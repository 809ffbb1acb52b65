"""Sending by a flow.

The receipt is keyed by the request id and the number, so a request carries one recipient:
its `CRQID` is our message id, which MSG91 hands back in the receipt.
"""

import json
from collections.abc import Sequence

from marketing.delivery.providers.base import Account, Answer, Envelope, Request
from marketing.delivery.rules import Result, ResultClass, by_http_status, seconds_of

MAX_BATCH = 1
ECHOES_ID = True
CHARGED_ON = "sent"

# Numeric codes of the gateway family; texts vary, so the code decides.
CODES = {
    "202": ResultClass.FAIL_RECIPIENT,
    "203": ResultClass.FAIL_CONTENT,
    "207": ResultClass.FAIL_ACCOUNT,
    "208": ResultClass.FAIL_ACCOUNT,
    "301": ResultClass.FAIL_ACCOUNT,
    "302": ResultClass.FAIL_ACCOUNT,
    "303": ResultClass.FAIL_ACCOUNT,
    "306": ResultClass.RETRY,
    "311": ResultClass.FAIL_RECIPIENT,
    "418": ResultClass.FAIL_ACCOUNT,
}


def build(account: Account, envelopes: Sequence[Envelope]) -> Request:
    """One recipient of the flow that holds the DLT-registered text."""
    (envelope,) = envelopes
    texts = envelope.parameters.body if envelope.parameters else ()
    recipient = {
        "mobiles": envelope.address.removeprefix("+"),
        "CRQID": str(envelope.message_id),
        **{f"VAR{number}": text for number, text in enumerate(texts, 1)},
    }
    body = {
        "template_id": envelope.vendor_template,
        "short_url": "0",
        "realTimeResponse": "1",
        "recipients": [recipient],
    }
    return Request(
        url=f"{account.base_url}/api/v5/flow",
        headers={
            "authkey": account.credentials["authkey"],
            "Content-Type": "application/json",
            "accept": "application/json",
        },
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
    )


def interpret(envelopes: Sequence[Envelope], answer: Answer) -> list[Result]:
    """Errors may come with status 200: `type` decides, then the code, then the status."""
    try:
        said = json.loads(answer.body)
    except ValueError:
        said = {}
    if said.get("type") == "success":
        return [Result(ResultClass.ACCEPTED, reference=str(said.get("message", "")))]
    code = str(said.get("code") or "")
    status = answer.status if answer.status >= 300 else 400
    return [
        Result(
            CODES.get(code) or by_http_status(status),
            code=code or f"http_{status}",
            detail=str(said.get("message", "")),
            retry_after=seconds_of(answer.headers.get("Retry-After", "")),
            slows=status == 429,
        )
    ]
