"""Sending over Amazon SES, version 2: raw mails and simple ones."""

import base64
import json
import secrets
import uuid
from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any

from aiohttp import web

from marketing.delivery.sandbox import mime
from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.admission import Refused, admit, conclude
from marketing.delivery.sandbox.ledger import Acceptance
from marketing.delivery.sandbox.outcomes import steps_for
from marketing.delivery.sandbox.sigv4 import SignatureProblem, check
from marketing.delivery.sandbox.state import SANDBOX

MOST_RECIPIENTS = 50
DEFAULT_RATE = 14


class Invalid(Exception):
    """SES refuses the request: ``kind`` is its name of the error."""

    def __init__(self, kind: str, message: str, status: int = 400) -> None:
        self.kind = kind
        self.status = status
        super().__init__(message)


def add_routes(router: web.UrlDispatcher) -> None:
    router.add_post("/v2/email/outbound-emails", send)
    router.add_get("/v2/email/account", read_account)


def error(status: int, kind: str, message: str, headers: Mapping[str, str] = {}) -> web.Response:
    headers = {**headers, "x-amzn-ErrorType": kind, "x-amzn-RequestId": str(uuid.uuid4())}
    return web.json_response({"message": message}, status=status, headers=headers)


async def _account(request: web.Request) -> Account:
    """Who signed the request. Raises `Invalid`."""
    accounts = request.app[SANDBOX].accounts

    def secret_of(access_key: str) -> str | None:
        account = accounts.identified("ses", access_key)
        return account.credentials["secret_access_key"] if account else None

    try:
        access_key = check(
            method=request.method,
            path=request.raw_path.partition("?")[0],
            query=request.rel_url.raw_query_string,
            headers=request.headers,
            body=await request.read(),
            secret_of=secret_of,
        )
    except SignatureProblem as problem:
        raise Invalid(problem.kind, str(problem), 403) from problem
    account = accounts.identified("ses", access_key)
    assert account is not None
    return account


async def send(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    try:
        account = await _account(request)
        body = json.loads(await request.read())
        content, recipients = _read_content(body)
        tags = _read_tags(body, content["headers"])
    except Invalid as invalid:
        return error(invalid.status, invalid.kind, str(invalid))
    except (ValueError, KeyError, TypeError, AttributeError, LookupError):
        return error(400, "BadRequestException", "The request cannot be read")
    try:
        treatment = await admit(sandbox, request, account, recipients[0])
    except Refused as refused:
        kind = "TooManyRequestsException" if refused.status == 429 else "InternalFailure"
        return error(refused.status, kind, "Try again later", refused.headers)
    message_id = f"010f{secrets.token_hex(6)}-{uuid.uuid4()}-000000"
    echo = json.dumps({"tags": tags, "mail": {key: content[key] for key in ("from", "headers")}})
    accepted = sandbox.ledger.accept(
        account,
        [
            Acceptance(
                message_id,
                recipient,
                steps_for(account, recipient),
                _reference(account, tags, content["headers"]),
                echo=echo,
            )
            for recipient in recipients
        ],
        treatment,
        mail=json.dumps(content),
    )
    response = web.json_response({"MessageId": message_id})
    return await conclude(sandbox, request, treatment, accepted, response)


def _read_content(body: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """(the mail, to whom). Raises `Invalid`."""
    content = body["Content"]
    if len(content.keys() & {"Raw", "Simple", "Template"}) != 1:
        raise Invalid("BadRequestException", "Content must be one of Raw, Simple and Template")
    if "Template" in content:
        raise Invalid("NotFoundException", "Template does not exist", 404)
    named = body.get("Destination") or {}
    recipients = [one for kind in ("To", "Cc", "Bcc") for one in named.get(f"{kind}Addresses", [])]
    if "Raw" in content:
        message = mime.read_mail(base64.b64decode(content["Raw"]["Data"], validate=True))
        recipients = recipients or mime.recipients(message)
        mail = mime.described(message)
    else:
        mail = _simple(body, content["Simple"])
    if body.get("FromEmailAddress"):
        name, address = parseaddr(body["FromEmailAddress"])
        mail |= {"from": address, "name": name}
    if "@" not in mail["from"]:
        raise Invalid("BadRequestException", "Missing required header 'From'.")
    if not 1 <= len(recipients) <= MOST_RECIPIENTS:
        raise Invalid("BadRequestException", f"1 to {MOST_RECIPIENTS} recipients are allowed")
    if not all("@" in recipient for recipient in recipients):
        raise Invalid("BadRequestException", "Missing final '@domain'")
    return mail, recipients


def _simple(body: Mapping[str, Any], simple: Mapping[str, Any]) -> dict[str, Any]:
    parts = {"text/plain": simple["Body"].get("Text"), "text/html": simple["Body"].get("Html")}
    content = {kind: part["Data"] for kind, part in parts.items() if part}
    if not content:
        raise Invalid("BadRequestException", "Body must have Text or Html")
    headers = {one["Name"]: one["Value"] for one in simple.get("Headers") or []}
    subject = simple["Subject"]["Data"]
    return {"from": "", "name": "", "subject": subject, "content": content, "headers": headers}


def _read_tags(body: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, str]:
    """Tags of the call, and those of the header that SES reads them from."""
    tags = {tag["Name"]: tag["Value"] for tag in body.get("EmailTags") or []}
    for pair in headers.get("X-SES-MESSAGE-TAGS", "").split(","):
        name, _, value = pair.strip().partition("=")
        if value:
            tags.setdefault(name, value)
    return tags


def _reference(account: Account, tags: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """The client's own id: a tag, or one entry of the metadata header."""
    try:
        metadata = json.loads(headers.get("X-Metadata", "{}"))
    except ValueError:
        metadata = {}
    return str(tags.get(account.reference_arg) or metadata.get(account.reference_arg, ""))


async def read_account(request: web.Request) -> web.Response:
    """What a connection is tested by, and where the rate is read."""
    sandbox = request.app[SANDBOX]
    try:
        account = await _account(request)
    except Invalid as invalid:
        return error(invalid.status, invalid.kind, str(invalid))
    return web.json_response(
        {
            "DedicatedIpAutoWarmupEnabled": False,
            "EnforcementStatus": "HEALTHY",
            "ProductionAccessEnabled": True,
            "SendingEnabled": True,
            "SendQuota": {
                "Max24HourSend": 1_000_000.0,
                "MaxSendRate": float(account.rate_per_second or DEFAULT_RATE),
                "SentLast24Hours": float(await sandbox.ledger.accepted_of(account)),
            },
        }
    )


def shown(content: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """The mail as its reader sees it."""
    return {
        "subject": content["subject"],
        "from": content["from"],
        "name": content["name"],
        "body": content["content"].get("text/plain", ""),
        "html": content["content"].get("text/html", ""),
        "headers": content["headers"],
    }
