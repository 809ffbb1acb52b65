"""Meta's webhooks, signed with the app secret."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from typing import Any

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.ledger import STATUS_EVENT, OwedCallback, now_ms
from marketing.delivery.sandbox.outcomes import Cause, State
from marketing.delivery.sandbox.posts import Post
from marketing.delivery.sandbox.state import Sandbox

STATUS = {
    State.SENT: "sent",
    State.DELIVERED: "delivered",
    State.READ: "read",
    State.FAILED: "failed",
    # There is no complaint on WhatsApp: the message was read.
    State.COMPLAINED: "read",
}
ERRORS = {
    Cause.UNDELIVERABLE: (131026, "Message undeliverable"),
    Cause.ENGAGEMENT_LIMIT: (131049, "Withheld to maintain healthy ecosystem engagement"),
    Cause.STOPPED: (131050, "The user has stopped receiving marketing messages"),
    Cause.VENDOR_FAULT: (131000, "Something went wrong"),
}


def posts(sandbox: Sandbox, account: Account, owed: Sequence[OwedCallback]) -> list[Post]:
    """One signed request for all of these."""
    changes: list[dict[str, Any]] = []
    statuses = [_status(one) for one in owed if one.event == STATUS_EVENT]
    if statuses:
        users = [one.recipient for one in owed if "." in one.recipient]
        value = {**_metadata(account), "statuses": statuses}
        if users:
            value["contacts"] = [{"user_id": user} for user in dict.fromkeys(users)]
        changes.append({"field": "messages", "value": value})
    for one in owed:
        if one.event == "template":
            field, value = "message_template_status_update", json.loads(one.payload)
            changes.append({"field": field, "value": value})
        elif one.event != STATUS_EVENT:
            value = {**_metadata(account), **json.loads(one.payload)}
            changes.append({"field": one.event, "value": value})
    entry = {"id": account.credentials["waba_id"], "time": owed[0].due_ms // 1000}
    body = json.dumps(
        {"object": "whatsapp_business_account", "entry": [{**entry, "changes": changes}]}
    ).encode()
    digest = hmac.new(account.credentials["app_secret"].encode(), body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={digest}"}
    return [Post(headers, body, owed)]


def _metadata(account: Account) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": account.credentials.get("business_number")
            or account.display_name,
            "phone_number_id": account.credentials["phone_number_id"],
        },
    }


def _status(owed: OwedCallback) -> dict[str, Any]:
    status: dict[str, Any] = {
        "id": owed.vendor_id,
        "status": STATUS[owed.state],
        "timestamp": str(owed.happened_ms // 1000),
        **_person(owed.recipient, "recipient_id", "recipient_user_id"),
    }
    if owed.reference:
        status["biz_opaque_callback_data"] = owed.reference
    if owed.state is State.FAILED:
        code, title = ERRORS[owed.cause]
        status["errors"] = [
            {"code": code, "title": title, "message": title, "error_data": {"details": title}}
        ]
    else:
        is_free = owed.echo == "service"
        status["pricing"] = {
            "billable": not is_free,
            "pricing_model": "PMP",
            "type": "free_customer_service" if is_free else "regular",
            "category": owed.echo,
        }
    return status


def _person(address: str, number_key: str, user_key: str) -> dict[str, str]:
    """A number goes without its plus; a business-scoped user id has a dot in it."""
    return {user_key: address} if "." in address else {number_key: address.lstrip("+")}


def inbound(sandbox: Sandbox, account: Account, sender: str, text: str) -> None:
    """A person writes to the account's number."""
    at = sandbox.ledger.receive(account, sender, text)
    message = {
        **_person(sender, "from", "from_user_id"),
        "id": f"wamid.{secrets.token_urlsafe(24)}",
        "timestamp": str(at // 1000),
        "type": "text",
        "text": {"body": text},
    }
    contact = _person(sender, "wa_id", "user_id")
    sandbox.ledger.owe(account, "messages", {"contacts": [contact], "messages": [message]})


def preference(sandbox: Sandbox, account: Account, person: str, value: str) -> None:
    """A person uses the app's own control of offers and announcements."""
    said = {
        **_person(person, "wa_id", "user_id"),
        "detail": f"User requested to {value} marketing messages",
        "category": "marketing_messages",
        "value": value,
        "timestamp": now_ms() // 1000,
    }
    sandbox.ledger.owe(account, "user_preferences", {"user_preferences": [said]})
