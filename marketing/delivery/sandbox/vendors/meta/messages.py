"""Sending over Meta's WhatsApp Cloud API: templates, and free text inside the window."""

import json
import re
import secrets
from typing import Any

from aiohttp import web

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.admission import Refused, admit, conclude
from marketing.delivery.sandbox.ledger import Acceptance
from marketing.delivery.sandbox.outcomes import Cause, steps_for
from marketing.delivery.sandbox.state import SANDBOX, Sandbox
from marketing.delivery.sandbox.vendors.meta import wire
from marketing.delivery.sandbox.vendors.meta.text import read_parameters
from marketing.delivery.sandbox.vendors.meta.wire import Invalid

# A business-scoped user id; with a parent portfolio it has "ENT" in the middle.
USER_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")
LONGEST_TEXT = 4096


def add_routes(router: web.UrlDispatcher) -> None:
    router.add_post(wire.VERSION + "/{phone_number_id}/messages", send)
    router.add_post(wire.VERSION + "/{phone_number_id}/marketing_messages", send)


async def send(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    account = wire.number_account(sandbox, request, request.match_info["phone_number_id"])
    if account is None:
        return wire.unauthorised()
    try:
        body = json.loads(await request.read())
        recipient = _read_recipient(body)
        is_marketing = request.path.endswith("/marketing_messages")
        message = _read_message(sandbox, account, recipient, body, is_marketing)
    except Invalid as invalid:
        return invalid.answer()
    except (ValueError, TypeError, AttributeError, KeyError):
        return wire.error(400, 100, "Invalid parameter")
    try:
        treatment = await admit(sandbox, request, account, recipient)
    except Refused as refused:
        code = 130429 if refused.status == 429 else 131016
        return wire.error(refused.status, code, "Try again later", refused.headers)
    accepted = sandbox.ledger.accept(account, [message], treatment)
    digits = recipient.lstrip("+")
    contact = {"wa_id": digits} if "to" in body else {"user_id": recipient}
    answer = {
        "messaging_product": "whatsapp",
        "contacts": [{"input": digits, **contact}],
        "messages": [{"id": message.vendor_id, "message_status": "accepted"}],
    }
    return await conclude(sandbox, request, treatment, accepted, web.json_response(answer))


def _read_recipient(body: dict[str, Any]) -> str:
    """A number with its plus, or a business-scoped user id. Raises `Invalid`."""
    if body.get("messaging_product") != "whatsapp":
        raise Invalid(100, "messaging_product must be whatsapp")
    to = str(body.get("to", "")).lstrip("+")
    if to.isdecimal() and 7 <= len(to) <= 15:
        return f"+{to}"
    user = str(body.get("recipient", ""))
    if not to and USER_ID.fullmatch(user):
        return user
    raise Invalid(131009, "to must be a number, or recipient a business-scoped user id")


def _read_message(
    sandbox: Sandbox, account: Account, recipient: str, body: dict[str, Any], is_marketing: bool
) -> Acceptance:
    """The message, checked. Raises `Invalid`."""
    vendor_id = f"wamid.{secrets.token_urlsafe(24)}"
    reference = str(body.get("biz_opaque_callback_data", ""))
    kind = body.get("type", "text")
    if kind == "text" and not is_marketing:
        text = body["text"]["body"]
        if not isinstance(text, str) or not 0 < len(text) <= LONGEST_TEXT:
            raise Invalid(100, "text.body must have 1 to 4096 characters")
        if not sandbox.ledger.is_window_open(account, recipient):
            raise Invalid(131047, "More than 24 hours since the person last wrote")
        return Acceptance(
            vendor_id,
            recipient,
            steps_for(account, recipient),
            reference,
            variables=json.dumps({"text": text}),
            echo="service",
        )
    if kind != "template":
        raise Invalid(131051, f"Messages of type {kind} are not supported")
    asked = body["template"]
    language = asked["language"]["code"]
    template = sandbox.templates.find("meta", account.template_owner, asked["name"], language)
    if template is None or template.status in ("PENDING", "REJECTED"):
        raise Invalid(132001, f"Template {asked['name']} does not exist in {language}", 404)
    if template.status != "APPROVED":
        code = 132015 if template.status == "PAUSED" else 132016
        raise Invalid(code, f"Template is {template.status.lower()}")
    category = template.body.get("category", "MARKETING").lower()
    if is_marketing and category != "marketing":
        raise Invalid(100, "Only marketing templates may be sent here")
    parameters = read_parameters(asked, template.body)
    stopped = category == "marketing" and sandbox.ledger.has_stopped(account, recipient)
    return Acceptance(
        vendor_id,
        recipient,
        steps_for(account, recipient, Cause.STOPPED if stopped else Cause.NONE),
        reference,
        content_id=template.content_id,
        variables=json.dumps(parameters),
        language=language,
        echo=category,
    )
