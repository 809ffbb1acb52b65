"""SendGrid's event webhook: a signed JSON array."""

import base64
import datetime as dt
import json
import uuid
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from marketing.delivery.providers.base import Account, Call, Inbound, Parsed, StatusUpdate
from marketing.delivery.rules import ResultClass

STATES = {
    "processed": "sent",
    "delivered": "delivered",
    "open": "read",
    "click": "read",
    "bounce": "failed",
    "dropped": "failed",
}
OPT_OUTS = ("unsubscribe", "group_unsubscribe", "spamreport")


def verify(account: Account, call: Call) -> bool:
    """ECDSA P-256 over the timestamp header and the raw body."""
    try:
        key = load_der_public_key(base64.b64decode(account.credentials["webhook_public_key"]))
        signature = base64.b64decode(call.headers["X-Twilio-Email-Event-Webhook-Signature"])
        stamp = call.headers["X-Twilio-Email-Event-Webhook-Timestamp"].encode()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        key.verify(signature, stamp + call.body, ec.ECDSA(SHA256()))
    except (KeyError, ValueError, InvalidSignature):
        return False
    return True


def parse(call: Call) -> list[Parsed]:
    """Each event that says something about a message or a person. Raises ValueError."""
    try:
        parsed = [_event(event) for event in json.loads(call.body)]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not events of SendGrid's: {error!r}") from error
    return [event for event in parsed if event is not None]


def _event(event: dict[str, Any]) -> Parsed | None:
    at = dt.datetime.fromtimestamp(int(event["timestamp"]), dt.UTC)
    kind = event["event"]
    if kind in OPT_OUTS:
        return Inbound(event["sg_event_id"], event["email"], "", at, opt_out=True)
    if kind not in STATES:
        return None
    return StatusUpdate(
        key=event["sg_event_id"],
        state=STATES[kind],
        at=at,
        message_id=_our_id(event.get("message_id", "")),
        reference=str(event.get("sg_message_id", "")).split(".")[0],
        code=kind if STATES[kind] == "failed" else "",
        detail=str(event.get("reason") or ""),
        error_class=ResultClass.FAIL_RECIPIENT if STATES[kind] == "failed" else "",
    )


def _our_id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
