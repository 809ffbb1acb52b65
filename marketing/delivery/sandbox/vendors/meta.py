"""Meta's WhatsApp Cloud API: messages, templates, signed webhooks."""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.admission import Refused, admit, conclude
from marketing.delivery.sandbox.ledger import STATUS_EVENT, Acceptance, OwedCallback
from marketing.delivery.sandbox.message_templates import Template
from marketing.delivery.sandbox.outcomes import Cause, State, steps_for
from marketing.delivery.sandbox.state import SANDBOX, Sandbox

PLACEHOLDER = re.compile(r"\{\{\d+\}\}")
STATUS = {
    State.SENT: "sent",
    State.DELIVERED: "delivered",
    State.READ: "read",
    State.FAILED: "failed",
}
ERRORS = {
    Cause.UNDELIVERABLE: (131026, "Message undeliverable"),
    Cause.ENGAGEMENT_LIMIT: (131049, "Withheld to maintain healthy ecosystem engagement"),
    Cause.STOPPED: (131050, "The user has stopped receiving marketing messages"),
    Cause.WINDOW_CLOSED: (131047, "More than 24 hours since the user last replied"),
    Cause.VENDOR_FAULT: (131000, "Something went wrong"),
}


def add_routes(router: web.UrlDispatcher) -> None:
    router.add_post(r"/{version:v\d+\.\d+}/{phone_number_id}/messages", send)
    router.add_post(r"/{version:v\d+\.\d+}/{waba_id}/message_templates", create_template)
    router.add_get(r"/{version:v\d+\.\d+}/{waba_id}/message_templates", list_templates)


def error(status: int, code: int, message: str, headers: Mapping[str, str] = {}) -> web.Response:
    """Meta's error body; what matters in it is the code."""
    body = {
        "error": {
            "message": f"(#{code}) {message}",
            "type": "OAuthException",
            "code": code,
            "error_data": {"messaging_product": "whatsapp", "details": message},
            "fbtrace_id": secrets.token_hex(6),
        }
    }
    return web.json_response(body, status=status, headers=dict(headers))


async def send(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    account = sandbox.accounts.identified("meta", request.match_info["phone_number_id"])
    if account is None or not _is_authorised(request, account):
        return error(401, 190, "Invalid OAuth access token.")
    try:
        body = json.loads(await request.read())
        recipient, template, parameters = _read_message(sandbox, account, body)
    except _Invalid as invalid:
        return error(invalid.status, invalid.code, str(invalid))
    except (ValueError, TypeError, AttributeError, KeyError):
        return error(400, 100, "Invalid parameter")
    try:
        admission = await admit(sandbox, request, account, recipient)
    except Refused as refused:
        code = 130429 if refused.status == 429 else 131016
        return error(refused.status, code, "Try again later", refused.headers)
    vendor_id = f"wamid.{secrets.token_urlsafe(24)}"
    reference = str(body.get("biz_opaque_callback_data", ""))
    cause = Cause.STOPPED if sandbox.ledger.has_stopped(account, recipient) else Cause.NONE
    sandbox.ledger.accept(
        account,
        [
            Acceptance(
                vendor_id=vendor_id,
                recipient=recipient,
                reference=reference,
                content_id=template.content_id,
                variables=json.dumps(parameters),
                echo=template.language,
                steps=steps_for(account, recipient, cause),
            )
        ],
        duplicate=admission.duplicate,
        reorder=admission.reorder,
    )
    digits = recipient.lstrip("+")
    answer = {
        "messaging_product": "whatsapp",
        "contacts": [{"input": digits, "wa_id": digits}],
        "messages": [{"id": vendor_id, "message_status": "accepted"}],
    }
    return await conclude(sandbox, request, admission, web.json_response(answer))


class _Invalid(Exception):
    def __init__(self, code: int, message: str, status: int = 400) -> None:
        self.code = code
        self.status = status
        super().__init__(message)


def _is_authorised(request: web.Request, account: Account) -> bool:
    given = request.headers.get("Authorization", "")
    return given.startswith("Bearer ") and account.accepts("access_token", given[7:])


def _read_message(
    sandbox: Sandbox, account: Account, body: dict[str, Any]
) -> tuple[str, Template, dict[str, list[str]]]:
    """(recipient, template, parameters by component). Raises `_Invalid`."""
    if body.get("messaging_product") != "whatsapp":
        raise _Invalid(100, "messaging_product must be whatsapp")
    to, user = str(body.get("to", "")), str(body.get("recipient", ""))
    if not (to.isdigit() and 7 <= len(to) <= 15) and not user:
        raise _Invalid(131009, "to or recipient is required")
    if body.get("type") != "template" or not isinstance(body.get("template"), dict):
        raise _Invalid(131047, "Only templates may open a conversation")
    asked = body["template"]
    language = asked["language"]["code"]
    template = sandbox.templates.find("meta", account.template_owner, asked["name"], language)
    if template is None or template.status in ("PENDING", "REJECTED"):
        raise _Invalid(132001, f"Template {asked['name']} does not exist in {language}", 404)
    if template.status != "APPROVED":
        code = 132015 if template.status == "PAUSED" else 132016
        raise _Invalid(code, f"Template is {template.status.lower()}")
    given: dict[str, list[str]] = {}
    for component in asked.get("components", []):
        key = component["type"] if component["type"] != "button" else f"button{component['index']}"
        given[key] = [str(p.get("text", "")) for p in component["parameters"]]
    for component in template.body["components"]:
        kind = component["type"].lower()
        if kind in ("header", "body"):
            wanted = len(PLACEHOLDER.findall(component.get("text", "")))
            if len(given.get(kind, [])) != wanted:
                raise _Invalid(132000, f"{kind}: {wanted} parameters expected")
            if any(not text or "\n" in text for text in given.get(kind, [])):
                raise _Invalid(132012, f"{kind}: a parameter is empty or has a line break")
    return (f"+{to}" if to else user), template, given


async def create_template(request: web.Request) -> web.Response:
    """Pending first; approved after the account's review time, or rejected by its name."""
    sandbox = request.app[SANDBOX]
    account = _owner(sandbox, request)
    if account is None:
        return error(401, 190, "Invalid OAuth access token.")
    try:
        body = json.loads(await request.read())
        name, language, category = body["name"], body["language"], body["category"]
        parts = {component["type"]: component for component in body["components"]}
    except (ValueError, KeyError, TypeError):
        return error(400, 100, "name, language, category and components are required")
    if not re.fullmatch(r"[a-z0-9_]{1,512}", name) or "BODY" not in parts:
        return error(400, 100, "name must be lower case with digits and underscores")
    if len(PLACEHOLDER.findall(parts["BODY"]["text"])) and "example" not in parts["BODY"]:
        return error(400, 100, "body: every variable needs an example")
    template = sandbox.templates.put(
        provider="meta",
        owner=account.template_owner,
        name=name,
        language=language,
        status="PENDING",
        body={"category": category, "components": body["components"]},
    )
    sandbox.ledger.owe(
        account, "template", {"id": template.id}, after_ms=account.template_review_ms
    )
    await sandbox.database.committed()
    return web.json_response({"id": template.id, "status": "PENDING", "category": category})


async def list_templates(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    account = _owner(sandbox, request)
    if account is None:
        return error(401, 190, "Invalid OAuth access token.")
    owned = sandbox.templates.owned_by("meta", account.template_owner)
    after, limit = int(request.query.get("after", 0)), int(request.query.get("limit", 100))
    page = owned[after : after + limit]
    more = {"cursors": {"after": str(after + limit)}} if len(owned) > after + limit else {}
    data = [
        {
            "id": template.id,
            "name": template.name,
            "status": template.status,
            "language": template.language,
            "category": template.body.get("category", "MARKETING"),
            "components": template.body["components"],
            "rejected_reason": template.rejected_reason,
        }
        for template in page
    ]
    return web.json_response({"data": data, "paging": more})


def _owner(sandbox: Sandbox, request: web.Request) -> Account | None:
    waba_id = request.match_info["waba_id"]
    for account in sandbox.accounts.all():
        if account.provider == "meta" and account.credentials["waba_id"] == waba_id:
            return account if _is_authorised(request, account) else None
    return None


def callback(
    sandbox: Sandbox, account: Account, owed: Sequence[OwedCallback]
) -> tuple[dict[str, str], bytes]:
    """One signed request for all of these."""
    statuses = [_status(one) for one in owed if one.event == STATUS_EVENT]
    changes = (
        [{"field": "messages", "value": {**_metadata(account), "statuses": statuses}}]
        if statuses
        else []
    )
    for one in owed:
        if one.event == "template":
            changes.append(_review(sandbox, json.loads(one.payload)["id"]))
        elif one.event != STATUS_EVENT:
            value = {**_metadata(account), **json.loads(one.payload)}
            changes.append({"field": one.event, "value": value})
    entry = {"id": account.credentials["waba_id"], "time": owed[0].due_ms // 1000}
    body = json.dumps(
        {"object": "whatsapp_business_account", "entry": [{**entry, "changes": changes}]}
    ).encode()
    digest = hmac.new(account.credentials["app_secret"].encode(), body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={digest}"}, body


def _metadata(account: Account) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": account.display_name,
            "phone_number_id": account.credentials["phone_number_id"],
        },
    }


def _status(owed: OwedCallback) -> dict[str, Any]:
    status: dict[str, Any] = {
        "id": owed.vendor_id,
        "status": STATUS[owed.state],
        "timestamp": str(owed.happened_ms // 1000),
        "recipient_id": owed.recipient.lstrip("+"),
    }
    if owed.reference:
        status["biz_opaque_callback_data"] = owed.reference
    if owed.state is State.FAILED:
        code, title = ERRORS[owed.cause]
        status["errors"] = [{"code": code, "title": title, "error_data": {"details": title}}]
    else:
        status["pricing"] = {
            "billable": True,
            "pricing_model": "PMP",
            "type": "regular",
            "category": "marketing",
        }
    return status


def _review(sandbox: Sandbox, template_id: str) -> dict[str, Any]:
    template = sandbox.templates.with_id(template_id)
    if template is None:
        return {"field": "message_template_status_update", "value": {"event": "DELETED"}}
    if template.status == "PENDING":
        is_refused = template.name.endswith("_reject")
        sandbox.templates.set_status(
            template,
            "REJECTED" if is_refused else "APPROVED",
            "INVALID_FORMAT" if is_refused else "NONE",
        )
        template = sandbox.templates.with_id(template_id) or template
    return {
        "field": "message_template_status_update",
        "value": {
            "event": template.status,
            "message_template_id": int(template.id),
            "message_template_name": template.name,
            "message_template_language": template.language,
            "reason": template.rejected_reason,
            "message_template_category": template.body.get("category", "MARKETING"),
        },
    }


def inbound(sandbox: Sandbox, account: Account, sender: str, text: str) -> None:
    """A person writes to the account's number."""
    at = sandbox.ledger.receive(account, sender, text)
    message = {
        "from": sender.lstrip("+"),
        "id": f"wamid.{secrets.token_urlsafe(24)}",
        "timestamp": str(at // 1000),
        "type": "text",
        "text": {"body": text},
    }
    sandbox.ledger.owe(account, "messages", {"messages": [message]})


def shown(template_body: Mapping[str, Any], variables: Mapping[str, list[str]]) -> dict[str, Any]:
    """The message as a phone shows it: header, body, footer, buttons."""
    parts: dict[str, Any] = {"header": "", "body": "", "footer": "", "buttons": []}
    for component in template_body["components"]:
        kind = component["type"].lower()
        if kind == "buttons":
            parts["buttons"] = [button["text"] for button in component["buttons"]]
        elif kind in parts:
            values = iter(variables.get(kind, []))
            parts[kind] = PLACEHOLDER.sub(lambda _: next(values, ""), component.get("text", ""))  # noqa: B023
    return parts
