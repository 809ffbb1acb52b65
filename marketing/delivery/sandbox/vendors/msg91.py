"""MSG91's flow API, version 5, and its delivery reports, versions 2 and 3."""

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
from marketing.delivery.sandbox.message_templates import Template
from marketing.delivery.sandbox.outcomes import Cause, State, only, steps_for
from marketing.delivery.sandbox.posts import Post
from marketing.delivery.sandbox.references import fingerprint
from marketing.delivery.sandbox.state import SANDBOX, Sandbox

VARIABLE = re.compile(r"##(\w+)##")
INDIA = ZoneInfo("Asia/Kolkata")
INVALID_MOBILE = "202"
REPORTS = {
    Cause.NONE: ("1", "DELIVERED"),
    Cause.UNDELIVERABLE: ("2", "FAILED"),
    Cause.ENGAGEMENT_LIMIT: ("9", "NDNC"),
    Cause.STOPPED: ("17", "BLOCKED NUMBER"),
    Cause.VENDOR_FAULT: ("16", "REJECTED"),
}


def add_routes(router: web.UrlDispatcher) -> None:
    router.add_post("/api/v5/flow", send)
    router.add_post("/api/v5/flow/", send)
    router.add_get("/api/balance.php", balance)


def error(
    status: int, message: str, code: str = "", headers: Mapping[str, str] = {}
) -> web.Response:
    body = {"type": "error", "message": message} | ({"code": code} if code else {})
    return web.json_response(body, status=status, headers=dict(headers))


async def send(request: web.Request) -> web.Response:
    """One request id for all recipients; a report tells them apart by their numbers."""
    sandbox = request.app[SANDBOX]
    account = sandbox.accounts.identified("msg91", request.headers.get("authkey", ""))
    if account is None:
        return error(401, "Invalid authkey", "207")
    try:
        body = json.loads(await request.read())
        recipients = body["recipients"]
        numbers = [str(recipient["mobiles"]) for recipient in recipients]
    except (ValueError, KeyError, TypeError):
        return error(400, "template_id and recipients are required")
    if not numbers or not all(number.isdecimal() and len(number) >= 10 for number in numbers):
        return error(200, "Invalid mobile", INVALID_MOBILE)
    template = sandbox.templates.find(
        "msg91", account.template_owner, str(body.get("template_id", "")), ""
    )
    if template is None:
        return error(200, "Template not found")
    wanted = set(VARIABLE.findall(template.body["text"]))
    for number, recipient in zip(numbers, recipients, strict=True):
        missing = sorted(name for name in wanted if not str(recipient.get(name, "")))
        if missing:
            return error(200, f"Missing {missing[0]} of {number}")
    try:
        treatment = await admit(sandbox, request, account, numbers[0])
    except Refused as refused:
        return error(refused.status, "Try again later", headers=refused.headers)
    request_id = secrets.token_hex(12)
    accepted = sandbox.ledger.accept(
        account,
        [
            _acceptance(account, template, request_id, number, recipient)
            for number, recipient in zip(numbers, recipients, strict=True)
        ],
        treatment,
    )
    answer = web.json_response({"type": "success", "message": request_id})
    return await conclude(sandbox, request, treatment, accepted, answer)


def _acceptance(
    account: Account, template: Template, request_id: str, number: str, recipient: dict[str, Any]
) -> Acceptance:
    variables = {
        key: str(value) for key, value in recipient.items() if key not in ("mobiles", "CRQID")
    }
    echoed = str(recipient.get("CRQID", ""))
    steps = steps_for(account, number)
    return Acceptance(
        request_id,
        f"+{number}",
        steps,
        echoed or fingerprint(f"+{number}", [template.name, variables]),
        content_id=template.content_id,
        variables=json.dumps(variables),
        echo=echoed,
        # MSG91 reports how a message ended, not how it went.
        reported=only(steps, State.DELIVERED, State.FAILED),
    )


async def balance(request: web.Request) -> web.Response:
    """What a connection is tested by."""
    if request.app[SANDBOX].accounts.identified("msg91", request.query.get("authkey", "")) is None:
        return web.json_response({"msg": "Authentication failure", "msg_type": "error"})
    return web.json_response(100_000)


def posts(sandbox: Sandbox, account: Account, owed: Sequence[OwedCallback]) -> list[Post]:
    """Version 2: one form with a list of reports, an entry a request id; 3: JSON, one a number."""
    if account.callback_format == "v3":
        return [_post_v3(account, one) for one in owed]
    requests: dict[str, list[dict[str, Any]]] = {}
    for one in owed:
        report = _report(one)
        requests.setdefault(one.vendor_id, []).append(
            {**report, "failedReason": "" if report["status"] == "1" else report["desc"]}
        )
    data = [
        {"senderId": account.display_name, "requestId": request_id, "report": report}
        for request_id, report in requests.items()
    ]
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return [Post(headers, urlencode({"data": json.dumps(data)}).encode(), owed)]


def _post_v3(account: Account, owed: OwedCallback) -> Post:
    body = {**_report(owed), "senderId": account.display_name, "requestId": owed.vendor_id}
    return Post(
        {"Content-Type": "application/json"}, json.dumps(body).encode(), [owed], lane=owed.recipient
    )


def _report(owed: OwedCallback) -> dict[str, str]:
    """What both versions say of a number."""
    status, description = REPORTS[owed.cause]
    at = dt.datetime.fromtimestamp(owed.happened_ms / 1000, INDIA)
    return {
        "date": at.strftime("%Y-%m-%d %H:%M:%S"),
        "number": owed.recipient.lstrip("+"),
        "status": status,
        "desc": description,
        "amount": "0.25",
        "credit": "1",
        "CRQID": owed.echo or "0",
    }


def shown(content: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """The message as a phone shows it."""
    text = VARIABLE.sub(lambda match: str(variables.get(match[1], "")), content["text"])
    return {"header": "", "body": text, "footer": "", "buttons": []}
