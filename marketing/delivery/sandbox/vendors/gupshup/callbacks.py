"""Gupshup's callbacks: version 2 in its own envelope, version 3 in Meta's.

Which version of them an account hears is its `callback_format`. What Gupshup deducts for a
message comes in its own envelope whatever the version.
"""

import json
import secrets
from collections.abc import Sequence
from typing import Any

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.ledger import BILLING_EVENT, STATUS_EVENT, OwedCallback, now_ms
from marketing.delivery.sandbox.outcomes import Cause, State
from marketing.delivery.sandbox.posts import Post
from marketing.delivery.sandbox.state import Sandbox
from marketing.delivery.sandbox.vendors.gupshup.messages import own_number
from marketing.delivery.sandbox.vendors.meta import callbacks as meta

TYPES = {
    State.ACCEPTED: "enqueued",
    State.SENT: "sent",
    State.DELIVERED: "delivered",
    State.READ: "read",
    State.FAILED: "failed",
}
# Its own codes are told at once of its own message id, WhatsApp's later of WhatsApp's.
NOT_ON_WHATSAPP = 1002
FAILURES = {
    Cause.UNDELIVERABLE: (NOT_ON_WHATSAPP, "Number Does Not Exist On WhatsApp"),
    Cause.ENGAGEMENT_LIMIT: (131049, "Withheld to maintain healthy ecosystem engagement"),
    Cause.STOPPED: (131050, "The user has stopped receiving marketing messages"),
    Cause.WINDOW_CLOSED: (131047, "More than 24 hours since the user last replied"),
    Cause.CONTENT: (132000, "Number of parameters does not match the expected number of params"),
    Cause.VENDOR_FAULT: (131000, "Something went wrong"),
}
# Events that were put into Meta's words when they happened.
META_FIELDS = ("messages", "user_preferences")


def posts(sandbox: Sandbox, account: Account, owed: Sequence[OwedCallback]) -> list[Post]:
    """One envelope for each."""
    headers = {"Content-Type": "application/json"}
    if secret := account.credentials.get("callback_secret"):
        headers["X-Callback-Secret"] = secret
    return [
        Post(headers, json.dumps(_envelope(account, one)).encode(), [one], lane=one.vendor_id)
        for one in owed
    ]


def _envelope(account: Account, owed: OwedCallback) -> dict[str, Any]:
    if owed.event == BILLING_EVENT:
        return _own(account, owed.event, _deduction(owed))
    if owed.event == STATUS_EVENT:
        if account.callback_format == "v3":
            return _metas(account, "messages", {"statuses": [_status_v3(owed)]})
        return _own(account, "message-event", _status(owed))
    said = json.loads(owed.payload)
    if owed.event in META_FIELDS:
        return _metas(account, owed.event, said)
    return _own(account, owed.event, said)


def _own(account: Account, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "app": account.credentials["app_name"],
        "timestamp": now_ms(),
        "version": 2,
        "type": kind,
        "payload": payload,
    }


def _metas(account: Account, field: str, said: dict[str, Any]) -> dict[str, Any]:
    number = own_number(account)
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": number, "phone_number_id": number},
        **said,
    }
    return {
        "object": "whatsapp_business_account",
        "gs_app_id": account.credentials.get("app_id") or account.credentials["app_name"],
        "entry": [{"id": number, "changes": [{"field": field, "value": value}]}],
    }


def _status(owed: OwedCallback) -> dict[str, Any]:
    echo = json.loads(owed.echo)
    own, whatsapps = {"id": owed.vendor_id}, {"id": echo["whatsapp_id"], "gsId": owed.vendor_id}
    event = {"type": TYPES[owed.state], "destination": owed.recipient.lstrip("+")}
    if owed.state is State.ACCEPTED:
        inner = {"whatsappMessageId": echo["whatsapp_id"], "type": echo["kind"]}
        return {**own, **event, "payload": inner}
    if owed.state is State.FAILED:
        code, reason = FAILURES[owed.cause]
        ids = own if code == NOT_ON_WHATSAPP else whatsapps
        return {**ids, **event, "payload": {"code": code, "reason": reason}}
    told = {**whatsapps, **event, "payload": {"ts": owed.happened_ms // 1000}}
    if owed.state is State.SENT:
        told["pricing"] = {"policy": "PMP", "category": _price(echo)["category"]}
    return told


def _status_v3(owed: OwedCallback) -> dict[str, Any]:
    """As Meta's, with Gupshup's id beside WhatsApp's; of `enqueued` the time is in milliseconds."""
    echo = json.loads(owed.echo)
    status = {
        "gs_id": owed.vendor_id,
        "id": echo["whatsapp_id"],
        "status": TYPES[owed.state],
        "timestamp": str(owed.happened_ms // 1000),
        "recipient_id": owed.recipient.lstrip("+"),
    }
    if owed.state is State.ACCEPTED:
        return {**status, "timestamp": owed.happened_ms}
    if owed.state is State.FAILED:
        code, title = FAILURES[owed.cause]
        failed = {**status, "errors": [{"code": code, "title": title, "message": title}]}
        return {**failed, "id": owed.vendor_id} if code == NOT_ON_WHATSAPP else failed
    if owed.state in (State.SENT, State.DELIVERED):
        return {**status, "pricing": {"pricing_model": "PMP", **_price(echo)}}
    return status


def _deduction(owed: OwedCallback) -> dict[str, Any]:
    echo = json.loads(owed.echo)
    return {
        "deductions": {"model": "PMP", "source": "whatsapp", **_price(echo)},
        "references": {
            "id": echo["whatsapp_id"],
            "gsId": owed.vendor_id,
            "destination": owed.recipient.lstrip("+"),
        },
    }


def _price(echo: dict[str, str]) -> dict[str, Any]:
    """Templates are charged, an answer within the window is not."""
    if echo["kind"] == "template":
        return {"billable": True, "type": "regular", "category": "marketing"}
    return {"billable": False, "type": "free_customer_service", "category": "service"}


def inbound(sandbox: Sandbox, account: Account, sender: str, text: str) -> None:
    """A person writes to the app's number."""
    if account.callback_format == "v3":
        meta.inbound(sandbox, account, sender, text)
        return
    sandbox.ledger.receive(account, sender, text)
    digits = sender.lstrip("+")
    payload = {
        "id": f"wamid.{secrets.token_urlsafe(24)}",
        "source": digits,
        "type": "text",
        "payload": {"text": text},
        "sender": {
            "phone": digits,
            "name": "",
            "country_code": digits[:2],
            "dial_code": digits[2:],
        },
    }
    sandbox.ledger.owe(account, "message", payload)


def preference(sandbox: Sandbox, account: Account, person: str, value: str) -> None:
    """A person uses the app's own control of offers and announcements."""
    if account.callback_format == "v3":
        meta.preference(sandbox, account, person, value)
        return
    said = {
        "wa_id": person.lstrip("+"),
        "category": "marketing_messages",
        "value": value,
        "timestamp": now_ms() // 1000,
    }
    payload = {"type": "user-preferences", "payload": {"user_preferences": [said]}}
    sandbox.ledger.owe(account, "preference-event", payload)
