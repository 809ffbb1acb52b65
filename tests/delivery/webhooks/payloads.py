"""Webhooks as Meta posts them."""

import hashlib
import hmac

SECRET = "app-secret-0001"  # of tests.factories.policy.WORKING_VALUES
NOW = 1776000000


def signature_of(body):
    return "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def status(message, state, at=NOW, ours=True, **more):
    said = {
        "id": message.provider_message_id or "wamid.unknown",
        "status": state,
        "timestamp": str(at),
        "recipient_id": "919876543210",
        **more,
    }
    if ours:
        said["biz_opaque_callback_data"] = str(message.pk)
    return said


def statuses(*said):
    change = {"field": "messages", "value": {"messaging_product": "whatsapp", "statuses": said}}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}


def inbound(text, phone, key="wamid.in1", at=NOW, user_id="", **more):
    message = {
        "from": phone.lstrip("+"),
        "id": key,
        "timestamp": str(at),
        "type": "text",
        "text": {"body": text},
        **more,
    }
    contact = {"profile": {"name": "Asha"}, "wa_id": phone.lstrip("+")}
    if user_id:
        contact["user_id"] = user_id
    value = {"contacts": [contact], "messages": [message]}
    change = {"field": "messages", "value": value}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}


def preference(value, phone, at=NOW):
    said = {
        "wa_id": phone.lstrip("+"),
        "detail": "User requested to stop marketing messages",
        "category": "marketing_messages",
        "value": value,
        "timestamp": at,
    }
    change = {"field": "user_preferences", "value": {"user_preferences": [said]}}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}
