"""Reading Twilio's messages back: one, many by number and day, and the account."""

import datetime as dt
import json
import sqlite3
from collections.abc import Mapping
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.ledger import now_ms
from marketing.delivery.sandbox.outcomes import Cause, State, Step, reached
from marketing.delivery.sandbox.state import SANDBOX
from marketing.delivery.sandbox.vendors.twilio import wire
from marketing.delivery.sandbox.vendors.twilio.wire import PREFIX, WHATSAPP

COLUMNS = "provider, vendor_id, recipient, accepted_ms, steps, echo"
ONE = f"SELECT {COLUMNS} FROM message WHERE vendor_id = :sid AND provider LIKE 'twilio%'"  # noqa: S608
MANY = f"""
SELECT {COLUMNS} FROM message
WHERE provider = :provider AND account = :account AND (:to = '' OR recipient = :to)
  AND accepted_ms >= :from_ms AND accepted_ms < :until_ms
ORDER BY id DESC LIMIT :limit OFFSET :offset
"""  # noqa: S608
STATUS = {
    State.ACCEPTED: "queued",
    State.SENT: "sent",
    State.DELIVERED: "delivered",
    State.READ: "read",
}
SMS_ERRORS = {
    Cause.UNDELIVERABLE: 30005,
    Cause.ENGAGEMENT_LIMIT: 30007,
    Cause.VENDOR_FAULT: 30008,
}
WHATSAPP_ERRORS = {
    Cause.UNDELIVERABLE: 63024,
    Cause.ENGAGEMENT_LIMIT: 63049,
    Cause.WINDOW_CLOSED: 63016,
    Cause.VENDOR_FAULT: 63012,
}
DAY_MS = 24 * 60 * 60 * 1000
LARGEST_PAGE = 1000


def add_routes(router: web.UrlDispatcher) -> None:
    router.add_get(wire.ACCOUNTS + "/{sid}.json", read_account)
    router.add_get(wire.ACCOUNTS + "/{sid}/Messages.json", list_messages)
    router.add_get(wire.ACCOUNTS + "/{sid}/Messages/{message}.json", read_message)


def told(provider: str, step: Step) -> tuple[str, int | None]:
    """(status, error code) by which Twilio tells of a step."""
    if step.state is not State.FAILED:
        return STATUS[step.state], None
    if provider == WHATSAPP:
        return "failed", WHATSAPP_ERRORS[step.cause]
    return "undelivered", SMS_ERRORS[step.cause]


def resource(
    account: Account, *, vendor_id: str, recipient: str, accepted_ms: int, steps: str, echo: str
) -> dict[str, Any]:
    """A message as Twilio describes it, in the state it has reached."""
    step = reached(steps, accepted_ms, now_ms())
    status, code = told(account.provider, step)
    said: Mapping[str, str] = json.loads(echo)
    sid = account.credentials["account_sid"]
    is_sent = step.state is not State.ACCEPTED
    return {
        "sid": vendor_id,
        "account_sid": sid,
        "api_version": "2010-04-01",
        "body": said["body"],
        "date_created": _date(accepted_ms),
        "date_sent": _date(accepted_ms + step.after_ms) if is_sent else None,
        "date_updated": _date(accepted_ms + step.after_ms),
        "direction": "outbound-api",
        "error_code": code,
        "error_message": None,
        "from": said["from"] or None,
        "messaging_service_sid": said["service"] or None,
        "num_media": "0",
        "num_segments": str(_segments(said["body"])),
        "price": "-0.00750" if is_sent else None,
        "price_unit": "USD",
        "status": status,
        "to": wire.address(account.provider, recipient),
        "uri": f"{wire.ACCOUNTS}/{sid}/Messages/{vendor_id}.json",
    }


def _date(at_ms: int) -> str:
    return format_datetime(dt.datetime.fromtimestamp(at_ms // 1000, dt.UTC))


def _segments(text: str) -> int:
    """Close enough for a look-up: what is not ASCII is counted as UCS-2."""
    whole, part = (160, 153) if text.isascii() else (70, 67)
    return 1 if len(text) <= whole else -(-len(text) // part)


async def read_account(request: web.Request) -> web.Response:
    sid = request.match_info["sid"]
    accounts = wire.accounts_of(request, sid)
    if not accounts:
        return wire.unauthorised()
    name = next(iter(accounts.values())).display_name
    return web.json_response(
        {"sid": sid, "friendly_name": name, "status": "active", "type": "Full"}
    )


async def read_message(request: web.Request) -> web.Response:
    accounts = wire.accounts_of(request, request.match_info["sid"])
    if not accounts:
        return wire.unauthorised()
    rows = await _rows(request, ONE, {"sid": request.match_info["message"]})
    if not rows or rows[0]["provider"] not in accounts:
        return wire.error(404, 20404, f"The requested resource {request.path} was not found")
    return web.json_response(_described(accounts, rows[0]))


async def list_messages(request: web.Request) -> web.Response:
    """Newest first, by `To` and `DateSent` (a day, or `DateSent>` and `DateSent<` of one)."""
    accounts = wire.accounts_of(request, request.match_info["sid"])
    if not accounts:
        return wire.unauthorised()
    asked = request.query
    try:
        from_ms, until_ms = _span(asked)
        size = max(1, min(int(asked.get("PageSize", 50)), LARGEST_PAGE))
        page = int(asked.get("Page", 0))
    except ValueError:
        return wire.error(400, 20001, "DateSent, PageSize or Page cannot be read")
    to = asked.get("To", "")
    provider = WHATSAPP if to.startswith(PREFIX) or list(accounts) == [WHATSAPP] else wire.SMS
    if provider not in accounts:
        return web.json_response({"messages": [], "page": page, "next_page_uri": None})
    values = {
        "provider": provider,
        "account": accounts[provider].name,
        "to": to.removeprefix(PREFIX),
        "from_ms": from_ms,
        "until_ms": until_ms,
        "limit": size + 1,
        "offset": page * size,
    }
    rows = await _rows(request, MANY, values)
    following = request.rel_url.update_query({"Page": str(page + 1)}) if len(rows) > size else None
    return web.json_response(
        {
            "messages": [_described(accounts, row) for row in rows[:size]],
            "page": page,
            "page_size": size,
            "uri": str(request.rel_url),
            "next_page_uri": str(following) if following else None,
        }
    )


def _span(asked: Mapping[str, str]) -> tuple[int, int]:
    """(first, end) in epoch milliseconds. Raises ValueError."""
    first, end = 0, now_ms() + DAY_MS
    if day := asked.get("DateSent"):
        return _day(day), _day(day) + DAY_MS
    if day := asked.get("DateSent>"):
        first = _day(day)
    if day := asked.get("DateSent<"):
        end = _day(day) + DAY_MS
    return first, end


def _day(text: str) -> int:
    """A date, or a time of which Twilio reads the date."""
    day = dt.datetime.fromisoformat(text[:10]).replace(tzinfo=dt.UTC)
    return int(day.timestamp() * 1000)


def _described(accounts: Mapping[str, Account], row: sqlite3.Row) -> dict[str, Any]:
    values = {key: row[key] for key in row.keys() if key != "provider"}  # noqa: SIM118
    return resource(accounts[row["provider"]], **values)


async def _rows(request: web.Request, query: str, values: dict[str, Any]) -> list[sqlite3.Row]:
    database = request.app[SANDBOX].database
    return await database.read(lambda reader: reader.execute(query, values).fetchall())
