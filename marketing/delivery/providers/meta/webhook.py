"""Meta's webhooks: statuses, what people write, template states."""

import datetime as dt
import hashlib
import hmac
import json
import uuid
from collections.abc import Iterator
from typing import Any

from marketing.delivery.providers.base import (
    Account,
    Call,
    Inbound,
    Parsed,
    StatusUpdate,
    TemplateUpdate,
)
from marketing.delivery.providers.meta.codes import result_class

STATES = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
}
TEMPLATE_STATUSES = {
    "APPROVED": "approved",
    "REINSTATED": "approved",
    "REJECTED": "rejected",
    "PAUSED": "paused",
    "DISABLED": "disabled",
    "PENDING": "pending",
}


def verify(account: Account, call: Call) -> bool:
    """`X-Hub-Signature-256` is the HMAC of the raw body under the app secret."""
    secret = account.credentials.get("app_secret", "")
    expected = "sha256=" + hmac.new(secret.encode(), call.body, hashlib.sha256).hexdigest()
    given = call.headers.get("X-Hub-Signature-256", "")
    return bool(secret) and hmac.compare_digest(given, expected)


def parse(call: Call) -> list[Parsed]:
    """Every status, message and template state in the request. Raises ValueError."""
    try:
        return list(_changes(json.loads(call.body)))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a webhook of Meta's: {error!r}") from error


def _changes(payload: dict[str, Any]) -> Iterator[Parsed]:
    for entry in payload["entry"]:
        for change in entry["changes"]:
            value, field = change["value"], change["field"]
            if field == "messages":
                yield from map(_status, value.get("statuses", []))
                yield from map(_inbound, value.get("messages", []))
            elif field == "user_preferences":
                yield from map(_preference, value.get("user_preferences", []))
            elif field == "message_template_status_update":
                yield TemplateUpdate(
                    name=value["message_template_name"],
                    language=value["message_template_language"],
                    status=TEMPLATE_STATUSES.get(value["event"], ""),
                    reason="" if value.get("reason") in (None, "NONE") else str(value["reason"]),
                )


def _at(seconds: Any) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC)


def _status(status: dict[str, Any]) -> StatusUpdate:
    error = (status.get("errors") or [{}])[0]
    code = error.get("code")
    kind = result_class(code)
    return StatusUpdate(
        key=f"{status['id']}:{status['status']}:{status['timestamp']}",
        state=STATES.get(status["status"], ""),
        at=_at(status["timestamp"]),
        message_id=_our_id(status.get("biz_opaque_callback_data")),
        reference=status["id"],
        code=str(code or ""),
        detail=str((error.get("error_data") or {}).get("details") or error.get("title", "")),
        error_class=kind.value if kind else "",
    )


def _our_id(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def _inbound(message: dict[str, Any]) -> Inbound:
    button = message.get("button") or {}
    text = (message.get("text") or {}).get("body") or button.get("text") or ""
    return Inbound(
        key=f"{message['id']}:inbound",
        address=f"+{message['from']}",
        text=text,
        at=_at(message["timestamp"]),
        opt_out=True if button.get("payload") == "STOP_MKT" else None,
    )


def _preference(preference: dict[str, Any]) -> Inbound:
    return Inbound(
        key=f"{preference.get('wa_id')}:{preference['value']}:{preference['timestamp']}",
        address=f"+{preference.get('wa_id', '')}",
        text="",
        at=_at(preference["timestamp"]),
        opt_out=preference["value"] == "stop",
    )
