"""SendGrid's event webhook: a signed JSON array."""

import base64
import warnings
from typing import Any

from anymail.exceptions import AnymailInsecureWebhookWarning, AnymailNotSupportedWarning
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from marketing.delivery.providers.base import Account, Call, Inbound, Parsed, StatusUpdate, our_id
from marketing.delivery.providers.mail_events import STATES
from marketing.delivery.rules import ResultClass

with warnings.catch_warnings():
    # Unsupported, as in the client; and without a secret of its own, as `verify` comes first.
    warnings.simplefilter("ignore", AnymailNotSupportedWarning)
    warnings.simplefilter("ignore", AnymailInsecureWebhookWarning)
    from anymail.webhooks.sendgrid import SendGridTrackingWebhookView

    _EVENTS = SendGridTrackingWebhookView()

# Why SendGrid drops a mail by itself: the address is on one of its own lists.
DROPPED = {
    RejectReason.BOUNCED: "hard_bounce",
    RejectReason.INVALID: "invalid",
    RejectReason.UNSUBSCRIBED: "opted_out",
}
DROPPED_AS_SPAM = "spam reporting address"


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
        parsed = [_read(event) for event in _EVENTS.parse_events(call)]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not events of SendGrid's: {error!r}") from error
    return [event for event in parsed if event is not None]


def _read(event: AnymailTrackingEvent) -> Parsed | None:
    if not event.event_id or event.timestamp is None:
        raise ValueError("an event without its id or time")
    if event.event_type == EventType.UNSUBSCRIBED:
        return Inbound(event.event_id, event.recipient, "", event.timestamp, opt_out=True)
    state = STATES.get(event.event_type, "")
    if not state:
        return None
    said: dict[str, Any] = event.esp_event
    suppress = _suppress(event)
    code = detail = error_class = ""
    if state == "failed":
        code, detail = str(said.get("type") or said["event"]), str(said.get("reason") or "")
        is_refusal = suppress == "opted_out"
        error_class = ResultClass.FAIL_OPTOUT if is_refusal else ResultClass.FAIL_RECIPIENT
    return StatusUpdate(
        key=event.event_id,
        state=state,
        at=event.timestamp,
        message_id=our_id(event.metadata.get("message_id")),
        reference=str(said.get("sg_message_id", "")),
        code=code,
        detail=detail,
        error_class=error_class,
        suppress=suppress,
    )


def _suppress(event: AnymailTrackingEvent) -> str:
    """A bounce of type "blocked" says nothing of the address: the mail was refused."""
    said = event.esp_event
    if event.event_type == EventType.COMPLAINED:
        return "complaint"
    if event.event_type == EventType.BOUNCED:
        return "hard_bounce" if said.get("type", "bounce") == "bounce" else ""
    if event.event_type == EventType.REJECTED:
        if str(said.get("reason", "")).lower() == DROPPED_AS_SPAM:
            return "complaint"
        return DROPPED.get(event.reject_reason, "")
    return ""
