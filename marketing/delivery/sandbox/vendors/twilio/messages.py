"""Sending over Twilio: one recipient a call, SMS by text, WhatsApp by content template."""

import json
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.admission import Refused, admit, conclude
from marketing.delivery.sandbox.ledger import Acceptance, now_ms
from marketing.delivery.sandbox.message_templates import Template
from marketing.delivery.sandbox.outcomes import Cause, State, cause_for, only, steps_for
from marketing.delivery.sandbox.references import uuid_in
from marketing.delivery.sandbox.state import SANDBOX, Sandbox
from marketing.delivery.sandbox.vendors.meta.text import places, shown_in_order
from marketing.delivery.sandbox.vendors.twilio import wire
from marketing.delivery.sandbox.vendors.twilio.reading import resource
from marketing.delivery.sandbox.vendors.twilio.wire import PREFIX, SMS, WHATSAPP, Invalid

NUMBER = re.compile(r"\+[1-9]\d{6,14}")
LONGEST_BODY = 1600
TOLD = {State.SENT, State.DELIVERED, State.FAILED}


def add_routes(router: web.UrlDispatcher) -> None:
    router.add_post(wire.ACCOUNTS + "/{sid}/Messages.json", send)


async def send(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    accounts = wire.accounts_of(request, request.match_info["sid"])
    if not accounts:
        return wire.unauthorised()
    form = {key: str(value) for key, value in (await request.post()).items()}
    try:
        provider, recipient = _read_recipient(form)
        account = accounts.get(provider)
        if account is None:
            raise Invalid(21606, f"From is not a number of this account's for {provider}")
        message = _read_message(sandbox, account, recipient, form)
    except Invalid as invalid:
        return invalid.answer()
    try:
        treatment = await admit(sandbox, request, account, recipient)
    except Refused as refused:
        code = 20429 if refused.status == 429 else 20500
        return wire.error(refused.status, code, "Try again later", refused.headers)
    accepted_ms = now_ms()
    accepted = sandbox.ledger.accept(account, [message], treatment)
    answer = resource(
        account,
        vendor_id=message.vendor_id,
        recipient=recipient,
        accepted_ms=accepted_ms,
        steps="",
        echo=message.echo,
    )
    response = web.json_response(answer, status=201)
    return await conclude(sandbox, request, treatment, accepted, response)


def _read_recipient(form: Mapping[str, str]) -> tuple[str, str]:
    """(provider, number) a message is for. Raises `Invalid`."""
    to = form.get("To", "")
    if not to:
        raise Invalid(21604, "A 'To' phone number is required.")
    provider, number = (WHATSAPP, to[len(PREFIX) :]) if to.startswith(PREFIX) else (SMS, to)
    if not NUMBER.fullmatch(number):
        raise Invalid(21211, f"Invalid 'To' Phone Number: {to}")
    sender = form.get("From", "")
    if not sender and not form.get("MessagingServiceSid"):
        raise Invalid(21603, "A 'From' phone number is required.")
    if sender and sender.startswith(PREFIX) != (provider == WHATSAPP):
        raise Invalid(21910, "'From' and 'To' must be of the same channel")
    return provider, number


def _read_message(
    sandbox: Sandbox, account: Account, recipient: str, form: Mapping[str, str]
) -> Acceptance:
    """The message, checked. Raises `Invalid`."""
    stopped = sandbox.ledger.has_stopped(account, recipient)
    if stopped or cause_for(recipient) is Cause.STOPPED:
        raise Invalid(21610, "Attempt to send to unsubscribed recipient")
    body, content_sid = form.get("Body", ""), form.get("ContentSid", "")
    if len(body) > LONGEST_BODY:
        raise Invalid(21617, f"The message body exceeds the {LONGEST_BODY} character limit")
    template, variables, cause = None, {"text": body}, Cause.NONE
    if content_sid:
        template, variables = _read_content(sandbox, account, content_sid, form)
        body = shown(template.body, variables)["body"]
    elif not body and not form.get("MediaUrl"):
        raise Invalid(21619, "A text message body or media urls must be specified.")
    elif account.provider == WHATSAPP and not sandbox.ledger.is_window_open(account, recipient):
        cause = Cause.WINDOW_CLOSED
    told = TOLD | {State.READ} if account.provider == WHATSAPP else TOLD
    steps = only(steps_for(account, recipient, cause), *told)
    callback = form.get("StatusCallback", "")
    return Acceptance(
        f"SM{secrets.token_hex(16)}",
        recipient,
        steps,
        _reference(callback),
        content_id=template.content_id if template else None,
        variables=json.dumps(variables),
        language=template.language if template else "",
        echo=json.dumps(
            {
                "from": form.get("From", ""),
                "service": form.get("MessagingServiceSid", ""),
                "callback": callback,
                "body": body,
            }
        ),
        reported=steps if callback else (),
    )


def _read_content(
    sandbox: Sandbox, account: Account, content_sid: str, form: Mapping[str, str]
) -> tuple[Template, dict[str, str]]:
    """(template, its variables by number). Raises `Invalid`."""
    owned = sandbox.templates.owned_by(account.provider, account.template_owner)
    template = next((one for one in owned if one.name == content_sid), None)
    if template is None:
        raise Invalid(21655, f"The ContentSid {content_sid} is invalid")
    if template.status != "APPROVED":
        raise Invalid(63040, "Template is not approved")
    try:
        given = json.loads(form.get("ContentVariables") or "{}")
        variables = {str(key): str(value) for key, value in given.items()}
    except (ValueError, AttributeError):
        raise Invalid(21656, "The ContentVariables parameter is invalid") from None
    wanted = {str(number) for number in range(1, len(places(template.body)) + 1)}
    if variables.keys() != wanted or not all(variables.values()):
        raise Invalid(21656, f"ContentVariables must number {len(wanted)} texts from 1")
    return template, variables


def _reference(callback: str) -> str:
    """The client's own id rides in the query of the address it asks to be called back at."""
    for _, value in parse_qsl(urlsplit(callback).query):
        if found := uuid_in(value):
            return found
    return ""


def shown(content: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """The message as a phone shows it."""
    return shown_in_order(content, [variables[number] for number in sorted(variables, key=int)])
