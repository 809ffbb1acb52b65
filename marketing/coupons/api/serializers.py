"""Answers about offers, and what else is sent in."""

import datetime as dt
from decimal import Decimal

from rest_framework import serializers

from marketing.core.drf.serializers import ApiSerializer
from marketing.coupons.api.fields import MOST_NUMBER, ids, money, rows, whole
from marketing.coupons.api.offer_inputs import COUPON_KINDS, OfferInput
from marketing.coupons.models import CodeBatch, CounterSettings, CouponCode, Redemption
from marketing.coupons.pricing.validity import InvalidReason
from marketing.coupons.pricing.wire import rupees
from marketing.coupons.revocation import revoked_since
from marketing.coupons.services.batches import MORE_SYMBOLS, MOST, SYMBOLS


class CouponOutput(ApiSerializer):
    """Module 11's Coupon; `currentUses` counts live reservations where the coupon has a limit."""

    id = serializers.UUIDField()
    tenant_id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    discount_type = serializers.ChoiceField(COUPON_KINDS)
    discount_value = money()
    free_service_id = serializers.UUIDField(allow_null=True)
    valid_from = serializers.DateField(allow_null=True)
    valid_until = serializers.DateField(allow_null=True)
    max_total_uses = whole()
    max_uses_per_customer = whole()
    current_uses = serializers.IntegerField()
    min_order_amount = money()
    max_discount_amount = money()
    branch_ids = ids()
    service_ids = ids()
    category_ids = ids()
    segment_id = serializers.UUIDField(allow_null=True)
    allow_stacking = serializers.BooleanField()
    is_active = serializers.BooleanField()
    campaign_id = serializers.UUIDField(allow_null=True)
    currency = serializers.CharField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    created_by = serializers.UUIDField(allow_null=True)


class CouponAnswer(ApiSerializer):
    coupon = CouponOutput()


class OfferOutput(OfferInput):
    """An offer with what its editor said; what is left to its default is not named."""

    id = serializers.UUIDField()
    tenant_id = serializers.UUIDField()
    current_uses = serializers.IntegerField()
    currency = serializers.CharField()
    revision = serializers.IntegerField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    created_by = serializers.UUIDField(allow_null=True)


class OfferAnswer(ApiSerializer):
    offer = OfferOutput()


class RedemptionOutput(ApiSerializer):
    """Module 11's CouponRedemption; `returnedAmount` came back with refunds."""

    id = serializers.UUIDField()
    tenant_id = serializers.UUIDField()
    coupon_id = serializers.UUIDField(source="offer_id")
    customer_id = serializers.UUIDField(allow_null=True)
    invoice_id = serializers.CharField()
    branch_id = serializers.UUIDField()
    code = serializers.CharField(source="code.code", default="")
    discount_amount = serializers.SerializerMethodField(method_name="given")
    returned_amount = serializers.SerializerMethodField(method_name="came_back")
    state = serializers.ChoiceField(Redemption.State.choices)
    redeemed_at = serializers.DateTimeField()

    def given(self, redemption: Redemption) -> str:
        return rupees(redemption.amount)

    def came_back(self, redemption: Redemption) -> str:
        return rupees(redemption.returned)


class ValidateLine(ApiSerializer):
    service_id = serializers.CharField(max_length=100)
    category_id = serializers.CharField(max_length=100, required=False, allow_blank=True)
    quantity = whole(allow_null=False)
    unit_price = money(required=True, allow_null=False)
    manual_discount = money(allow_null=False)


class ValidateInput(ApiSerializer):
    """Module 11's request; `lines` say more and then count instead of `orderAmount`."""

    code = serializers.CharField(max_length=100)
    customer_id = serializers.UUIDField()
    branch_id = serializers.UUIDField()
    service_ids = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, max_length=500
    )
    order_amount = money(required=True, allow_null=False)
    lines = rows(ValidateLine(), 500, required=False)


class ValidationReasonOutput(ApiSerializer):
    """A reason's `code` with its numbers beside it; money is in rupees."""

    code = serializers.CharField()


class ValidateAnswer(ApiSerializer):
    valid = serializers.BooleanField()
    coupon = CouponOutput(required=False)
    discount_amount = money()
    currency = serializers.CharField()
    invalid_reason = serializers.ChoiceField(
        [each.value for each in InvalidReason], required=False, allow_null=True
    )
    reasons = ValidationReasonOutput(many=True)


class CodesInput(ApiSerializer):
    """`count` codes `PREFIX-XXX-XXX-XXX` of so many random symbols and a check symbol."""

    count = serializers.IntegerField(min_value=1, max_value=MOST)
    prefix = serializers.CharField(required=False, allow_blank=True, max_length=40, default="")
    name = serializers.CharField(required=False, allow_blank=True, max_length=100, default="")
    symbols = serializers.ChoiceField([SYMBOLS, MORE_SYMBOLS], required=False, default=SYMBOLS)
    max_uses = whole(default=1)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class BatchOutput(ApiSerializer):
    """`made` of `count` codes exist by now."""

    id = serializers.UUIDField()
    offer_id = serializers.UUIDField()
    name = serializers.CharField()
    prefix = serializers.CharField()
    symbols = serializers.IntegerField()
    count = serializers.IntegerField()
    made = serializers.IntegerField()
    state = serializers.ChoiceField(CodeBatch.State.choices)
    max_uses = serializers.IntegerField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class BatchAnswer(ApiSerializer):
    batch = BatchOutput()


class CouponCodeOutput(ApiSerializer):
    """`maxUses` null leaves the uses to the offer; then `used` is not counted here."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    batch_id = serializers.UUIDField(allow_null=True)
    customer_id = serializers.UUIDField(allow_null=True)
    max_uses = serializers.IntegerField(allow_null=True)
    used = serializers.IntegerField()
    reserved = serializers.IntegerField()
    expires_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.SerializerMethodField("get_revoked_at")
    created_at = serializers.DateTimeField()

    def get_revoked_at(self, code: CouponCode) -> dt.datetime | None:
        return revoked_since(code)


class SettingsFields(ApiSerializer):
    """How bills are priced. `maxBillDiscount` caps all offers of a bill together.

    `pricesIncludeTax` is where bills of the counter's page begin; bills over HTTP say for
    themselves.
    """

    tax_rounding = serializers.ChoiceField(CounterSettings.TaxRounding.choices)
    choice = serializers.ChoiceField(CounterSettings.Choice.choices)
    max_bill_discount = money(min_value=Decimal("0.01"))
    compared = serializers.IntegerField(min_value=1, max_value=12)
    stack_size = serializers.IntegerField(min_value=1, max_value=4)
    max_codes = serializers.IntegerField(min_value=0, max_value=20)
    prices_include_tax = serializers.BooleanField()


class SettingsPatch(SettingsFields):
    version = serializers.IntegerField(required=False, min_value=1, max_value=MOST_NUMBER)


class SettingsOutput(SettingsFields):
    version = serializers.IntegerField()


class SettingsAnswer(ApiSerializer):
    settings = SettingsOutput()
