"""MSG91's delivery reports.

Version 2 is a form field `data` with JSON, many reports; version 3 is one report as JSON.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from marketing.delivery.providers.base import Account, Call, Parsed, StatusUpdate
from marketing.delivery.providers.msg91.codes import DO_NOT_DISTURB, REPORTS

INDIA = ZoneInfo("Asia/Kolkata")


def verify(account: Account, call: Call) -> bool:
    """Nothing is signed; the token in the address is what is known to MSG91 alone."""
    return True


def parse(call: Call) -> list[Parsed]:
    """Each number's report. Raises ValueError."""
    try:
        return [_status(report) for report in _reports(call.body)]
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise ValueError(f"not a delivery report of MSG91's: {error!r}") from error


def _reports(body: bytes) -> Iterator[Mapping[str, Any]]:
    if body.lstrip()[:1] == b"{":
        yield json.loads(body)
        return
    (data,) = parse_qs(body.decode())["data"]
    for request in json.loads(data):
        for report in request["report"]:
            yield {**report, "requestId": request["requestId"]}


def _status(report: Mapping[str, Any]) -> StatusUpdate:
    status = str(report["status"])
    state, kind = REPORTS.get(status, ("", None))
    reference = f"{report['requestId']}:{report['number']}"
    return StatusUpdate(
        key=f"{reference}:{status}",
        state=state,
        at=_at(report["date"]),
        reference=reference,
        code="" if kind is None else status,
        detail="" if kind is None else str(report.get("failedReason") or report.get("desc", "")),
        error_class=kind.value if kind else "",
        is_on_dnd=status == DO_NOT_DISTURB,
    )


def _at(text: str) -> dt.datetime:
    """The report's time has no zone; MSG91 works in India."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=INDIA)
