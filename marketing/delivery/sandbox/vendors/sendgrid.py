"""SendGrid's mail API, version 3, and its signed event webhook."""

import base64
import json
import secrets
import time
from collections.abc import Sequence
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.admission import Refused, admit, conclude
from marketing.delivery.sandbox.ledger import STATUS_EVENT, Acceptance, OwedCallback
from marketing.delivery.sandbox.outcomes import Cause, State, steps_for
from marketing.delivery.sandbox.state import SANDBOX, Sandbox

EVENTS = {State.SENT: "processed", State.DELIVERED: "delivered", State.READ: "open"}
FAILURES: dict[Cause, dict[str, str]] = {
    Cause.UNDELIVERABLE: {"event": "bounce", "type": "bounce", "status": "5.1.1",
                          "reason": "550 5.1.1 no such user"},
    Cause.ENGAGEMENT_LIMIT: {"event": "bounce", "type": "blocked", "status": "4.7.1",
                             "reason": "450 4.7.1 try again later"},
    Cause.STOPPED: {"event": "dropped", "reason": "Unsubscribed Address"},
    Cause.VENDOR_FAULT: {"event": "bounce", "type": "blocked", "status": "5.0.0",
                         "reason": "550 5.0.0 not accepted"},
}  # fmt: skip


def add_routes(router: web.UrlDispatcher) -> None:
    router.add_post("/v3/mail/send", send)


def error(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    body = {"errors": [{"message": message, "field": None, "help": None}]}
    return web.json_response(body, status=status, headers=headers or {})


async def send(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    key = request.headers.get("Authorization", "").removeprefix("Bearer ")
    account = sandbox.accounts.identified("sendgrid", key)
    if account is None:
        return error(401, "The provided authorization grant is invalid, expired, or revoked")
    try:
        body = json.loads(await request.read())
        people = body["personalizations"]
        addresses = [person["to"][0]["email"] for person in people]
        mail = {
            "from": body["from"]["email"],
            "name": body["from"].get("name", ""),
            "subject": body.get("subject", ""),
            "content": {part["type"]: part["value"] for part in body["content"]},
        }
    except (ValueError, KeyError, TypeError, IndexError):
        return error(400, "personalizations, from and content are required")
    if not 1 <= len(addresses) <= 1000 or not all("@" in address for address in addresses):
        return error(400, "personalizations: 1 to 1000 valid addresses")
    try:
        admission = await admit(sandbox, request, account, addresses[0])
    except Refused as refused:
        return error(refused.status, "too many requests", refused.headers)
    message_id = secrets.token_urlsafe(16)
    sandbox.ledger.accept(
        account,
        [
            Acceptance(
                vendor_id=f"{message_id}.recvd-{number}",
                recipient=address,
                reference=str((person.get("custom_args") or {}).get(account.reference_arg, "")),
                content_id=None,
                variables="{}",
                echo=json.dumps(person.get("custom_args") or {}),
                steps=steps_for(account, address),
            )
            for number, (address, person) in enumerate(zip(addresses, people, strict=True))
        ],
        mail=json.dumps(mail),
        duplicate=admission.duplicate,
        reorder=admission.reorder,
    )
    answer = web.Response(status=202, headers={"X-Message-Id": message_id})
    return await conclude(sandbox, request, admission, answer)


def public_key(key: ec.EllipticCurvePrivateKey) -> str:
    """The verification key as the account's settings show it: base64 of DER."""
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def callback(
    sandbox: Sandbox, account: Account, owed: Sequence[OwedCallback]
) -> tuple[dict[str, str], bytes]:
    """One signed JSON array."""
    body = json.dumps([_event(one) for one in owed]).encode()
    stamp = str(int(time.time()))
    signature = sandbox.signing_key.sign(stamp.encode() + body, ec.ECDSA(SHA256()))
    return {
        "Content-Type": "application/json",
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
    }, body


def _event(owed: OwedCallback) -> dict[str, Any]:
    if owed.event != STATUS_EVENT:
        said: dict[str, Any] = json.loads(owed.payload)
        return said | {"timestamp": owed.happened_ms // 1000}
    failed = FAILURES.get(owed.cause) if owed.state is State.FAILED else None
    return {
        "email": owed.recipient,
        "timestamp": owed.happened_ms // 1000,
        "sg_event_id": f"{owed.vendor_id}-{owed.state.name.lower()}",
        "sg_message_id": owed.vendor_id,
        **json.loads(owed.echo),
        **(failed or {"event": EVENTS.get(owed.state, "bounce")}),
    }


def inbound(sandbox: Sandbox, account: Account, sender: str, text: str) -> None:
    """A reply to a mail: SendGrid knows only the unsubscribe link of these."""
    sandbox.ledger.receive(account, sender, text)
    if text.strip().lower() in ("stop", "unsubscribe"):
        event = {"email": sender, "event": "unsubscribe", "sg_event_id": secrets.token_hex(12)}
        sandbox.ledger.owe(account, "unsubscribe", event)
