"""Message templates over Meta's API: create, list, edit, delete, review."""

import json
import re
from typing import Any

from aiohttp import web

from marketing.delivery.sandbox.ledger import now_ms
from marketing.delivery.sandbox.message_templates import Template
from marketing.delivery.sandbox.state import SANDBOX
from marketing.delivery.sandbox.vendors.meta import wire
from marketing.delivery.sandbox.vendors.meta.text import PLACEHOLDER

NAME = re.compile(r"[a-z0-9_]{1,512}")
CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
LONGEST_BODY = 1024
MOST_BUTTONS = 10


def add_routes(router: web.UrlDispatcher) -> None:
    router.add_post(wire.VERSION + "/{waba_id}/message_templates", create)
    router.add_get(wire.VERSION + "/{waba_id}/message_templates", list_templates)
    router.add_delete(wire.VERSION + "/{waba_id}/message_templates", delete)
    router.add_post(wire.VERSION + "/{template_id}", edit)


async def create(request: web.Request) -> web.Response:
    """Pending first; reviewed after the account's review time."""
    sandbox = request.app[SANDBOX]
    account = wire.business_account(sandbox, request, request.match_info["waba_id"])
    if account is None:
        return wire.unauthorised()
    try:
        body = json.loads(await request.read())
        name, language = body["name"], body["language"]
        problem = "" if NAME.fullmatch(name) else "name: lower case, digits and underscores"
        if body["category"] not in CATEGORIES:
            problem = f"category must be one of {', '.join(CATEGORIES)}"
        problem = problem or _problem(body["components"])
    except (ValueError, KeyError, TypeError, AttributeError):
        problem = "name, language, category and components are required"
    if problem:
        return wire.error(400, 100, problem)
    if sandbox.templates.find("meta", account.template_owner, name, language):
        return wire.error(400, 100, f"Content in {language} already exists for {name}")
    template = sandbox.templates.put(
        provider="meta",
        owner=account.template_owner,
        name=name,
        language=language,
        status="PENDING",
        body={"category": body["category"], "components": body["components"]},
        review_ms=now_ms() + account.template_review_ms,
    )
    await sandbox.database.committed()
    answer = {"id": template.id, "status": "PENDING", "category": body["category"]}
    return web.json_response(answer)


def _problem(components: list[dict[str, Any]]) -> str:
    """What Meta would refuse a template's components for, empty if nothing."""
    parts = {component["type"]: component for component in components}
    if "BODY" not in parts:
        return "components: a BODY is required"
    if len(parts["BODY"]["text"]) > LONGEST_BODY:
        return f"body: at most {LONGEST_BODY} characters"
    for kind in ("HEADER", "BODY"):
        part = parts.get(kind, {})
        if PLACEHOLDER.search(part.get("text", "")) and not part.get("example"):
            return f"{kind.lower()}: every variable needs an example"
    buttons = parts.get("BUTTONS", {"buttons": []})["buttons"]
    if len(buttons) > MOST_BUTTONS:
        return f"buttons: at most {MOST_BUTTONS}"
    if any("{{" in button.get("url", "") and not button.get("example") for button in buttons):
        return "buttons: a variable address needs an example"
    return ""


async def edit(request: web.Request) -> web.Response:
    """A new version, reviewed anew."""
    sandbox = request.app[SANDBOX]
    template = sandbox.templates.with_id(request.match_info["template_id"])
    account = (
        wire.business_account(sandbox, request, template.owner)
        if template and template.provider == "meta"
        else None
    )
    if template is None or account is None:
        return wire.not_found(request.match_info["template_id"])
    try:
        body = json.loads(await request.read())
        components = body.get("components", template.body["components"])
        problem = _problem(components)
    except (ValueError, KeyError, TypeError, AttributeError):
        problem = "components cannot be read"
    if problem:
        return wire.error(400, 100, problem)
    category = body.get("category", template.body.get("category", "MARKETING"))
    sandbox.templates.put(
        provider="meta",
        owner=template.owner,
        name=template.name,
        language=template.language,
        status="PENDING",
        body={"category": category, "components": components},
        review_ms=now_ms() + account.template_review_ms,
    )
    await sandbox.database.committed()
    return web.json_response({"success": True})


async def delete(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    account = wire.business_account(sandbox, request, request.match_info["waba_id"])
    if account is None:
        return wire.unauthorised()
    name = request.query.get("name", "")
    if not sandbox.templates.delete("meta", account.template_owner, name):
        return wire.error(404, 100, f"Template {name} does not exist")
    await sandbox.database.committed()
    return web.json_response({"success": True})


async def list_templates(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    account = wire.business_account(sandbox, request, request.match_info["waba_id"])
    if account is None:
        return wire.unauthorised()
    asked = request.query
    owned = [
        template
        for template in sandbox.templates.owned_by("meta", account.template_owner)
        if asked.get("status", template.status) == template.status
        and asked.get("name", template.name) == template.name
    ]
    try:
        after, limit = int(asked.get("after", 0)), int(asked.get("limit", 100))
    except ValueError:
        return wire.error(400, 100, "after and limit must be numbers")
    more = {"cursors": {"after": str(after + limit)}} if len(owned) > after + limit else {}
    page = [described(template) for template in owned[after : after + limit]]
    return web.json_response({"data": page, "paging": more})


def described(template: Template) -> dict[str, Any]:
    return {
        "id": template.id,
        "name": template.name,
        "status": template.status,
        "language": template.language,
        "category": template.body.get("category", "MARKETING"),
        "components": template.body["components"],
        "rejected_reason": template.rejected_reason,
    }


def reviewed(template: Template) -> dict[str, Any]:
    """What is called back of a review."""
    return {
        "event": template.status,
        "message_template_id": int(template.id),
        "message_template_name": template.name,
        "message_template_language": template.language,
        "reason": template.rejected_reason,
        "message_template_category": template.body.get("category", "MARKETING"),
    }
