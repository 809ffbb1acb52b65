"""Rules judged over plain values: what the compiler is compared with.

`all`, `any` and `not` on Python values; it shares no code with the compiler, and knows nothing of
SQL's third truth value. Ids are written as `branch:india`, `category:hair`, `segment:few`.
"""

import datetime as dt
import math
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

INDIA, LONDON = "Asia/Kolkata", "Europe/London"
NOW = dt.datetime(2026, 2, 28, 20, 30, tzinfo=dt.UTC)  # already March in India, not in London
CITIES = {"india": "Mumbai", "london": "London"}
# A branch, beside it, far off, across the 180th meridian from each other, and by the pole.
PLACES = {
    "india": (19.06, 72.83),
    "near": (19.08, 72.87),
    "far": (28.6, 77.2),
    "fiji": (-17.0, 179.9),
    "samoa": (-17.0, -179.9),
    "pole": (89.9, 10.0),
    "beyond pole": (89.9, -170.0),
}
# Addresses that are suppressed now; those that are no longer are beside them in the database.
SUPPRESSED = {("sms", "+919820000001"), ("whatsapp", "+447700900001"), ("email", "a@b.in")}
# The category of what is on bills.
CATEGORY_OF = {"cut": "hair", "colour": "hair", "shampoo": "retail"}
# Segments that rules name: their rules, and their branches.
SEGMENTS: dict[str, tuple[dict[str, Any], list[str] | None]] = {
    "few": (
        {"operator": "AND", "conditions": [{"field": "visit_count", "op": "lte", "value": 1}]},
        None,
    ),
    "indian": (
        {"operator": "NOT", "conditions": [{"field": "gender", "op": "eq", "value": "female"}]},
        ["india"],
    ),
    "nested": (
        {
            "operator": "OR",
            "conditions": [
                {"segment": "segment:indian", "op": "not_in"},
                {"visit": {}, "count": {"op": "gte", "value": 2}},
            ],
        },
        None,
    ),
}


def holds(node: dict[str, Any], person: dict[str, Any]) -> bool:
    if "operator" in node:
        verdicts = [holds(child, person) for child in node["conditions"]]
        return {"AND": all(verdicts), "OR": any(verdicts), "NOT": not any(verdicts)}[
            node["operator"]
        ]
    if "segment" in node:
        return is_in(node["segment"].removeprefix("segment:"), person) == (node["op"] == "in")
    if "count" in node:
        times = times_of(node, person)
        count = node["count"]
        return times is not None and met(times, "", count["op"], count["value"], person)
    return met(value_of(node["field"], person), node["field"], node["op"], node["value"], person)


def is_in(segment: str, person: dict[str, Any]) -> bool:
    if segment == "listed":
        return bool(person["is_listed"])
    rules, branches = SEGMENTS[segment]
    return holds(rules, person) and (branches is None or person["branch"] in branches)


def zone_of(person: dict[str, Any]) -> ZoneInfo:
    return ZoneInfo(LONDON if person["branch"] == "london" else INDIA)


def today(person: dict[str, Any]) -> dt.date:
    return NOW.astimezone(zone_of(person)).date()


def days_since(moment: dt.datetime, person: dict[str, Any]) -> int:
    return (today(person) - moment.astimezone(zone_of(person)).date()).days


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


def is_open(offer: str, state: str, person: dict[str, Any]) -> bool:
    """Whether a code opens its offer on her day; `over` holds until the last of February."""
    lasts = {"glow": True, "over": today(person) <= dt.date(2026, 2, 28), "off": False}
    return lasts[offer] and state in ("open", "lasting")


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
BRANCH_ZONES = {"india": ZoneInfo(INDIA), "london": ZoneInfo(LONDON)}
# What a message of this state has been, too.
CAME_TO = {
    "failed": {"failed"},
    "sent": {"sent"},
    "delivered": {"sent", "delivered"},
    "read": {"sent", "delivered", "read"},
    "clicked": {"sent", "delivered", "read", "clicked"},
}


def kilometres(one: str, other: str) -> float:
    """By the angle between two arrows from the middle of the earth."""
    ends = []
    for name in (one, other):
        latitude, longitude = (math.radians(each) for each in PLACES[name])
        ends.append(
            (
                math.cos(latitude) * math.cos(longitude),
                math.cos(latitude) * math.sin(longitude),
                math.sin(latitude),
            )
        )
    return 2 * 6371.0088 * math.asin(min(1, math.dist(*ends) / 2))


def age_of(born: dt.date, day: dt.date) -> int:
    years = 0
    while True:
        year = born.year + years + 1
        is_leap = year % 4 == 0
        birthday = (2, 28) if (born.month, born.day) == (2, 29) and not is_leap else None
        if dt.date(year, *(birthday or (born.month, born.day))) > day:
            return years
        years += 1


MOMENTS_OF = {
    "last_visit_days": "last_visit_at",
    "first_visit_days": "first_visit_at",
    "last_engaged_days": "last_engaged_at",
    "last_offer_days": "last_offer_at",
}
DATES_OF = {
    "membership_expires_days": "membership_expires_on",
    "package_expires_days": "package_expires_on",
    "due_in_days": "due_on",
}
YES_OR_NO_FACTS = {
    "has_package": "has_active_package",
    "has_active_membership": "has_active_membership",
}
CONSENTS = {
    **{f"{channel}_consent": f"{channel}_promotional" for channel in ("whatsapp", "sms", "email")},
    **{
        f"{channel}_service_consent": f"{channel}_service"
        for channel in ("whatsapp", "sms", "email")
    },
    "is_dnd": "is_dnd",
    "marketing_opted_out": "marketing_opted_out",
}
SEVERAL = {
    *("tags", "membership_plan", "package_name", "visited_branch"),
    *("offers_used", "unused_offer_codes"),
}
MONTHS = {"birthday_month": "birth_date", "anniversary_month": "anniversary"}
YEARDAYS = {"birthday_in_days": "birth_date", "anniversary_in_days": "anniversary"}
TEXTS = {"attribute.skin", "phone", "email"}
BLANK_IS_NONE = {"gender", "phone", "email", "language", "preferred_channel"}


def value_of(field: str, person: dict[str, Any]) -> Any:
    facts, consent = person["facts"] or {}, person["consent"] or {}
    if field in MOMENTS_OF:
        moment = facts.get(MOMENTS_OF[field])
        return moment and days_since(moment, person)
    if field in DATES_OF:
        on = facts.get(DATES_OF[field])
        return on and (on - today(person)).days
    if field in YES_OR_NO_FACTS:
        return bool(facts.get(YES_OR_NO_FACTS[field]))
    if field in CONSENTS:
        return bool(consent.get(CONSENTS[field]))
    if field.endswith("_basis"):
        return consent.get(field.replace("_consent", "")) or None
    if field.endswith("_suppressed"):
        channel = field.removesuffix("_suppressed")
        return (channel, person["email" if channel == "email" else "phone"]) in SUPPRESSED
    if field in MONTHS:
        date = person[MONTHS[field]]
        return date and date.month
    if field in YEARDAYS:
        date = person[YEARDAYS[field]]
        return date and days_to_birthday(date, today(person))
    if field in BLANK_IS_NONE:
        return person[field] or None
    points, uses = person["points"] or {}, [u for u in person["offers"] if not u["is_reversed"]]
    match field:
        case "points_balance":
            return points["available"] - points["owed"] if points else None
        case "points_expire_days":
            on = points.get("next_expiry_on")
            return on and (on - today(person)).days
        case "loyalty_tier":
            return f"tier:{points['tier']}" if points.get("tier") else None
        case "offers_used":
            return [f"offer:{use['offer']}" for use in uses]
        case "unused_offer_codes":
            return [f"offer:{name}" for name, how in person["codes"] if is_open(name, how, person)]
        case "friends_brought":
            return sum(state in ("qualified", "rewarded") for state in person["friends"]) or None
        case "referral_status":
            return None if person["came"] == "expired" else person["came"]
        case "overdue_days":
            due = facts.get("due_on")
            return (today(person) - due).days if due and due < today(person) else None
        case "overdue_category":
            late = [name for name, due in person["rhythms"] if due < today(person)]
            return [f"category:{name}" for name in late]
        case "customer_since_days":
            return days_since(person["created_at"], person)
        case "age":
            return person["birth_date"] and age_of(person["birth_date"], today(person))
        case "location":
            return person["place"]
        case "home_branch":
            return person["branch"] and f"branch:{person['branch']}"
        case "city":
            return person["branch"] and CITIES[person["branch"]]
        case "visited_branch":
            return [f"branch:{visit['branch']}" for visit in person["visits"]]
        case "membership_plan":
            return [plan for plan, until in person["plans"] if until >= today(person)]
        case "package_name":
            return [
                name for name, left, until in person["packages"] if left and until >= today(person)
            ]
        case "tags":
            return person["tags"]
    return person[field.split(".")[1]] if "." in field else facts.get(field)


def days_to_birthday(born: dt.date, day: dt.date) -> int:
    for days in range(367):
        then = day + dt.timedelta(days=days)
        leap = then.year % 4 == 0
        celebrated = (
            (2, 28) if (born.month, born.day) == (2, 29) and not leap else (born.month, born.day)
        )
        if (then.month, then.day) == celebrated:
            return days
    raise AssertionError(born)


def met(value: Any, field: str, op: str, wanted: Any, person: dict[str, Any]) -> bool:
    if field == "overdue_category":
        if op in ("is_set", "not_set"):
            return bool(value) == (op == "is_set")
        return bool(set(as_list(wanted)) & set(value))
    if field in SEVERAL:
        return {
            "all": isinstance(wanted, list) and set(wanted) <= set(value),
            "not_in": isinstance(wanted, list) and not set(wanted) & set(value),
            "contains": wanted in value,
            "in": isinstance(wanted, list) and bool(set(wanted) & set(value)),
            "ne": wanted not in value,
            "is_set": bool(value),
            "not_set": not value,
        }[op]
    if op in ("is_set", "not_set"):
        return (value is not None) == (op == "is_set")
    if value is None:
        return False
    if field in MONTHS:
        wanted = [today(person).month if m == "current" else m for m in as_list(wanted)]
        op = {"eq": "in", "ne": "none_of", "not_in": "none_of", "in": "in"}[op]
    if field in TEXTS:
        value, wanted = value.lower(), [each.lower() for each in as_list(wanted)]
        op = {"eq": "in", "ne": "none_of", "contains": "within"}.get(op, op)
    if field == "attribute.wedding" and op in ("within_last", "within_next"):
        days = (value - today(person)).days
        return 0 <= (-days if op == "within_last" else days) <= wanted
    if isinstance(value, dt.date):
        wanted = [dt.date.fromisoformat(each) for each in as_list(wanted)]
        wanted = wanted if op == "between" else wanted[0]
    if isinstance(value, Decimal):
        wanted = [Decimal(str(each)) for each in as_list(wanted)]
        wanted = wanted if op in ("in", "not_in", "between") else wanted[0]
    if op in ("within_km", "beyond_km"):
        return (kilometres(value, wanted["place"]) <= wanted["km"]) == (op == "within_km")
    match op:
        case "starts_with":
            return bool(value.startswith(wanted[0]))
        case "today":
            return bool(value == 0)
        case "within_last":
            value = -value if field in (*DATES_OF, "points_expire_days") else value
            return bool(0 <= value <= wanted)
        case "within_next":
            return bool(0 <= value <= wanted)
        case "eq":
            return bool(value == wanted)
        case "ne":
            return bool(value != wanted)
        case "gt":
            return bool(value > wanted)
        case "gte":
            return bool(value >= wanted)
        case "lt":
            return bool(value < wanted)
        case "lte":
            return bool(value <= wanted)
        case "between":
            return bool(wanted[0] <= value <= wanted[1])
        case "in":
            return value in wanted
        case "none_of" | "not_in":
            return value not in wanted
        case "within":
            return wanted[0] in value
    raise AssertionError(op)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
