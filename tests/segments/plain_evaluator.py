"""Rules judged over plain values: what the compiler is compared with.

`all`, `any` and `not` on Python values; it shares no code with the compiler, and knows nothing of
SQL's third truth value. Ids are written as `branch:india`, `category:hair`, `segment:few`.
"""

import datetime as dt
from decimal import Decimal
from typing import Any

from tests.segments.plain_behaviours import as_list, times_of
from tests.segments.plain_days_and_places import (
    CITIES,
    age_of,
    days_since,
    days_to_birthday,
    kilometres,
    today,
)

# Addresses that are suppressed now; those that are no longer are beside them in the database.
SUPPRESSED = {("sms", "+919820000001"), ("whatsapp", "+447700900001"), ("email", "a@b.in")}
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


def is_open(offer: str, state: str, person: dict[str, Any]) -> bool:
    """Whether a code opens its offer on her day; `over` holds until the last of February."""
    lasts = {"glow": True, "over": today(person) <= dt.date(2026, 2, 28), "off": False}
    return lasts[offer] and state in ("open", "lasting")


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
