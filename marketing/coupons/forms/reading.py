"""An offer as the editor's form shows it first."""

import datetime as dt
from decimal import Decimal
from typing import Any

from marketing.coupons.models import Offer
from marketing.coupons.pricing.terms import EVERY_DAY, Kind, OfferTerms, Selection
from marketing.coupons.rules import first_day, last_day

MINUTES_A_DAY = 24 * 60


def initial_of(offer: Offer, terms: OfferTerms) -> dict[str, Any]:
    """The offer's values by the form's names."""
    return {
        "version": offer.version,
        "kind": offer.kind,
        "name": offer.name,
        "description": offer.description,
        "opening": "automatic" if terms.automatic else "typed" if offer.code else "made",
        "code": offer.code,
        "reusable": offer.reusable_after_cancel,
        **_worth(terms),
        **_what(terms),
        **_whom(terms),
        **_when(terms),
        **_least(terms),
        **_limits(terms),
        **_beside(terms),
    }


def _worth(terms: OfferTerms) -> dict[str, Any]:
    deal, bundle = terms.buy_get, terms.bundle
    found: dict[str, Any] = {"scope": terms.scope.value, "free_units": terms.free_units}
    if terms.kind is Kind.PERCENTAGE:
        found["value"] = _hundredth(terms.rate_bp)
    elif terms.kind in (Kind.FLAT, Kind.FIXED_PRICE):
        found["value"] = _hundredth(terms.amount)
    if deal is not None:
        found |= {
            "buy_quantity": None if deal.buy_amount else deal.buy_quantity,
            "buy_amount": _hundredth(deal.buy_amount or None),
            "get_quantity": deal.get_quantity,
            "get_percent": _hundredth(deal.rate_bp),
            **_selection(deal.get or Selection(), "get_"),
            "get_any": deal.get is not None and deal.get == Selection(),
            "pick": deal.pick.value,
            "max_groups": deal.max_groups,
        }
    if bundle is not None:
        found |= {"value": _hundredth(bundle.price), "max_groups": bundle.max_groups}
        for place, part in enumerate(bundle.parts):
            found |= _selection(part.selection, f"part_{place}_")
            found[f"part_{place}_quantity"] = part.quantity
    for place, tier in enumerate(terms.tiers):
        found["tier_unit"] = "percent" if tier.rate_bp else "amount"
        found[f"tier_{place}_from"] = _hundredth(tier.threshold)
        found[f"tier_{place}_give"] = _hundredth(tier.rate_bp or tier.amount)
    return found


def _selection(chosen: Selection, prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}services": sorted(chosen.services),
        f"{prefix}categories": sorted(chosen.categories),
        f"{prefix}excluded_services": sorted(chosen.excluded_services),
        f"{prefix}excluded_categories": sorted(chosen.excluded_categories),
    }


def _what(terms: OfferTerms) -> dict[str, Any]:
    return {
        **_selection(terms.selection, ""),
        "skip_discounted": terms.skip_discounted,
        "skip_addons": terms.skip_addons,
    }


def _whom(terms: OfferTerms) -> dict[str, Any]:
    who, places = terms.audience, terms.places
    return {
        "segments": sorted(who.segments),
        "excluded_segments": sorted(who.excluded_segments),
        "visit": who.nth_visit,
        "tiers": sorted(who.tiers),
        "branches": sorted(places.branches),
        "excluded_branches": sorted(places.excluded_branches),
    }


def _when(terms: OfferTerms) -> dict[str, Any]:
    table = terms.timetable
    by_minute = table.ends is not None and table.ends.time() != dt.time()
    found: dict[str, Any] = {
        "valid_from": first_day(terms),
        "from_time": table.starts.time() if table.starts and table.starts.time() else None,
        "valid_until": table.ends.date() if by_minute and table.ends else last_day(terms),
        "until_time": table.ends.time() if by_minute and table.ends else None,
    }
    if found["from_time"] == dt.time():
        found["from_time"] = None
    for place, window in enumerate(table.hours):
        is_all_day = window.start == 0 and window.until in (0, MINUTES_A_DAY)
        if window.weekdays != EVERY_DAY:
            found[f"hours_{place}_days"] = [day.name.lower() for day in sorted(window.weekdays)]
        if not is_all_day or window.weekdays == EVERY_DAY:
            found[f"hours_{place}_from"] = _time(window.start)
            found[f"hours_{place}_until"] = _time(window.until)
    for place, span in enumerate(table.blackouts):
        found[f"off_{place}_from"] = span.first
        found[f"off_{place}_until"] = span.last
    return found


def _least(terms: OfferTerms) -> dict[str, Any]:
    asked = terms.thresholds
    return {
        "min_amount": _hundredth(asked.min_amount),
        "max_amount": _hundredth(asked.max_amount),
        "measure": asked.measure.value,
        "basis": asked.basis.value,
        "min_quantity": asked.min_quantity or None,
    }


def _limits(terms: OfferTerms) -> dict[str, Any]:
    limits, caps = terms.limits, terms.caps
    return {
        "max_total": limits.total,
        "max_customer": limits.per_customer,
        "max_period": limits.per_period,
        "use_period": limits.period.value,
        "max_branch": limits.per_branch,
        "budget": _hundredth(limits.budget),
        "budget_policy": limits.budget_policy.value,
        "max_discount": _hundredth(caps.bill),
        "max_line": _hundredth(caps.line),
        "floor_price": _hundredth(caps.floor_price or None),
    }


def _beside(terms: OfferTerms) -> dict[str, Any]:
    how = terms.combining
    return {
        "stacking": how.stacking.value,
        "tags": ", ".join(sorted(how.tags)),
        "combines_with": ", ".join(sorted(how.combines_with or ())),
        "priority": how.priority,
    }


def _hundredth(value: int | None) -> Decimal | None:
    """Rupees of paise, per cent of basis points; whole where they are."""
    if value is None:
        return None
    exact = Decimal(value) / 100
    return exact.quantize(Decimal(1)) if value % 100 == 0 else exact


def _time(minute: int) -> dt.time:
    minute %= MINUTES_A_DAY
    return dt.time(minute // 60, minute % 60)
