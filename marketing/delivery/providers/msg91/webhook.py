"""MSG91's delivery report, version 2: a form field `data` with JSON."""

import datetime as dt
import json
import uuid
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from marketing.delivery.providers.base import Account, Call, Parsed, StatusUpdate
from marketing.delivery.rules import ResultClass

INDIA = ZoneInfo("Asia/Kolkata")
STATUSES: dict[str, tuple[str, str]] = {
    "1": ("delivered", ""),
    "2": ("failed", ResultClass.FAIL_RECIPIENT),
    "9": ("failed", ResultClass.FAIL_RECIPIENT),
    "16": ("failed", ResultClass.FAIL_CONTENT),
    "17": ("failed", ResultClass.FAIL_RECIPIENT),
    "25": ("failed", ResultClass.FAIL_CONTENT),
}


def verify(account: Account, call: Call) -> bool:
    """Nothing is signed; the token in the address is what is known to MSG91 alone."""
    return True


def parse(call: Call) -> list[Parsed]:
    """Each number's report. Raises ValueError."""
    try:
        (data,) = parse_qs(call.body.decode())["data"]
        return [
            StatusUpdate(
                key=f"{request['requestId']}:{report['number']}:{report['status']}",
                state=STATUSES.get(str(report["status"]), ("", ""))[0],
                at=_at(report["date"]),
                message_id=_our_id(report.get("CRQID", "")),
                reference=request["requestId"],
                code="" if str(report["status"]) == "1" else str(report["status"]),
                detail=str(report.get("failedReason") or report.get("desc", "")),
                error_class=STATUSES.get(str(report["status"]), ("", ""))[1],
            )
            for request in json.loads(data)
            for report in request["report"]
        ]
    except (KeyError, TypeError, UnicodeDecodeError) as error:
        raise ValueError(f"not a delivery report of MSG91's: {error!r}") from error


def _at(text: str) -> dt.datetime:
    """The report's time has no zone; MSG91 works in India."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=INDIA)


def _our_id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
