"""Offers and coupons as they are sent in."""

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from marketing.core.drf.serializers import ApiSerializer, camel_case
from marketing.coupons.api.fields import (
    MOST_NUMBER,
    FromSerializer,
    MinuteField,
    WallClockField,
    choice,
    flag,
    ids,
    money,
    percent,
    rows,
    whole,
    words,
)
from marketing.coupons.models import OfferKind, UsePeriod
from marketing.coupons.pricing import terms

# Module 11's `DiscountType`.
COUPON_KINDS = (OfferKind.PERCENTAGE, OfferKind.FLAT, OfferKind.FREE_SERVICE)


class SelectionFields(ApiSerializer):
    service_ids = ids()
    category_ids = ids()
    excluded_service_ids = ids()
    excluded_category_ids = ids()


class RequiresFields(SelectionFields):
    quantity = whole(allow_null=False)


class BuyGetFields(ApiSerializer):
    """Buy so many, or for so much, get others at `percent` off; no `get`: of the same services."""

    buy_quantity = whole(min_value=0, allow_null=False)
    buy_amount = money()
    get_quantity = whole(allow_null=False)
    percent = percent(allow_null=False)
    get = SelectionFields(required=False, allow_null=True)
    pick = choice(terms.Pick)
    max_groups = whole()


class PartFields(SelectionFields):
    quantity = whole(allow_null=False)


class BundleFields(ApiSerializer):
    parts = rows(PartFields(), 20)
    max_groups = whole()


class TierFields(FromSerializer):
    from_ = money(required=True, allow_null=False)
    percent = percent()
    amount = money()


class HoursFields(FromSerializer):
    from_ = MinuteField(max_length=5)
    until = MinuteField(max_length=5)
    weekdays = serializers.ListField(
        child=serializers.ChoiceField([day.name.lower() for day in terms.Weekday]),
        required=False,
        allow_null=True,
        max_length=7,
    )


class SpanFields(FromSerializer):
    """Whole days, both included."""

    from_ = serializers.DateField()
    until = serializers.DateField()


class CouponInput(ApiSerializer):
    """Module 11's coupon. Without `code` one is made."""

    code = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=100)
    name = serializers.CharField(max_length=100)
    description = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    discount_type = serializers.ChoiceField(COUPON_KINDS)
    discount_value = money(required=False)
    free_service_id = serializers.UUIDField(required=False, allow_null=True)
    valid_from = serializers.DateField()
    valid_until = serializers.DateField()
    max_total_uses = whole()
    max_uses_per_customer = whole(allow_null=False)
    min_order_amount = money()
    max_discount_amount = money()
    branch_ids = ids()
    service_ids = ids()
    category_ids = ids()
    segment_id = serializers.UUIDField(required=False, allow_null=True)
    allow_stacking = flag()
    is_active = flag()
    campaign_id = serializers.UUIDField(required=False, allow_null=True)

    def validate(self, attrs: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.partial:
            return attrs
        if attrs["discount_type"] != OfferKind.FREE_SERVICE and attrs.get("discount_value") is None:
            raise serializers.ValidationError({"discountValue": ["This field is required."]})
        if attrs["valid_until"] < attrs["valid_from"]:
            raise serializers.ValidationError({"validUntil": ["Not before validFrom."]})
        return attrs


class CouponPatch(CouponInput):
    version = serializers.IntegerField(required=False, min_value=1, max_value=MOST_NUMBER)


class OfferInput(CouponInput):
    """Any offer. With `code` everybody may type it, with `automatic` nobody need; else it goes by
    the codes made for it.
    """

    discount_type = serializers.ChoiceField(OfferKind.choices)
    valid_from = serializers.DateField(required=False, allow_null=True)
    valid_until = serializers.DateField(required=False, allow_null=True)
    starts_at = WallClockField(required=False, allow_null=True, max_length=30)
    ends_at = WallClockField(required=False, allow_null=True, max_length=30)
    max_uses_per_customer = whole()
    automatic = flag()
    reusable_after_cancel = flag()
    scope = choice(terms.Scope)
    weights = choice(terms.Weights)
    free_units = whole()
    buy_get = BuyGetFields(required=False, allow_null=True)
    bundle = BundleFields(required=False, allow_null=True)
    tiers = rows(TierFields(), 20, required=False, allow_null=True)
    excluded_service_ids = ids()
    excluded_category_ids = ids()
    skip_discounted = flag()
    skip_addons = flag()
    group_by = choice(terms.GroupBy)
    hours = rows(HoursFields(), 50, required=False, allow_null=True)
    blackouts = rows(SpanFields(), 100, required=False, allow_null=True)
    excluded_branch_ids = ids()
    segment_ids = ids()
    excluded_segment_ids = ids()
    loyalty_tiers = words()
    first_visit_only = flag()
    nth_visit = whole()
    max_order_amount = money()
    amount_basis = choice(terms.Basis)
    amount_of = choice(terms.Measure)
    min_quantity = whole(min_value=0)
    requires = RequiresFields(required=False, allow_null=True)
    max_discount_per_line = money()
    floor_price = money()
    max_uses_per_branch = whole()
    max_uses_per_period = whole()
    use_period = choice(UsePeriod)
    budget = money(max_digits=12)
    budget_policy = choice(terms.BudgetPolicy)
    stacking = choice(terms.Stacking)
    priority = serializers.IntegerField(required=False, min_value=-1_000_000, max_value=1_000_000)
    tags = words()
    combines_with = words()

    def validate(self, attrs: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a coupon must say, an offer need not."""
        return attrs


class OfferPatch(OfferInput):
    version = serializers.IntegerField(required=False, min_value=1, max_value=MOST_NUMBER)


def wire_body(values: Mapping[str, Any]) -> dict[str, Any]:
    """What was validated, in the names and spellings of `pricing.wire`."""
    return {camel_case(name.rstrip("_")): _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return wire_body({name: each for name, each in value.items() if each is not None})
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Decimal | uuid.UUID):
        return str(value)
    return value.isoformat() if isinstance(value, dt.date) else value
