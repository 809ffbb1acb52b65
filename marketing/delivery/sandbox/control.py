"""Control endpoints under `/_sandbox/`: what one would do in the vendors' dashboards.

All need `Authorization: Bearer <SANDBOX_SECRET>`; `docs/sandbox.md` has examples.
"""

import dataclasses
import hmac
import json
from typing import Any

from aiohttp import web

from marketing.delivery.sandbox.accounts import Account, AccountError
from marketing.delivery.sandbox.faults import PlanError
from marketing.delivery.sandbox.message_templates import STATUSES
from marketing.delivery.sandbox.outcomes import State
from marketing.delivery.sandbox.state import SANDBOX, Sandbox
from marketing.delivery.sandbox.vendors import meta, sendgrid

INBOUND = {"meta": meta.inbound, "sendgrid": sendgrid.inbound}
PREFIX = "/_sandbox/"


@web.middleware
async def guard(request: web.Request, handler: Any) -> web.StreamResponse:
    """Refuse control without the secret; answer what cannot be read with 400."""
    if request.path.startswith(PREFIX):
        expected = f"Bearer {request.app[SANDBOX].settings.secret}".encode()
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, expected):
            return web.json_response({"error": "The sandbox secret is missing."}, status=401)
        try:
            response: web.StreamResponse = await handler(request)
            await request.app[SANDBOX].database.committed()
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
    router.add_post("/_sandbox/inbound", write_inbound)
    router.add_post("/_sandbox/plan", plan)


async def put_account(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    account = Account.from_json(request.match_info["name"], await request.json())
    sandbox.accounts.put(account)
    return web.json_response(_public(sandbox, account))


async def list_accounts(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    return web.json_response([_public(sandbox, account) for account in sandbox.accounts.all()])


def _public(sandbox: Sandbox, account: Account) -> dict[str, Any]:
    shown = dataclasses.asdict(account)
    del shown["credentials"]
    if account.provider == "sendgrid":
        shown["webhook_public_key"] = sendgrid.public_key(sandbox.signing_key)
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
        if template["provider"] == "meta":
            body["components"]
        else:
            body["text"]
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
    limit, to = int(request.query.get("limit", 100)), request.query.get("to", "")
    since = int(request.query.get("since", 0))
    rows = await request.app[SANDBOX].database.read(
        lambda reader: reader.execute(
            "SELECT id, account, provider, vendor_id, recipient, reference, accepted_ms, state,"
            " cause FROM message WHERE (? = '' OR recipient = ?) AND id > ? ORDER BY id LIMIT ?",
            (to, to, since, limit),
        ).fetchall()
    )
    return web.json_response(
        [{**dict(row), "state": State(row["state"]).name.lower()} for row in rows]
    )


async def summary(request: web.Request) -> web.Response:
    """How much was accepted, and whether any message of the client's came twice."""
    row = await request.app[SANDBOX].database.read(
        lambda reader: reader.execute(
            "SELECT count(*) AS accepted, count(DISTINCT nullif(reference, '')) AS referenced,"
            " (SELECT count(*) FROM (SELECT 1 FROM message WHERE reference <> ''"
            " GROUP BY reference HAVING count(*) > 1)) AS duplicated,"
            " (SELECT count(*) FROM callback) AS owed FROM message"
        ).fetchone()
    )
    return web.json_response(dict(row))


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
    if account is None or account.provider not in INBOUND:
        raise ValueError(f"{account_name} takes no replies")
    INBOUND[account.provider](sandbox, account, sender, text)


async def plan(request: web.Request) -> web.Response:
    """Faults of an account: `{"account", "faults": [{"kind", "count", "to", "delay_ms"}]}`."""
    body = json.loads(await request.read())
    request.app[SANDBOX].faults.replace(body["account"], body["faults"])
    return web.json_response({})
