"""MSG91's flow API, version 5, and its delivery report, version 2."""

import datetime as dt
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.admission import Refused, admit, conclude
from marketing.delivery.sandbox.ledger import Acceptance, OwedCallback
from marketing.delivery.sandbox.outcomes import Cause, State, Step, steps_for
from marketing.delivery.sandbox.state import SANDBOX, Sandbox

VARIABLE = re.compile(r"##(\w+)##")
INDIA = ZoneInfo("Asia/Kolkata")
REPORTS = {
    Cause.NONE: ("1", "DELIVERED"),
    Cause.UNDELIVERABLE: ("2", "FAILED"),
    Cause.ENGAGEMENT_LIMIT: ("9", "NDNC"),
    Cause.STOPPED: ("17", "BLOCKED NUMBER"),
    Cause.WINDOW_CLOSED: ("25", "REJECTED"),
    Cause.VENDOR_FAULT: ("2", "FAILED"),
}


def add_routes(router: web.UrlDispatcher) -> None:
    router.add_post("/api/v5/flow", send)
    router.add_post("/api/v5/flow/", send)


def error(status: int, message: str, headers: Mapping[str, str] = {}) -> web.Response:
    body = {"type": "error", "message": message}
    return web.json_response(body, status=status, headers=dict(headers))


async def send(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    account = sandbox.accounts.identified("msg91", request.headers.get("authkey", ""))
    if account is None:
        return error(401, "Invalid authkey")
    try:
        body = json.loads(await request.read())
        recipients = body["recipients"]
        numbers = [str(recipient["mobiles"]) for recipient in recipients]
    except (ValueError, KeyError, TypeError):
        return error(400, "template_id and recipients are required")
    if not numbers or not all(number.isdigit() and len(number) >= 10 for number in numbers):
        return web.json_response({"type": "error", "code": "202", "message": "Invalid mobile"})
    template = sandbox.templates.find(
        "msg91", account.template_owner, str(body.get("template_id", "")), ""
    )
    if template is None:
        return web.json_response({"type": "error", "message": "Template not found"})
    missing = set(VARIABLE.findall(template.body["text"])) - set(recipients[0])
    if missing:
        return web.json_response({"type": "error", "message": f"Missing {sorted(missing)[0]}"})
    try:
        admission = await admit(sandbox, request, account, numbers[0])
    except Refused as refused:
        return error(refused.status, "Try again later", refused.headers)
    request_id = secrets.token_hex(12)
    sandbox.ledger.accept(
        account,
        [
            Acceptance(
                vendor_id=request_id,
                recipient=f"+{number}",
                reference=str(recipient.get("CRQID", "")),
                content_id=template.content_id,
                variables=json.dumps({k: str(v) for k, v in recipient.items() if k != "mobiles"}),
                echo="",
                steps=_reported(steps_for(account, number)),
            )
            for number, recipient in zip(numbers, recipients, strict=True)
        ],
        duplicate=admission.duplicate,
        reorder=admission.reorder,
    )
    answer = web.json_response({"type": "success", "message": request_id})
    return await conclude(sandbox, request, admission, answer)


def _reported(steps: list[Step]) -> list[Step]:
    """MSG91 reports how a message ended, not how it went."""
    return [s for s in steps if s.state in (State.DELIVERED, State.FAILED)] or steps[:1]


def callback(
    sandbox: Sandbox, account: Account, owed: Sequence[OwedCallback]
) -> tuple[dict[str, str], bytes]:
    """One form post with a list of reports, an entry a request id."""
    requests: dict[str, list[dict[str, Any]]] = {}
    for one in owed:
        if one.state not in (State.DELIVERED, State.FAILED):
            continue
        status, description = REPORTS[one.cause]
        at = dt.datetime.fromtimestamp(one.happened_ms / 1000, INDIA)
        requests.setdefault(one.vendor_id, []).append(
            {
                "date": at.strftime("%Y-%m-%d %H:%M:%S"),
                "number": one.recipient.lstrip("+"),
                "status": status,
                "desc": description,
                "failedReason": "" if status == "1" else description,
                "amount": "0.25",
                "credit": "1",
                "CRQID": one.reference,
            }
        )
    data = [
        {"senderId": account.display_name, "requestId": request_id, "report": report}
        for request_id, report in requests.items()
    ]
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return headers, urlencode({"data": json.dumps(data)}).encode()


def shown(template_body: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
    """The message as a phone shows it."""
    text = VARIABLE.sub(lambda match: variables.get(match[1], ""), template_body["text"])
    return {"header": "", "body": text, "footer": "", "buttons": []}
