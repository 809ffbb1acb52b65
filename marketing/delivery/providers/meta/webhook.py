"""Meta's webhooks: statuses, what people write, template states, news of the account.

Gupshup's version 3 hands the same envelope on; `changes` reads it for both, with a reader of
statuses of the vendor's own.
"""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from marketing.delivery.providers.base import (
    Account,
    Call,
    Inbound,
    Notice,
    Parsed,
    StatusUpdate,
    TemplateUpdate,
    our_id,
)
from marketing.delivery.providers.meta.codes import result_class, suppression

STATES = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
}
FREE = frozenset({"free_customer_service", "free_entry_point"})
# Only an approved template sends; what is not known to stop it for good counts as paused.
TEMPLATE_STATUSES = {
    "APPROVED": "approved",
    "REINSTATED": "approved",
    "UNARCHIVED": "approved",
    "REJECTED": "rejected",
    "IN_APPEAL": "rejected",
    "LIMIT_EXCEEDED": "rejected",
    "PAUSED": "paused",
    "FLAGGED": "paused",
    "LOCKED": "paused",
    "ARCHIVED": "paused",
    "DISABLED": "disabled",
    "PENDING_DELETION": "disabled",
    "DELETED": "disabled",
    "PENDING": "pending",
}
TEMPLATE_NEWS = frozenset(
    {
        "message_template_status_update",
        "message_template_quality_update",
        "template_category_update",
    }
)
# News for people: the field, the kind of notice, and what names the subject in it.
NOTICES = {
    "phone_number_quality_update": ("number", "display_phone_number"),
    "account_update": ("account", "phone_number"),
    "business_capability_update": ("account", ""),
}


def verify(account: Account, call: Call) -> bool:
    """`X-Hub-Signature-256` is the HMAC of the raw body under the app secret."""
    secret = account.credentials.get("app_secret", "")
    expected = "sha256=" + hmac.new(secret.encode(), call.body, hashlib.sha256).hexdigest()
    given = call.headers.get("X-Hub-Signature-256", "")
    return bool(secret) and hmac.compare_digest(given.encode(), expected.encode())


def parse(call: Call) -> list[Parsed]:
    """Everything in the request that concerns us. Raises ValueError."""
    try:
        return list(changes(json.loads(call.body), status))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"not a webhook of Meta's: {error!r}") from error


def changes(
    payload: Mapping[str, Any], read_status: Callable[[Mapping[str, Any]], StatusUpdate]
) -> Iterator[Parsed]:
    """What Meta's envelope says, one after the other."""
    for entry in payload["entry"]:
        for change in entry["changes"]:
            value, field = change["value"], change["field"]
            if field == "messages":
                yield from map(read_status, value.get("statuses", []))
                contacts = value.get("contacts", [])
                yield from (_inbound(said, contacts) for said in value.get("messages", []))
                yield from (_fault(error, entry, value) for error in value.get("errors", []))
            elif field == "user_preferences":
                yield from map(preference, value.get("user_preferences", []))
            elif field in TEMPLATE_NEWS:
                yield _template(entry, value)
            elif field in NOTICES:
                yield _notice(field, entry, value)


def at(seconds: Any) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC)


def status(said: Mapping[str, Any]) -> StatusUpdate:
    """What became of a message."""
    error = (said.get("errors") or [{}])[0]
    code = error.get("code")
    kind = result_class(code)
    return StatusUpdate(
        key=f"{said['id']}:{said['status']}:{said['timestamp']}",
        state=STATES.get(said["status"], ""),
        at=at(said["timestamp"]),
        message_id=our_id(said.get("biz_opaque_callback_data")),
        reference=str(said["id"]),
        code="" if code is None else str(code),
        detail=str((error.get("error_data") or {}).get("details") or error.get("title", "")),
        error_class=kind.value if kind else "",
        suppress=suppression(code),
        is_free=is_free(said.get("pricing") or {}),
    )


def is_free(pricing: Mapping[str, Any]) -> bool:
    """Whether Meta charges nothing: an answer, or within 72 hours of a click on an advertisement.

    Before July 2025 no `type` was told; then `billable` alone says it.
    """
    return pricing.get("billable") is False or pricing.get("type") in FREE


def _inbound(message: Mapping[str, Any], contacts: list[Mapping[str, Any]]) -> Inbound:
    """A person with a username may hide the phone; then she is known by the scoped id alone."""
    phone = str(message.get("from") or "")
    mine = [contact for contact in contacts if not phone or contact.get("wa_id") in (None, phone)]
    scoped_id = message.get("from_user_id") or (mine[0].get("user_id") if mine else "")
    button = message.get("button") or {}
    interactive = message.get("interactive") or {}
    reply = interactive.get(interactive.get("type", "")) or {}
    text = (message.get("text") or {}).get("body") or button.get("text") or reply.get("title")
    payload = button.get("payload") or reply.get("id")
    return Inbound(
        key=f"{message['id']}:inbound",
        address=f"+{phone}" if phone.isdecimal() else "",
        text=str(text or ""),
        at=at(message["timestamp"]),
        opt_out=True if payload == "STOP_MKT" else None,
        scoped_id=str(scoped_id or ""),
    )


def preference(said: Mapping[str, Any]) -> Inbound:
    """The choice a person made by the app's own control."""
    phone = str(said.get("wa_id") or "")
    scoped_id = str(said.get("user_id") or said.get("userid") or "")
    return Inbound(
        key=f"{phone or scoped_id}:{said['value']}:{said['timestamp']}",
        address=f"+{phone}" if phone else "",
        text="",
        at=at(said["timestamp"]),
        opt_out=said["value"] == "stop",
        scoped_id=scoped_id,
    )


def _template(entry: Mapping[str, Any], value: Mapping[str, Any]) -> TemplateUpdate:
    """Status, quality or category: a category is told a day before it changes, and then again."""
    event, time = str(value.get("event") or ""), entry.get("time")
    announced = str(value.get("correct_category") or "")
    now = "" if announced else value.get("new_category") or value.get("message_template_category")
    return TemplateUpdate(
        name=value["message_template_name"],
        language=value["message_template_language"],
        status=TEMPLATE_STATUSES.get(event, ""),
        reason=_reason(value),
        said=event,
        category=str(now or ""),
        next_category=announced,
        quality=str(value.get("new_quality_score") or ""),
        at=at(time) if time else None,
    )


def _reason(value: Mapping[str, Any]) -> str:
    """Why a template was taken back, in as many of Meta's words as came along."""
    words = [
        value.get("reason"),
        (value.get("rejection_info") or {}).get("reason"),
        (value.get("rejection_info") or {}).get("recommendation"),
        (value.get("other_info") or {}).get("title"),
        (value.get("other_info") or {}).get("description"),
    ]
    return ": ".join(dict.fromkeys(str(word) for word in words if word and word != "NONE"))


def _fault(error: Mapping[str, Any], entry: Mapping[str, Any], value: Mapping[str, Any]) -> Notice:
    """A fault of the API itself, which no message is named in."""
    number = str((value.get("metadata") or {}).get("display_phone_number", ""))
    details = (error.get("error_data") or {}).get("details") or error.get("title", "")
    return Notice(
        key=f"errors:{entry.get('id')}:{entry.get('time', '')}:{error.get('code')}",
        kind="account",
        subject=number,
        text=f"{error.get('code')}: {details}",
    )


def _notice(field: str, entry: Mapping[str, Any], value: Mapping[str, Any]) -> Notice:
    kind, subject_key = NOTICES[field]
    subject = str(value.get(subject_key) or "")
    return Notice(
        key=f"{field}:{entry.get('id')}:{entry.get('time', '')}:{subject}",
        kind=kind,
        subject=subject,
        text=", ".join(
            f"{name}: {said}"
            for name, said in sorted(value.items())
            if name != subject_key and not isinstance(said, dict | list)
        ),
    )
