"""Carts and offers as the HTTP API spells them: camelCase, rupees as decimal text.

Offers are Module 11's coupon and what was added to it; a body with only Module 11's fields is
one. Readers expect a body already checked for types by a serializer; what cannot be read
raises `WireError` with the field's path.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, TypeVar

from marketing.coupons.pricing.bill import (
    Cart,
    CartLine,
    CodesPolicy,
    EnteredCode,
    PointsAs,
    PointsUse,
)
from marketing.coupons.pricing.opening import MINUTES_A_DAY, end_of, start_of
from marketing.coupons.pricing.terms import (
    EVERY_DAY,
    Audience,
    Basis,
    BudgetPolicy,
    Bundle,
    BundlePart,
    BuyGet,
    Caps,
    Combining,
    DateSpan,
    GroupBy,
    HourWindow,
    Kind,
    Limits,
    Measure,
    OfferTerms,
    Period,
    Pick,
    Places,
    Scope,
    Selection,
    SpendTier,
    Stacking,
    Thresholds,
    Timetable,
    Weekday,
    Weights,
)

Body = Mapping[str, Any]
E_ = TypeVar("E_", bound=Enum)


class WireError(ValueError):
    """`path` is the field, camelCase and dotted."""

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        self.message = message
        super().__init__(f"{path}: {message}")


def paise(value: object, path: str) -> int:
    """Rupees (text or a whole number) in paise. More than two places is an error."""
    return _hundredths(value, path)


def rupees(amount: int) -> str:
    """Paise as decimal text with two places: what `paise` reads."""
    sign, whole = ("-", -amount) if amount < 0 else ("", amount)
    return f"{sign}{whole // 100}.{whole % 100:02d}"


def basis_points(value: object, path: str) -> int:
    """Percent (text or a whole number) in basis points. More than two places is an error."""
    return _hundredths(value, path)


def read_cart(body: Body, *, timezone: str, codes: Sequence[EnteredCode]) -> Cart:
    """A quote's body as a cart, with the branch's `timezone` and the `codes` looked up."""
    points = body.get("points")
    return Cart(
        branch=body["branchId"],
        at=dt.datetime.fromisoformat(body["at"]),
        timezone=timezone,
        lines=tuple(
            _line(line, place, f"lines.{place - 1}")
            for place, line in enumerate(body["lines"], start=1)
        ),
        codes=tuple(codes),
        codes_policy=_one_of(CodesPolicy, body.get("codesPolicy", "partial"), "codesPolicy"),
        prices_include_tax=body.get("pricesIncludeTax", True),
        points=None
        if points is None
        else PointsUse(
            amount=paise(points["amount"], "points.amount"),
            used_as=_one_of(PointsAs, points.get("as", "tender"), "points.as"),
        ),
    )


def read_offer(body: Body, *, offer: str, revision: int = 1) -> OfferTerms:
    """An offer's body as terms.

    `discountValue` is percent for percentages, else rupees (of a bundle its price). An offer
    without `automatic` goes by code; Module 11's default of one use a customer holds for those
    only. `allowStacking` true is `stacking: item`, false `none`.
    """
    kind = _one_of(Kind, body["discountType"], "discountType")
    value = _value(body, kind)
    automatic = body.get("automatic", False)
    selection = _selection(body, "")
    if kind is Kind.FREE_SERVICE and body.get("freeServiceId"):
        selection = Selection(services=frozenset((body["freeServiceId"],)))
    return OfferTerms(
        id=offer,
        revision=revision,
        name=body.get("name", ""),
        active=body.get("isActive", True),
        kind=kind,
        automatic=automatic,
        scope=_one_of(Scope, body.get("scope", "bill"), "scope"),
        rate_bp=value if kind is Kind.PERCENTAGE else 0,
        amount=value if kind in (Kind.FLAT, Kind.FIXED_PRICE) else 0,
        weights=_one_of(Weights, body.get("weights", "net"), "weights"),
        free_units=body.get("freeUnits", 1),
        buy_get=_buy_get(body["buyGet"]) if kind is Kind.BUY_X_GET_Y else None,
        bundle=_bundle(body["bundle"], value) if kind is Kind.BUNDLE else None,
        tiers=_tiers(body.get("tiers", ())),
        selection=selection,
        skip_discounted=body.get("skipDiscounted", False),
        skip_addons=body.get("skipAddons", False),
        group_by=_one_of(GroupBy, body.get("groupBy", "bill"), "groupBy"),
        timetable=_timetable(body),
        places=Places(
            branches=_ids(body, "branchIds"), excluded_branches=_ids(body, "excludedBranchIds")
        ),
        audience=_audience(body),
        thresholds=_thresholds(body),
        caps=Caps(
            bill=_money(body, "maxDiscountAmount"),
            line=_money(body, "maxDiscountPerLine"),
            floor_price=_money(body, "floorPrice") or 0,
        ),
        limits=_limits(body, automatic=automatic),
        combining=_combining(body),
    )


def _line(line: Body, place: int, path: str) -> CartLine:
    performed = line.get("performedOn")
    rate = line.get("taxRate")
    return CartLine(
        number=line.get("number", place),
        service=line["serviceId"],
        category=line.get("categoryId") or "",
        quantity=line.get("quantity", 1),
        unit_price=paise(line["unitPrice"], f"{path}.unitPrice"),
        manual_discount=paise(line.get("manualDiscount", 0), f"{path}.manualDiscount"),
        floor_price=paise(line.get("floorPrice", 0), f"{path}.floorPrice"),
        tax_rate_bp=None if rate is None else basis_points(rate, f"{path}.taxRate"),
        performed_on=None if performed is None else dt.date.fromisoformat(performed),
        is_addon=line.get("isAddon", False),
    )


def _value(body: Body, kind: Kind) -> int:
    given = body.get("discountValue")
    if given is None:
        # A price that nobody said is not a price of nothing.
        if kind in (Kind.FIXED_PRICE, Kind.BUNDLE):
            raise WireError("discountValue", "a price is needed")
        given = 0
    if kind is Kind.PERCENTAGE:
        return basis_points(given, "discountValue")
    return paise(given, "discountValue")


def _selection(body: Body, path: str) -> Selection:
    return Selection(
        services=_ids(body, "serviceIds", path),
        categories=_ids(body, "categoryIds", path),
        excluded_services=_ids(body, "excludedServiceIds", path),
        excluded_categories=_ids(body, "excludedCategoryIds", path),
    )


def _buy_get(body: Body) -> BuyGet:
    get = body.get("get")
    return BuyGet(
        buy_quantity=body.get("buyQuantity", 0),
        buy_amount=_money(body, "buyAmount", "buyGet.") or 0,
        get_quantity=body.get("getQuantity", 1),
        rate_bp=basis_points(body.get("percent", 100), "buyGet.percent"),
        get=None if get is None else _selection(get, "buyGet.get."),
        pick=_one_of(Pick, body.get("pick", "cheapest"), "buyGet.pick"),
        max_groups=body.get("maxGroups"),
    )


def _bundle(body: Body, price: int) -> Bundle:
    return Bundle(
        price=price,
        parts=tuple(
            BundlePart(
                selection=_selection(part, f"bundle.parts.{place}."),
                quantity=part.get("quantity", 1),
            )
            for place, part in enumerate(body["parts"])
        ),
        max_groups=body.get("maxGroups"),
    )


def _tiers(bodies: Sequence[Body]) -> tuple[SpendTier, ...]:
    return tuple(
        SpendTier(
            threshold=paise(tier["from"], f"tiers.{place}.from"),
            rate_bp=basis_points(tier.get("percent") or 0, f"tiers.{place}.percent"),
            amount=paise(tier.get("amount") or 0, f"tiers.{place}.amount"),
        )
        for place, tier in enumerate(bodies)
    )


def _timetable(body: Body) -> Timetable:
    starts, ends = body.get("startsAt"), body.get("endsAt")
    first, last = body.get("validFrom"), body.get("validUntil")
    return Timetable(
        starts=dt.datetime.fromisoformat(starts)
        if starts
        else (start_of(dt.date.fromisoformat(first)) if first else None),
        ends=dt.datetime.fromisoformat(ends)
        if ends
        else (end_of(dt.date.fromisoformat(last)) if last else None),
        hours=tuple(
            HourWindow(
                start=_minute(window["from"]) % MINUTES_A_DAY,
                until=_minute(window["until"]),
                weekdays=frozenset(Weekday[day.upper()] for day in window["weekdays"])
                if window.get("weekdays")
                else EVERY_DAY,
            )
            for window in body.get("hours", ())
        ),
        blackouts=tuple(
            DateSpan(
                first=dt.date.fromisoformat(span["from"]),
                last=dt.date.fromisoformat(span["until"]),
            )
            for span in body.get("blackouts", ())
        ),
    )


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def _audience(body: Body) -> Audience:
    segments = _ids(body, "segmentIds")
    if body.get("segmentId"):
        segments |= {body["segmentId"]}
    return Audience(
        segments=segments,
        excluded_segments=_ids(body, "excludedSegmentIds"),
        tiers=_ids(body, "loyaltyTiers"),
        nth_visit=1 if body.get("firstVisitOnly") else body.get("nthVisit"),
    )


def _thresholds(body: Body) -> Thresholds:
    requires = body.get("requires")
    return Thresholds(
        min_amount=_money(body, "minOrderAmount"),
        max_amount=_money(body, "maxOrderAmount"),
        basis=_one_of(Basis, body.get("amountBasis", "list"), "amountBasis"),
        measure=_one_of(Measure, body.get("amountOf", "bill"), "amountOf"),
        min_quantity=body.get("minQuantity") or 0,
        requires=None if requires is None else _selection(requires, "requires."),
        requires_quantity=1 if requires is None else requires.get("quantity", 1),
    )


def _limits(body: Body, *, automatic: bool) -> Limits:
    return Limits(
        total=body.get("maxTotalUses"),
        per_customer=body.get("maxUsesPerCustomer", None if automatic else 1),
        per_branch=body.get("maxUsesPerBranch"),
        per_period=body.get("maxUsesPerPeriod"),
        period=_one_of(Period, body.get("usePeriod", "month"), "usePeriod"),
        budget=_money(body, "budget"),
        budget_policy=_one_of(BudgetPolicy, body.get("budgetPolicy", "reject"), "budgetPolicy"),
    )


def _combining(body: Body) -> Combining:
    default = "item" if body.get("allowStacking") else "none"
    allowed = body.get("combinesWith")
    return Combining(
        stacking=_one_of(Stacking, body.get("stacking", default), "stacking"),
        priority=body.get("priority", 0),
        tags=_ids(body, "tags"),
        combines_with=None if allowed is None else frozenset(allowed),
    )


def _ids(body: Body, name: str, path: str = "") -> frozenset[str]:
    found = body.get(name) or ()
    if isinstance(found, str):
        raise WireError(path + name, "a list is needed")
    return frozenset(found)


def _money(body: Body, name: str, path: str = "") -> int | None:
    value = body.get(name)
    return None if value is None else paise(value, path + name)


def _one_of(kind: type[E_], value: object, path: str) -> E_:
    try:
        return kind(value)
    except ValueError as error:
        raise WireError(path, f"{value!r} is not one of the choices") from error


def _hundredths(value: object, path: str) -> int:
    try:
        exact = Decimal(str(value)) * 100
    except InvalidOperation as error:
        raise WireError(path, f"{value!r} is no number") from error
    if not exact.is_finite() or exact != int(exact):
        raise WireError(path, f"{value!r} has more than two places")
    return int(exact)
