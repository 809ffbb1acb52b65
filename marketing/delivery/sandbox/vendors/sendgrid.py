"""SendGrid's mail API, version 3, and its signed event webhook."""

import base64
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.admission import Refused, admit, conclude
from marketing.delivery.sandbox.ledger import STATUS_EVENT, Acceptance, OwedCallback
from marketing.delivery.sandbox.outcomes import Cause, State, steps_for
from marketing.delivery.sandbox.posts import Post
from marketing.delivery.sandbox.state import SANDBOX, Sandbox

EVENTS = {
    State.SENT: "processed",
    State.DELIVERED: "delivered",
    State.READ: "open",
    State.COMPLAINED: "spamreport",
}
FAILURES: dict[Cause, dict[str, str]] = {
    Cause.UNDELIVERABLE: {"event": "bounce", "type": "bounce", "status": "5.1.1",
                          "reason": "550 5.1.1 no such user"},
    Cause.ENGAGEMENT_LIMIT: {"event": "bounce", "type": "blocked", "status": "4.7.1",
                             "reason": "450 4.7.1 try again later"},
    Cause.STOPPED: {"event": "dropped", "reason": "Unsubscribed Address"},
    Cause.VENDOR_FAULT: {"event": "bounce", "type": "blocked", "status": "5.0.0",
                         "reason": "550 5.0.0 not accepted"},
}  # fmt: skip
MOST_RECIPIENTS = 1000


class Invalid(Exception):
    """SendGrid refuses the request for this reason, found in this field."""

    def __init__(self, message: str, field: str | None = None) -> None:
        self.field = field
        super().__init__(message)


def add_routes(router: web.UrlDispatcher) -> None:
    router.add_post("/v3/mail/send", send)
    router.add_get("/v3/scopes", scopes)


def error(
    status: int, message: str, headers: Mapping[str, str] = {}, field: str | None = None
) -> web.Response:
    body = {"errors": [{"message": message, "field": field, "help": None}]}
    return web.json_response(body, status=status, headers=dict(headers))


def _account(request: web.Request) -> Account | None:
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    accounts = request.app[SANDBOX].accounts
    return accounts.identified("sendgrid", key) if kind == "Bearer" else None


def _unauthorised() -> web.Response:
    return error(401, "The provided authorization grant is invalid, expired, or revoked")


async def send(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    account = _account(request)
    if account is None:
        return _unauthorised()
    message_id = secrets.token_urlsafe(16)
    try:
        body = json.loads(await request.read())
        mail = _read_mail(body)
        messages = [
            _read_person(account, body, person, f"{message_id}.recvd-{number}")
            for number, person in enumerate(body["personalizations"])
        ]
        _check_addresses([message.recipient for message in messages])
    except Invalid as invalid:
        return error(400, str(invalid), field=invalid.field)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return error(400, "personalizations, from and content are required")
    if ((body.get("mail_settings") or {}).get("sandbox_mode") or {}).get("enable") is True:
        return web.Response(status=200)
    try:
        treatment = await admit(sandbox, request, account, messages[0].recipient)
    except Refused as refused:
        reset = {"X-RateLimit-Reset": str(int(time.time()) + refused.retry_after)}
        limits = {**refused.headers, **reset} if refused.status == 429 else {}
        return error(refused.status, "too many requests", limits)
    accepted = sandbox.ledger.accept(account, messages, treatment, mail=json.dumps(mail))
    answer = web.Response(status=202, headers={"X-Message-Id": message_id})
    return await conclude(sandbox, request, treatment, accepted, answer)


def _read_mail(body: Mapping[str, Any]) -> dict[str, Any]:
    """What all recipients share. Raises `Invalid`."""
    sender = body["from"]["email"]
    if not isinstance(sender, str) or "@" not in sender:
        raise Invalid("from.email: does not contain a valid address.")
    content = {part["type"]: part["value"] for part in body["content"]}
    if not content or not all(isinstance(text, str) and text for text in content.values()):
        raise Invalid("content: must be a non-empty string at least one character in length")
    return {
        "from": sender,
        "name": body["from"].get("name", ""),
        "subject": body.get("subject", ""),
        "content": content,
        "headers": body.get("headers", {}),
    }


def _read_person(
    account: Account, body: Mapping[str, Any], person: Mapping[str, Any], vendor_id: str
) -> Acceptance:
    """One personalization, for one address. Raises `Invalid`."""
    (receiver,) = person["to"]
    if not person.get("subject", body.get("subject")):
        raise Invalid("The subject is required.")
    substitutions = person.get("substitutions") or {}
    arguments = {**(body.get("custom_args") or {}), **(person.get("custom_args") or {})}
    for name, values in (("substitutions", substitutions), ("custom_args", arguments)):
        if not all(isinstance(value, str) for value in values.values()):
            raise Invalid(f"{name}: values must be strings")
    variables = {
        "substitutions": substitutions,
        "subject": person.get("subject", ""),
        "headers": person.get("headers") or {},
    }
    return Acceptance(
        vendor_id,
        str(receiver["email"]),
        steps_for(account, str(receiver["email"])),
        arguments.get(account.reference_arg, ""),
        variables=json.dumps(variables),
        echo=json.dumps(arguments),
    )


def _check_addresses(addresses: Sequence[str]) -> None:
    if not 1 <= len(addresses) <= MOST_RECIPIENTS:
        raise Invalid(f"personalizations: 1 to {MOST_RECIPIENTS} are allowed")
    for number, address in enumerate(addresses):
        local, _, domain = address.rpartition("@")
        if not local or "." not in domain or " " in address:
            field = f"personalizations.{number}.to.0.email"
            raise Invalid("Does not contain a valid address.", field)
    if len({address.lower() for address in addresses}) < len(addresses):
        raise Invalid("Each email address in the personalization block should be unique")


async def scopes(request: web.Request) -> web.Response:
    """What a connection is tested by."""
    if _account(request) is None:
        return _unauthorised()
    return web.json_response({"scopes": ["mail.send"]})


def public(sandbox: Sandbox) -> dict[str, Any]:
    """The verification key as the account's settings show it: base64 of DER."""
    key = sandbox.keys.mail_events.public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {"webhook_public_key": base64.b64encode(der).decode()}


def posts(sandbox: Sandbox, account: Account, owed: Sequence[OwedCallback]) -> list[Post]:
    """One signed JSON array."""
    body = json.dumps([_event(one) for one in owed]).encode()
    stamp = str(int(time.time()))
    signature = sandbox.keys.mail_events.sign(stamp.encode() + body, ec.ECDSA(SHA256()))
    headers = {
        "Content-Type": "application/json",
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
    }
    return [Post(headers, body, owed)]


def _event(owed: OwedCallback) -> dict[str, Any]:
    if owed.event != STATUS_EVENT:
        said: dict[str, Any] = json.loads(owed.payload)
        return said | {"timestamp": owed.happened_ms // 1000}
    failed = FAILURES[owed.cause] if owed.state is State.FAILED else None
    return {
        "email": owed.recipient,
        "timestamp": owed.happened_ms // 1000,
        "sg_event_id": f"{owed.vendor_id}-{owed.state.name.lower()}",
        "sg_message_id": owed.vendor_id,
        **json.loads(owed.echo),
        **(failed or {"event": EVENTS[owed.state]}),
    }


def inbound(sandbox: Sandbox, account: Account, sender: str, text: str) -> None:
    """A reply to a mail: SendGrid knows only the unsubscribe link of these."""
    sandbox.ledger.receive(account, sender, text)
    if text.strip().lower() in ("stop", "unsubscribe"):
        event = {"email": sender, "event": "unsubscribe", "sg_event_id": secrets.token_hex(12)}
        sandbox.ledger.owe(account, "unsubscribe", event)


def shown(content: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """The mail as its reader sees it."""
    substitutions = variables.get("substitutions", {})
    parts = {kind: _filled(text, substitutions) for kind, text in content["content"].items()}
    return {
        "subject": _filled(variables.get("subject") or content["subject"], substitutions),
        "from": content["from"],
        "name": content["name"],
        "body": parts.get("text/plain", ""),
        "html": parts.get("text/html", ""),
        "headers": {**content["headers"], **variables.get("headers", {})},
    }


def _filled(text: str, substitutions: Mapping[str, str]) -> str:
    for mark, value in substitutions.items():
        text = text.replace(mark, value)
    return text
