"""SSL Wireless' iSMS Plus, version 3: one text, one text for many, or a text for each.

It answers 200 to failures too, with a code of its own; and it calls nothing back.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.admission import Refused, admit, conclude
from marketing.delivery.sandbox.ledger import Acceptance
from marketing.delivery.sandbox.outcomes import Cause, State, cause_for, only, steps_for
from marketing.delivery.sandbox.state import SANDBOX, Sandbox

MOST_MESSAGES = 100
LONGEST_ID = 20
LONGEST_TEXT = 1000
STATUS = {
    Cause.UNDELIVERABLE: (4025, "INVALID", "Invalid msisdn"),
    Cause.ENGAGEMENT_LIMIT: (4026, "BLOCKED", "Blocked msisdn"),
    Cause.STOPPED: (4026, "BLOCKED", "Blocked msisdn"),
}
DUPLICATE = (4023, "DUPLICATE", "Duplicate csms_id")


class Invalid(Exception):
    """The whole request is refused with this code and message."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        super().__init__(message)


def add_routes(router: web.UrlDispatcher) -> None:
    router.add_post("/api/v3/send-sms", send)
    router.add_post("/api/v3/send-sms/bulk", send)
    router.add_post("/api/v3/send-sms/dynamic", send)


def failed(
    code: int, message: str, headers: Mapping[str, str] = {}, status: int = 200
) -> web.Response:
    body = {"status": "FAILED", "status_code": code, "error_message": message, "smsinfo": []}
    return web.json_response(body, status=status, headers=dict(headers))


async def send(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    try:
        body = json.loads(await request.read())
        account = _account(sandbox, body)
        asked = _read_messages(request.path.rsplit("/", 1)[1], body)
    except Invalid as invalid:
        return failed(invalid.code, str(invalid))
    except (ValueError, KeyError, TypeError, AttributeError):
        return failed(4004, "The request cannot be read")
    try:
        treatment = await admit(sandbox, request, account, asked[0][0])
    except Refused as refused:
        if refused.status == 429:
            return failed(4031, "TPS exceeded", refused.headers)
        return failed(5000, "Internal error", status=refused.status)
    messages, information, problems, seen = [], [], [], set()
    for number, text, csms_id in asked:
        problem = STATUS.get(cause_for(number))
        if csms_id in seen or sandbox.ledger.has_reference(account, csms_id):
            problem = DUPLICATE
        seen.add(csms_id)
        reference_id = "" if problem else secrets.token_hex(12)
        if problem:
            problems.append(problem)
        else:
            messages.append(_acceptance(account, number, text, csms_id, reference_id))
        information.append(
            {
                "sms_status": problem[1] if problem else "SUCCESS",
                "status_message": problem[2] if problem else "Success",
                "msisdn": number.lstrip("+"),
                "sms_type": "EN" if text.isascii() else "BN",
                "csms_id": csms_id.partition(":")[0],
                "reference_id": reference_id,
            }
        )
    accepted = sandbox.ledger.accept(account, messages, treatment)
    # A batch succeeds when any of it does; its rows say which.
    code, _, message = problems[0] if not messages else (200, "", "")
    answer = {
        "status": "SUCCESS" if messages else "FAILED",
        "status_code": code,
        "error_message": message,
        "smsinfo": information,
    }
    return await conclude(sandbox, request, treatment, accepted, web.json_response(answer))


def _account(sandbox: Sandbox, body: Mapping[str, Any]) -> Account:
    """Raises `Invalid`."""
    account = sandbox.accounts.identified("ssl_wireless", str(body.get("sid", "")))
    if account is None:
        raise Invalid(4002, "SID not permitted")
    if not account.accepts("api_token", str(body.get("api_token", ""))):
        raise Invalid(4001, "Unauthorized")
    return account


def _read_messages(kind: str, body: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(number with its plus, text, the client's id) of each. Raises `Invalid`."""
    if kind == "bulk":
        batch_id, text = body["batch_csms_id"], body["sms"]
        rows = [(number, text, f"{batch_id}:{number}") for number in body["msisdn"]]
        ids = [batch_id]
    elif kind == "dynamic":
        rows = [(row["msisdn"], row["text"], row["csms_id"]) for row in body["sms"]]
        ids = [row[2] for row in rows]
    else:
        rows = [(body["msisdn"], body["sms"], body["csms_id"])]
        ids = [body["csms_id"]]
    if not 1 <= len(rows) <= MOST_MESSAGES:
        raise Invalid(4022, f"1 to {MOST_MESSAGES} messages are allowed")
    if not all(isinstance(one, str) and one and len(one) <= LONGEST_ID for one in ids):
        raise Invalid(4020, "Invalid csms_id")
    numbers = [number for number, _, _ in rows]
    if not all(isinstance(n, str) and n.isdecimal() and 10 <= len(n) <= 15 for n in numbers):
        raise Invalid(4025, "Invalid msisdn")
    if len(set(numbers)) < len(numbers):
        raise Invalid(4024, "Duplicate msisdn")
    if not all(isinstance(text, str) and text for _, text, _ in rows):
        raise Invalid(4005, "The text is required")
    if any(len(text) > LONGEST_TEXT for _, text, _ in rows):
        raise Invalid(4027, "The text is too long")
    return [(f"+{number}", text, csms_id) for number, text, csms_id in rows]


def _acceptance(
    account: Account, number: str, text: str, csms_id: str, reference_id: str
) -> Acceptance:
    return Acceptance(
        reference_id,
        number,
        only(steps_for(account, number), State.SENT, State.DELIVERED, State.FAILED),
        csms_id,
        variables=json.dumps({"text": text}),
        reported=(),
    )


def shown(content: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """Its messages are plain texts of their own; there are no templates."""
    return {"body": content["text"]}
