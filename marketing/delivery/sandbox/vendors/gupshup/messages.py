"""What is sent through Gupshup's WhatsApp API for self-serve apps, and its templates."""

import json
import re
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.admission import Refused, admit, conclude
from marketing.delivery.sandbox.ledger import Acceptance
from marketing.delivery.sandbox.outcomes import Cause, State, Step, only, steps_for
from marketing.delivery.sandbox.references import fingerprint
from marketing.delivery.sandbox.state import SANDBOX, Sandbox
from marketing.delivery.sandbox.vendors.meta.text import places, shown_in_order

NUMBER = re.compile(r"\d{7,15}")


class Invalid(Exception):
    """Gupshup refuses the request with this message."""

    def __init__(self, message: str, status: int = 400) -> None:
        self.status = status
        super().__init__(message)


def add_routes(router: web.UrlDispatcher) -> None:
    router.add_post("/wa/api/v1/template/msg", send)
    router.add_post("/wa/api/v1/msg", send)
    router.add_get("/wa/api/v1/template/list/{app}", list_templates)
    router.add_get("/wa/app/{app}/template", list_templates)


def error(status: int, message: str, headers: Mapping[str, str] = {}) -> web.Response:
    body = {"status": "error", "message": message}
    return web.json_response(body, status=status, headers=dict(headers))


async def send(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    form = {key: str(value) for key, value in (await request.post()).items()}
    try:
        account = _account(request, form.get("src.name", ""))
        if form.get("channel") != "whatsapp" or form.get("source") != own_number(account):
            raise Invalid("Invalid App Details")
        if not NUMBER.fullmatch(form.get("destination", "")):
            raise Invalid("Invalid Destination")
        message = (
            _read_template_message(sandbox, account, form)
            if request.path.endswith("/template/msg")
            else _read_session_message(sandbox, account, form)
        )
    except Invalid as invalid:
        return error(invalid.status, str(invalid))
    except (ValueError, KeyError, TypeError, AttributeError):
        return error(400, "Invalid Message")
    try:
        treatment = await admit(sandbox, request, account, message.recipient)
    except Refused as refused:
        text = "Too Many Requests" if refused.status == 429 else "Internal Server Error"
        return error(refused.status, text, refused.headers)
    accepted = sandbox.ledger.accept(account, [message], treatment)
    answer = {"status": "submitted", "messageId": message.vendor_id}
    response = web.json_response(answer, status=202)
    return await conclude(sandbox, request, treatment, accepted, response)


def _account(request: web.Request, app: str) -> Account:
    """The caller's app. Raises `Invalid`."""
    key = request.headers.get("apikey", "")
    known = [one for one in request.app[SANDBOX].accounts.all() if one.provider == "gupshup"]
    if not key or not any(account.accepts("api_key", key) for account in known):
        raise Invalid("Authentication Failed", 401)
    for account in known:
        names = (account.credentials["app_name"], account.credentials.get("app_id"))
        if app in names and account.accepts("api_key", key):
            return account
    raise Invalid("Invalid App Details")


def _read_template_message(
    sandbox: Sandbox, account: Account, form: Mapping[str, str]
) -> Acceptance:
    """Raises `Invalid`; too many or too few parameters are only told of later."""
    recipient = f"+{form['destination']}"
    asked = json.loads(form["template"])
    parameters = [str(value) for value in asked.get("params", [])]
    owned = sandbox.templates.owned_by("gupshup", account.template_owner)
    template = next((one for one in owned if one.name == asked["id"]), None)
    if template is None or template.status != "APPROVED":
        raise Invalid("Template Not Found")
    cause = Cause.STOPPED if sandbox.ledger.has_stopped(account, recipient) else Cause.NONE
    if len(parameters) != len(places(template.body)) or not all(parameters):
        cause = Cause.CONTENT
    return _acceptance(
        account,
        recipient,
        cause,
        fingerprint(recipient, asked),
        content_id=template.content_id,
        variables={"params": parameters},
        language=template.language,
        kind="template",
    )


def _read_session_message(
    sandbox: Sandbox, account: Account, form: Mapping[str, str]
) -> Acceptance:
    recipient = f"+{form['destination']}"
    message = json.loads(form["message"])
    if message["type"] != "text" or not message["text"]:
        raise Invalid("Invalid Message")
    is_open = sandbox.ledger.is_window_open(account, recipient)
    return _acceptance(
        account,
        recipient,
        Cause.NONE if is_open else Cause.WINDOW_CLOSED,
        fingerprint(recipient, message),
        content_id=None,
        variables={"text": message["text"]},
        language="",
        kind="session",
    )


def _acceptance(
    account: Account,
    recipient: str,
    cause: Cause,
    reference: str,
    *,
    content_id: int | None,
    variables: dict[str, Any],
    language: str,
    kind: str,
) -> Acceptance:
    steps = steps_for(account, recipient, cause)
    steps = only(steps, State.SENT, State.DELIVERED, State.READ, State.FAILED)
    is_refused_at_once = steps[0].cause is Cause.UNDELIVERABLE
    whatsapp_id = f"wamid.{secrets.token_urlsafe(24)}"
    return Acceptance(
        str(uuid.uuid4()),
        recipient,
        steps,
        reference,
        content_id=content_id,
        variables=json.dumps(variables),
        language=language,
        echo=json.dumps({"whatsapp_id": whatsapp_id, "kind": kind}),
        reported=steps if is_refused_at_once else [Step(State.ACCEPTED, 0), *steps],
        # A message is charged when it arrives.
        billed=only(steps, State.DELIVERED) if account.billing_events else (),
    )


def own_number(account: Account) -> str:
    """The app's own number, digits only however it was written down."""
    return "".join(
        character for character in account.credentials["source"] if character.isdecimal()
    )


async def list_templates(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    try:
        account = _account(request, request.match_info["app"])
    except Invalid as invalid:
        return error(invalid.status, str(invalid))
    templates = [
        {
            "id": template.name,
            "elementName": template.body.get("name", template.name),
            "externalId": template.id,
            "languageCode": template.language,
            "status": template.status,
            "category": template.body.get("category", "MARKETING"),
            "data": shown_in_order(template.body, [])["body"],
        }
        for template in sandbox.templates.owned_by("gupshup", account.template_owner)
    ]
    return web.json_response({"status": "success", "templates": templates})


def shown(content: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """The message as a phone shows it."""
    return shown_in_order(content, variables.get("params", []))
