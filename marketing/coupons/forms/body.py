"""What the editor's form says, in the API's fields."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marketing.coupons.forms.rows import days_of
from marketing.coupons.models.offers import OfferKind

Data = Mapping[str, Any]
Rows = Mapping[str, int]


def body_of_form(kind: str, data: Data, rows: Rows) -> dict[str, Any]:
    """Every field that the form decides, None where it says nothing; others are not named."""
    return {
        "discountType": kind,
        "name": data.get("name"),
        "description": data.get("description") or "",
        "automatic": data.get("opening") == "automatic",
        "code": (data.get("code") or "") if data.get("opening") == "typed" else "",
        "reusableAfterCancel": bool(data.get("reusable")),
        "skipDiscounted": data.get("skip_discounted") or None,
        "skipAddons": data.get("skip_addons") or None,
        "loyaltyTiers": _chosen(data, "tiers"),
        "branchIds": _chosen(data, "branches"),
        "excludedBranchIds": _chosen(data, "excluded_branches"),
        **_worth(kind, data, rows),
        **_services(kind, data),
        **_audience(data),
        **_dates(data),
        "hours": _hours(data, rows),
        "blackouts": _blackouts(data, rows),
        **_thresholds(data),
        **_limits(data),
        **_combining(data),
    }


def _worth(kind: str, data: Data, rows: Rows) -> dict[str, Any]:
    return {
        "discountValue": _number(data, "value"),
        "scope": _unless(data, "scope", "bill"),
        "freeUnits": data.get("free_units"),
        "buyGet": _buy_get(data) if kind == OfferKind.BUY_X_GET_Y else None,
        "bundle": _bundle(data, rows) if kind == OfferKind.BUNDLE else None,
        "tiers": _tiers(data, rows) if kind == OfferKind.SPEND_TIERS else None,
    }


def _buy_get(data: Data) -> dict[str, Any]:
    get = _selection(data, "get_")
    said = {
        "buyQuantity": data.get("buy_quantity"),
        "buyAmount": _number(data, "buy_amount"),
        "getQuantity": data.get("get_quantity"),
        "percent": _number(data, "get_percent"),
        "pick": _unless(data, "pick", "cheapest"),
        "maxGroups": data.get("max_groups"),
        "get": get if get or data.get("get_any") else None,
    }
    return _said(said)


def _bundle(data: Data, rows: Rows) -> dict[str, Any]:
    parts = []
    for place in range(rows["part"]):
        selection = _selection(data, f"part_{place}_")
        quantity = data.get(f"part_{place}_quantity")
        if selection or quantity:
            parts.append({**selection, "quantity": quantity or 1})
    return _said({"parts": parts, "maxGroups": data.get("max_groups")})


def _selection(data: Data, prefix: str) -> dict[str, Any]:
    """What is chosen and left out in the fields of this prefix; empty where nothing is."""
    return _said(
        {
            "serviceIds": _chosen(data, f"{prefix}services"),
            "categoryIds": _chosen(data, f"{prefix}categories"),
            "excludedServiceIds": _chosen(data, f"{prefix}excluded_services"),
            "excludedCategoryIds": _chosen(data, f"{prefix}excluded_categories"),
        }
    )


def tier_rows(data: Data, rows: Rows) -> list[int]:
    """The rows that say something: in the body the tiers stand in this order."""
    return [
        place
        for place in range(rows["tier"])
        if data.get(f"tier_{place}_from") is not None or data.get(f"tier_{place}_give") is not None
    ]


def _tiers(data: Data, rows: Rows) -> list[dict[str, Any]]:
    unit = "percent" if data.get("tier_unit") == "percent" else "amount"
    return [
        {
            "from": _number(data, f"tier_{place}_from") or "0",
            unit: _number(data, f"tier_{place}_give"),
        }
        for place in tier_rows(data, rows)
    ]


def _services(kind: str, data: Data) -> dict[str, Any]:
    """A free service that is one service goes by Module 11's field as well."""
    services, categories = _chosen(data, "services"), _chosen(data, "categories")
    is_one = kind == OfferKind.FREE_SERVICE and services and len(services) == 1 and not categories
    return {
        "freeServiceId": services[0] if is_one and services else None,
        "serviceIds": None if is_one else services,
        "categoryIds": categories,
        "excludedServiceIds": _chosen(data, "excluded_services"),
        "excludedCategoryIds": _chosen(data, "excluded_categories"),
    }


def _audience(data: Data) -> dict[str, Any]:
    return {
        "segmentId": None,
        "segmentIds": _chosen(data, "segments"),
        "excludedSegmentIds": _chosen(data, "excluded_segments"),
        "firstVisitOnly": None,
        "nthVisit": data.get("visit"),
    }


def _dates(data: Data) -> dict[str, Any]:
    """By the day, or by the minute where an hour is given."""
    first, last = data.get("valid_from"), data.get("valid_until")
    starts, ends = data.get("from_time"), data.get("until_time")
    return {
        "validFrom": None if starts else _iso(first),
        "startsAt": _moment(first, starts),
        "validUntil": None if ends else _iso(last),
        "endsAt": _moment(last, ends),
    }


def _hours(data: Data, rows: Rows) -> list[dict[str, Any]] | None:
    """A row of nothing but weekdays is open all day."""
    windows = []
    for place in range(rows["hours"]):
        days = days_of(data, f"hours_{place}_days")
        start, until = data.get(f"hours_{place}_from"), data.get(f"hours_{place}_until")
        if start is not None and until is not None:
            window = {"from": f"{start:%H:%M}", "until": _until(until)}
        elif days:
            window = {"from": "00:00", "until": "24:00"}
        else:
            continue
        windows.append({**window, "weekdays": days} if days else window)
    return windows or None


def _until(time: dt.time) -> str:
    return "24:00" if time == dt.time() else f"{time:%H:%M}"


def _blackouts(data: Data, rows: Rows) -> list[dict[str, str]] | None:
    """One day by itself is from it to it."""
    spans = []
    for place in range(rows["off"]):
        first, last = data.get(f"off_{place}_from"), data.get(f"off_{place}_until")
        if first:
            spans.append({"from": first.isoformat(), "until": (last or first).isoformat()})
    return spans or None


def _thresholds(data: Data) -> dict[str, Any]:
    return {
        "minOrderAmount": _number(data, "min_amount"),
        "maxOrderAmount": _number(data, "max_amount"),
        "amountOf": _unless(data, "measure", "bill"),
        "amountBasis": _unless(data, "basis", "list"),
        "minQuantity": data.get("min_quantity"),
    }


def _limits(data: Data) -> dict[str, Any]:
    return {
        "maxTotalUses": data.get("max_total"),
        "maxUsesPerCustomer": data.get("max_customer"),
        "maxUsesPerPeriod": data.get("max_period"),
        "usePeriod": (data.get("use_period") or None) if data.get("max_period") else None,
        "maxUsesPerBranch": data.get("max_branch"),
        "budget": _number(data, "budget"),
        "budgetPolicy": _unless(data, "budget_policy", "reject"),
        "maxDiscountAmount": _number(data, "max_discount"),
        "maxDiscountPerLine": _number(data, "max_line"),
        "floorPrice": _number(data, "floor_price"),
    }


def _combining(data: Data) -> dict[str, Any]:
    return {
        "allowStacking": None,
        "stacking": data.get("stacking") or "none",
        "tags": _words(data, "tags"),
        "combinesWith": _words(data, "combines_with"),
        "priority": data.get("priority") or None,
    }


def _number(data: Data, name: str) -> str | None:
    value: Decimal | None = data.get(name)
    return None if value is None else f"{value.normalize():f}"


def _chosen(data: Data, name: str) -> list[str] | None:
    return list(data.get(name) or ()) or None


def _words(data: Data, name: str) -> list[str] | None:
    words = (word.strip() for word in (data.get(name) or "").split(","))
    return list(dict.fromkeys(filter(None, words))) or None


def _unless(data: Data, name: str, default: str) -> str | None:
    value = data.get(name)
    return None if value in (None, "", default) else str(value)


def _said(body: Data) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


def _iso(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()


def _moment(day: dt.date | None, time: dt.time | None) -> str | None:
    if day is None or time is None:
        return None
    return dt.datetime.combine(day, time).isoformat(timespec="minutes")
