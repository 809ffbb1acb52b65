"""The inbox: what each person got, as a phone shows it."""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from marketing.delivery.sandbox import control
from marketing.delivery.sandbox.ledger import now_ms
from marketing.delivery.sandbox.outcomes import reached
from marketing.delivery.sandbox.state import SANDBOX, Sandbox
from marketing.delivery.sandbox.vendors import VENDORS

STATIC = Path(__file__).parent / "static"
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-src 'self'; img-src data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
}
# A mail is shown as it came, but nothing in it runs or reaches out.
MAIL_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "sandbox",
}
THREADS, BUBBLES = 100, 50
SCRIPTS = (
    (range(0x0900, 0x0980), "hi"),
    (range(0x0980, 0x0A00), "bn"),
    (range(0x0A80, 0x0B00), "gu"),
    (range(0x0B80, 0x0C00), "ta"),
)
FOUND = """
SELECT recipient, max(id) AS last, count(*) AS messages FROM message
WHERE (:text = '' OR recipient LIKE :like) GROUP BY recipient ORDER BY last DESC LIMIT :limit
"""
SAID = """
SELECT m.id, m.account, m.provider, m.accepted_ms AS at, m.steps, m.language, m.variables,
       c.kind, c.body, NULL AS text
FROM message m LEFT JOIN content c ON c.id = m.content_id WHERE m.recipient = :who
UNION ALL
SELECT i.id, i.account, i.provider, i.received_ms, '', '', '{}', NULL, NULL, i.text
FROM inbound i WHERE i.sender = :who
ORDER BY at DESC LIMIT :limit
"""
MAIL = """
SELECT m.provider, m.variables, c.body
FROM message m JOIN content c ON c.id = m.content_id WHERE m.id = :id AND c.kind = 'mail'
"""


def add_routes(router: web.UrlDispatcher) -> None:
    router.add_get("/", page)
    router.add_get("/inbox/threads", threads)
    router.add_get("/inbox/thread", thread)
    router.add_get("/inbox/mail/{id}", mail)
    router.add_post("/inbox/reply", reply)
    router.add_post("/inbox/preference", preference)
    router.add_post("/inbox/unsubscribe", unsubscribe)
    router.add_static("/static", STATIC)


async def page(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(STATIC / "inbox.html", headers=HEADERS)


async def threads(request: web.Request) -> web.Response:
    """The people written to, latest first; `?q=` a part of the number or address."""
    text = request.query.get("q", "").strip()
    values = {"text": text, "like": f"%{text}%", "limit": THREADS}
    rows = await _rows(request, FOUND, values)
    return web.json_response([dict(row) for row in rows], headers=HEADERS)


async def thread(request: web.Request) -> web.Response:
    """What was said to and by one person, oldest first."""
    rows = await _rows(request, SAID, {"who": request.query.get("to", ""), "limit": BUBBLES})
    return web.json_response([_bubble(row) for row in reversed(rows)], headers=HEADERS)


def _bubble(row: sqlite3.Row) -> dict[str, Any]:
    vendor = VENDORS[row["provider"]]
    bubble: dict[str, Any] = {
        "id": row["id"],
        "account": row["account"],
        "provider": row["provider"],
        "hears": vendor.inbound is not None,
        "prefers": vendor.preference is not None,
        "at": row["at"],
    }
    if row["text"] is not None:
        said = {"state": "inbound", "body": row["text"]}
    else:
        step = reached(row["steps"], row["at"], now_ms())
        said = {"state": step.state.name.lower(), "cause": step.cause.value, **_shown(row)}
        said["is_html"] = bool(said.pop("html", ""))
        said["unsubscribes"] = bool(one_click_address(said.get("headers", {})))
    return bubble | said | {"language": row["language"] or language_of(said["body"])}


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    variables = json.loads(row["variables"])
    if row["body"] is None:
        return {"body": variables.get("text", "(no longer kept)")}
    return VENDORS[row["provider"]].shown(json.loads(row["body"]), variables)


def language_of(text: str) -> str:
    """The language a text's script tells, else empty."""
    letters = Counter(
        language for letter in text for script, language in SCRIPTS if ord(letter) in script
    )
    return letters.most_common(1)[0][0] if letters else ""


async def mail(request: web.Request) -> web.Response:
    """A mail's HTML, for a frame that may do nothing."""
    rows = await _rows(request, MAIL, {"id": request.match_info["id"]})
    if not rows:
        raise web.HTTPNotFound
    html = _shown(rows[0]).get("html", "")
    return web.Response(text=html, content_type="text/html", headers=MAIL_HEADERS)


def one_click_address(headers: Mapping[str, str]) -> str:
    """Where a mail program unsubscribes its reader by itself (RFC 8058), else empty."""
    known = {name.lower(): value for name, value in headers.items()}
    if "list-unsubscribe-post" not in known:
        return ""
    match = re.search(r"<(https?://[^>]+)>", known.get("list-unsubscribe", ""))
    return match[1] if match else ""


async def unsubscribe(request: web.Request) -> web.Response:
    """The reader of a mail uses her mail program's own button."""
    _require_same_origin(request)
    body = await request.json()
    rows = await _rows(request, MAIL, {"id": body["id"]})
    url = one_click_address(_shown(rows[0])["headers"]) if rows else ""
    if not url:
        return web.json_response({"error": "This mail has no such link."}, status=400)
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            form = {"List-Unsubscribe": "One-Click"}
            async with session.post(url, data=form, allow_redirects=False) as answer:
                if answer.status < 300:
                    return web.json_response({})
                problem = f"The sender answered {answer.status}."
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        problem = f"The sender cannot be reached: {type(error).__name__}"
    return web.json_response({"error": problem}, status=400)


async def preference(request: web.Request) -> web.Response:
    """The person uses the app's own control to stop or resume offers."""
    _require_same_origin(request)
    body = await request.json()
    return await _done(request, control.prefer, body["account"], body["from"], body["value"])


async def reply(request: web.Request) -> web.Response:
    """The person answers from the page itself."""
    _require_same_origin(request)
    body = await request.json()
    return await _done(request, control.receive, body["account"], body["from"], body["text"])


def _require_same_origin(request: web.Request) -> None:
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise web.HTTPForbidden


async def _done(
    request: web.Request, act: Callable[[Sandbox, str, str, str], None], *said: str
) -> web.Response:
    sandbox = request.app[SANDBOX]
    try:
        act(sandbox, *said)
    except ValueError as error:
        return web.json_response({"error": str(error)}, status=400)
    await sandbox.database.committed()
    return web.json_response({})


async def _rows(request: web.Request, query: str, values: dict[str, Any]) -> list[sqlite3.Row]:
    return await request.app[SANDBOX].database.read(
        lambda reader: reader.execute(query, values).fetchall()
    )
