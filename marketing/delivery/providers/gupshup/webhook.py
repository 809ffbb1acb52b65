"""Gupshup's callbacks: version 2 in its own envelope, version 3 in Meta's."""

import datetime as dt
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from marketing.delivery.providers.base import (
    Account,
    Call,
    Inbound,
    Notice,
    Parsed,
    StatusUpdate,
    TemplateUpdate,
)
from marketing.delivery.providers.gupshup.codes import as_code, result_class, suppression
from marketing.delivery.providers.meta import webhook as meta

ANSWER = ("text/plain", "")
CALLBACK_HEADER = "X-Callback-Secret"
# Some times of version 3 count milliseconds: as seconds they would lie beyond the year 5000.
FIRST_MILLISECOND = 10**11
# `enqueued` is what becomes of an unanswered request: Gupshup has the message.
STATES = {
    "enqueued": "sent",
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "failed": "failed",
}
TEMPLATE_STATUSES = {
    "approved": "approved",
    "rejected": "rejected",
    "paused": "paused",
    "disabled": "disabled",
    "deleted": "disabled",
    "pending": "pending",
}


def verify(account: Account, call: Call) -> bool:
    """The token in the address is the secret; a header's is checked too where one was agreed."""
    secret = account.credentials.get("callback_secret", "")
    given = call.headers.get(CALLBACK_HEADER, "")
    return not secret or hmac.compare_digest(given.encode(), secret.encode())


def parse(call: Call) -> list[Parsed]:
    """What the callback says. Raises ValueError."""
    try:
        said = json.loads(call.body)
        if "entry" in said:
            return list(meta.changes(said, _status_v3))
        return list(_event(said, call.received_at))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"not a callback of Gupshup's: {error!r}") from error


def _event(said: Mapping[str, Any], received_at: dt.datetime) -> Iterator[Parsed]:
    kind, payload = said["type"], said["payload"]
    stamp = said.get("timestamp")
    at = dt.datetime.fromtimestamp(int(stamp) / 1000, dt.UTC) if stamp else received_at
    if kind == "message-event":
        yield _status(payload, at)
    elif kind == "billing-event":
        yield _charge(payload, at)
    elif kind == "message":
        yield _inbound(payload, at)
    elif kind == "preference-event":
        yield from map(meta.preference, payload["payload"]["user_preferences"])
    elif kind == "user-event" and payload["type"] in ("opted-in", "opted-out"):
        yield Inbound(
            key=f"{payload['phone']}:{payload['type']}:{at.timestamp():.0f}",
            address=f"+{payload['phone']}",
            text="",
            at=at,
            opt_out=payload["type"] == "opted-out",
        )
    elif kind == "template-event":
        yield TemplateUpdate(
            name=payload["elementName"],
            language=payload["languageCode"],
            status=TEMPLATE_STATUSES.get(str(payload["status"]).lower(), ""),
            reason=str(payload.get("rejectedReason") or payload.get("description") or ""),
            said=str(payload["status"]),
            at=at,
        )
    elif kind == "account-event":
        yield Notice(
            key=f"account:{at.timestamp():.3f}:{payload.get('type', '')}",
            kind="account",
            subject=str(said.get("app", "")),
            text=json.dumps(payload, ensure_ascii=False, sort_keys=True),
        )


def _status(payload: Mapping[str, Any], at: dt.datetime) -> StatusUpdate:
    """Gupshup's own id of the message is `gsId`, or `id` where there is no `gsId`.

    Late events lack `gsId` and name WhatsApp's id, so that is handed on as soon as it is known.
    """
    kind, inner = payload["type"], payload.get("payload") or {}
    alias = inner.get("whatsappMessageId", "") if kind == "enqueued" else ""
    if kind == "sent" and payload.get("gsId"):
        alias = payload["id"]
    reference = str(payload.get("gsId") or payload["id"])
    code = as_code(inner.get("code")) if kind == "failed" else None
    seconds = as_code(inner.get("ts"))
    named = result_class(code)
    return StatusUpdate(
        key=f"{reference}:{kind}",
        state=STATES.get(kind, ""),
        at=meta.at(seconds) if seconds else at,
        reference=reference,
        code="" if code is None else str(code),
        detail=str(inner.get("reason") or "") if kind == "failed" else "",
        error_class=named.value if named else "",
        suppress=suppression(code),
        alias=str(alias),
        is_free=meta.is_free(payload.get("pricing") or {}),
    )


def _status_v3(said: Mapping[str, Any]) -> StatusUpdate:
    """Meta's status, with Gupshup's own id, codes and `enqueued` in it."""
    kind, stamp = said["status"], int(said["timestamp"])
    if stamp >= FIRST_MILLISECOND:
        stamp //= 1000
    update = meta.status({**said, "timestamp": stamp})
    own_id, code = said.get("gs_id"), as_code(update.code)
    named = result_class(code)
    return replace(
        update,
        state=STATES.get(kind, update.state),
        reference=str(own_id or said["id"]),
        alias=str(said["id"]) if own_id and kind in ("enqueued", "sent") else "",
        error_class=named.value if named else "",
        suppress=suppression(code),
    )


def _charge(payload: Mapping[str, Any], at: dt.datetime) -> StatusUpdate:
    """What Gupshup deducted for a message, which says nothing of where it got to."""
    named = payload["references"]
    reference = str(named.get("gsId") or named["id"])
    return StatusUpdate(
        key=f"{reference}:billing",
        state="",
        at=at,
        reference=reference,
        is_free=meta.is_free(payload["deductions"]),
    )


def _inbound(payload: Mapping[str, Any], at: dt.datetime) -> Inbound:
    """A tap on a template's button comes as `quick_reply`, or as `text` of inner type button."""
    inner, sender = payload.get("payload") or {}, payload.get("sender") or {}
    phone = str(sender.get("phone") or payload.get("source") or "")
    button = inner.get("postbackText") or inner.get("id") or ""
    return Inbound(
        key=f"{payload['id']}:inbound",
        address=f"+{phone}" if phone.isdecimal() else "",
        text=str(inner.get("text") or inner.get("title") or ""),
        at=at,
        opt_out=True if button == "STOP_MKT" else None,
        scoped_id=str(sender.get("userId") or ""),
    )
