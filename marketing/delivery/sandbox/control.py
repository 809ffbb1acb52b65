"""Control endpoints under `/_sandbox/`: what one would do in the vendors' dashboards.

All need `Authorization: Bearer <SANDBOX_SECRET>`; `docs/sandbox.md` has examples.
"""

import dataclasses
import hmac
import json
from typing import Any

from aiohttp import web

from marketing.delivery.sandbox import lookup
from marketing.delivery.sandbox.accounts import Account, AccountError
from marketing.delivery.sandbox.faults import PlanError
from marketing.delivery.sandbox.message_templates import STATUSES
from marketing.delivery.sandbox.state import SANDBOX, Sandbox
from marketing.delivery.sandbox.vendors import VENDORS

PREFIX = "/_sandbox/"


@web.middleware
async def guard(request: web.Request, handler: Any) -> web.StreamResponse:
    """Refuse control without the secret; answer what cannot be read with 400."""
    if request.path.startswith(PREFIX):
        expected = f"Bearer {request.app[SANDBOX].settings.secret}".encode()
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, expected):
            return web.json_response({"error": "The sandbox secret is missing."}, status=401)
        database = request.app[SANDBOX].database
        try:
            # What is read includes all that was answered before.
            await database.committed()
            response: web.StreamResponse = await handler(request)
            await database.committed()
            return response
        except (AccountError, PlanError, KeyError, TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
    answer: web.StreamResponse = await handler(request)
    return answer


def add_routes(router: web.UrlDispatcher) -> None:
    router.add_put("/_sandbox/accounts/{name}", put_account)
    router.add_get("/_sandbox/accounts", list_accounts)
    router.add_put("/_sandbox/templates", put_templates)
    router.add_get("/_sandbox/messages", list_messages)
    router.add_delete("/_sandbox/messages", clear)
    router.add_get("/_sandbox/ledger/summary", summary)
    router.add_get("/_sandbox/ledger/ids", list_ids)
    router.add_post("/_sandbox/inbound", write_inbound)
    router.add_post("/_sandbox/preferences", set_preference)
    router.add_post("/_sandbox/plan", plan)


async def put_account(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    account = Account.from_json(request.match_info["name"], await request.json())
    sandbox.accounts.put(account)
    if connected := VENDORS[account.provider].connected:
        connected(sandbox, account)
    return web.json_response(_public(sandbox, account))


async def list_accounts(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    return web.json_response([_public(sandbox, account) for account in sandbox.accounts.all()])


def _public(sandbox: Sandbox, account: Account) -> dict[str, Any]:
    shown = dataclasses.asdict(account)
    del shown["credentials"]
    if tell := VENDORS[account.provider].public:
        shown |= tell(sandbox)
    return shown


async def put_templates(request: web.Request) -> web.Response:
    """A list of templates that are there without a review."""
    sandbox = request.app[SANDBOX]
    templates = await request.json()
    for template in templates:
        status = template.get("status", "APPROVED")
        if status not in STATUSES:
            raise ValueError(f"status must be one of {', '.join(STATUSES)}")
        body = template["body"]
        VENDORS[template["provider"]].shown(body, {})
        sandbox.templates.put(
            provider=template["provider"],
            owner=template["owner"],
            name=template["name"],
            language=template.get("language", ""),
            status=status,
            body=body,
        )
    return web.json_response({"put": len(templates)})


async def list_messages(request: web.Request) -> web.Response:
    asked = request.query
    found = await lookup.messages(
        request.app[SANDBOX].database,
        to=asked.get("to", ""),
        since=int(asked.get("since", 0)),
        limit=int(asked.get("limit", 100)),
    )
    return web.json_response(found)


async def summary(request: web.Request) -> web.Response:
    return web.json_response(await lookup.summary(request.app[SANDBOX].database))


async def list_ids(request: web.Request) -> web.Response:
    asked = request.query
    page = await lookup.ids(
        request.app[SANDBOX].database,
        after=asked.get("after", ""),
        limit=int(asked.get("limit", 1000)),
        account=asked.get("account", ""),
    )
    return web.json_response(page)


async def clear(request: web.Request) -> web.Response:
    request.app[SANDBOX].ledger.clear()
    return web.json_response({})


async def write_inbound(request: web.Request) -> web.Response:
    """A person writes: `{"account", "from", "text"}`."""
    sandbox = request.app[SANDBOX]
    body = await request.json()
    receive(sandbox, body["account"], body["from"], body["text"])
    return web.json_response({})


def receive(sandbox: Sandbox, account_name: str, sender: str, text: str) -> None:
    """Take what a person wrote. Raises ValueError for an account that cannot hear."""
    account = sandbox.accounts.named(account_name)
    hear = VENDORS[account.provider].inbound if account else None
    if account is None or hear is None:
        raise ValueError(f"{account_name} takes no replies")
    hear(sandbox, account, sender, text)


async def set_preference(request: web.Request) -> web.Response:
    """A person stops or resumes marketing in the app: `{"account", "from", "value"}`."""
    body = await request.json()
    prefer(request.app[SANDBOX], body["account"], body["from"], body["value"])
    return web.json_response({})


def prefer(sandbox: Sandbox, account_name: str, person: str, value: str) -> None:
    """``value`` is stop or resume. Raises ValueError where there is no such control."""
    account = sandbox.accounts.named(account_name)
    tell = VENDORS[account.provider].preference if account else None
    if account is None or tell is None or value not in ("stop", "resume"):
        raise ValueError(f"{account_name} has no control to {value}")
    sandbox.ledger.set_stopped(account, person, value == "stop")
    tell(sandbox, account, person, value)


async def plan(request: web.Request) -> web.Response:
    """Faults of an account: `{"account", "faults": [{"kind", "count" | "share", …}]}`."""
    body = json.loads(await request.read())
    request.app[SANDBOX].faults.replace(body["account"], body["faults"])
    return web.json_response({})
