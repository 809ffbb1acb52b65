"""How often somebody did what rules count, over plain rows."""

import datetime as dt
from decimal import Decimal
from typing import Any

from tests.segments.plain_days_and_places import BRANCH_ZONES, NOW, days_since

# The category of what is on bills.
CATEGORY_OF = {"cut": "hair", "colour": "hair", "shampoo": "retail"}


def times_of(node: dict[str, Any], person: dict[str, Any]) -> int | None:
    """How often she did it; None where she has fewer messages than are to be judged."""
    most = node["within"]["days"] if "within" in node else 10**9
    if "message" in node:
        return messages_of(node, most, person)
    kind = next(name for name in ("visit", "purchase", "event", "offer") if name in node)
    return sum(
        days_since(row["at"], person) <= most
        and not row.get("is_reversed")
        and all(passes(wanted, values(key, row, wanted)) for key, wanted in node[kind].items())
        for row in person[f"{kind}s"]
    )


def values(key: str, row: dict[str, Any], wanted: Any) -> list[Any]:
    """What a row has for a filter: nothing, one value, or one for each line of a bill."""
    if key in CALENDAR:
        local = row["at"].astimezone(BRANCH_ZONES[row["branch"]])
        return [local.strftime(CALENDAR[key]).lower()]
    if key == "branch":
        return [f"branch:{row['branch']}"]
    if key == "offer":
        return [f"offer:{row['offer']}"]
    if key == "discount" and "paise" in row:
        return [taken(row)]
    if key == "category":
        return [f"category:{CATEGORY_OF[service]}" for service in row["services"]]
    if key == "category_name":
        return [CATEGORY_OF[service] for service in row["services"]]
    if key == "service":
        return [f"service:{service}" for service in row["services"]]
    if key == "service_name":
        return list(row["services"])
    if key == "property.amount":
        return typed(row["amount"], wanted)
    return [row[key]]


def taken(use: dict[str, Any]) -> Decimal:
    """Rupees that an offer took off and that were not given back."""
    return Decimal(use["paise"] - use["returned"]) / 100


def typed(stored: Any, wanted: Any) -> list[Any]:
    """A property as it is compared: as a text with texts, and else as it is."""
    if stored is None:
        return []
    operand = as_list(wanted["value"] if isinstance(wanted, dict) else wanted)[0]
    return [str(stored)] if isinstance(operand, str) else [stored]


def passes(wanted: Any, found: list[Any]) -> bool:
    op = wanted["op"] if isinstance(wanted, dict) else "in"
    operands = as_list(wanted["value"] if isinstance(wanted, dict) else wanted)
    if isinstance(operands[0], str):
        operands = [each.lower() for each in operands]
        found = [each.lower() for each in found]
    match op:
        case "in" | "eq":
            return any(each in operands for each in found)
        case "ne" | "not_in":
            return bool(found) and not any(each in operands for each in found)
        case "contains":
            return any(operands[0] in each for each in found)
    (number,) = found or [None]
    if number is None or isinstance(number, str):
        return False
    return bool({"gt": number > operands[0], "lte": number <= operands[0]}[op])


def messages_of(node: dict[str, Any], most: int, person: dict[str, Any]) -> int | None:
    where = node["message"]
    found = [
        state
        for hours, channel, state in sorted(person["messages"])
        if channel == where.get("channel", channel)
        and days_since(NOW - dt.timedelta(hours=hours), person) <= most
    ]
    if "last" in node:
        found = found[: node["last"]]
        if len(found) < node["last"]:
            return None
    wanted = where.get("state", "sent")
    return sum(any(each in CAME_TO[state] for each in as_list(wanted)) for state in found)


CALENDAR = {"weekday": "%A", "month": "%B"}
# What a message of this state has been, too.
CAME_TO = {
    "failed": {"failed"},
    "sent": {"sent"},
    "delivered": {"sent", "delivered"},
    "read": {"sent", "delivered", "read"},
    "clicked": {"sent", "delivered", "read", "clicked"},
}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
