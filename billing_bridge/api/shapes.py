"""Bills as the counter sends them; what is not named here is refused."""

import datetime as dt
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from marketing.core.drf.serializers import ApiSerializer
from marketing.core.templatetags.formats import format_number
from marketing.coupons.pricing.bill import CodesPolicy
from marketing.coupons.pricing.bill_check import MOST_CODES, MOST_LINES, MOST_UNITS
from marketing.coupons.pricing.faults import HIGHEST
from marketing.loyalty.rules import MAX_POINTS
from marketing.referrals.services import LONGEST_TOKEN

HIGHEST_RUPEES = HIGHEST // 100
HIGHEST_ROUNDING = 100
# Tax on top is no more than what it is on.
HIGHEST_PAID = 2 * HIGHEST_RUPEES + HIGHEST_ROUNDING
# With its branch before it, it still fits the column that it is found by.
LONGEST_INVOICE_ID = 60
LONGEST_REFUND_ID = 90
LONGEST_CODE = 50


def money(**options: Any) -> serializers.DecimalField:
    """Rupees, two places at most, nothing below zero."""
    return serializers.DecimalField(
        **{
            "max_digits": 12,
            "decimal_places": 2,
            "min_value": 0,
            "max_value": HIGHEST_RUPEES,
            **options,
        }
    )


class MomentField(serializers.DateTimeField):
    """A time with its zone: without one, an evening's bill would count for another day."""

    default_error_messages = {"naive": "Say the time's zone: Z, or +05:30."}

    def enforce_timezone(self, value: dt.datetime) -> dt.datetime:
        if timezone.is_naive(value):
            self.fail("naive")
        return super().enforce_timezone(value)


class LineInput(ApiSerializer):
    """`serviceId` is ours, `serviceExternalId` the billing system's own: one of them is needed."""

    number = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST_UNITS, help_text="Its place, unless given."
    )
    service_id = serializers.UUIDField(required=False)
    service_external_id = serializers.CharField(required=False, max_length=100)
    category_id = serializers.UUIDField(
        required=False, help_text="The service's own; another one is refused."
    )
    quantity = serializers.IntegerField(default=1, min_value=1, max_value=MOST_UNITS)
    unit_price = money()
    manual_discount = money(default=0, help_text="Given by hand, of the whole line.")
    floor_price = money(default=0)
    tax_rate = serializers.DecimalField(
        max_digits=5,
        decimal_places=2,
        min_value=0,
        max_value=100,
        required=False,
        allow_null=True,
        help_text="The service's own, unless given.",
    )
    performed_on = serializers.DateField(required=False, allow_null=True)
    is_addon = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("service_id" in attrs) == ("service_external_id" in attrs):
            message = "Name the service by its id, or by your own."
            raise serializers.ValidationError({"serviceId": [message]})
        return attrs


class PointsInput(ApiSerializer):
    use = serializers.JSONField(help_text="How many points, or `max` for as many as she may.")

    def validate_use(self, value: Any) -> Any:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if value == "max" or (is_number and 1 <= value <= MAX_POINTS):
            return value
        most = format_number(MAX_POINTS)
        raise serializers.ValidationError(f"A whole number from 1 to {most}, or max.")


class ReferralInput(ApiSerializer):
    code = serializers.CharField(max_length=LONGEST_CODE)


class BillInput(ApiSerializer):
    """The customer by one of three names; without any the bill is of nobody known."""

    branch_id = serializers.UUIDField(
        required=False, help_text="Not needed by a key of one branch."
    )
    customer_id = serializers.UUIDField(required=False, allow_null=True)
    customer_phone = serializers.CharField(required=False, max_length=40)
    customer_external_id = serializers.CharField(required=False, max_length=100)
    lines = LineInput(many=True, help_text=f"At most {MOST_LINES}.")
    codes = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_CODE), default=list, max_length=MOST_CODES
    )
    codes_policy = serializers.ChoiceField(
        [policy.value for policy in CodesPolicy], default=CodesPolicy.PARTIAL.value
    )
    prices_include_tax = serializers.BooleanField(default=True)
    points = PointsInput(required=False)
    referral = ReferralInput(required=False)


class QuoteInput(BillInput):
    at = MomentField(required=False, help_text="The till's clock.")


class ReserveInput(QuoteInput):
    key = serializers.CharField(
        max_length=100, help_text="The till's name for the bill; the same again renews it."
    )
    quote_hash = serializers.CharField(required=False, max_length=64)


class NothingInput(ApiSerializer):
    pass


class RedeemInput(ApiSerializer):
    invoice_id = serializers.CharField(max_length=LONGEST_INVOICE_ID)


class InvoiceLineInput(LineInput):
    discount = money(default=0, help_text="What offers and points took off the whole line.")
    staff_id = serializers.UUIDField(required=False, allow_null=True)


class PaymentInput(ApiSerializer):
    method = serializers.CharField(
        max_length=30, help_text="As you call it; what `wallet` pays earns no points."
    )
    amount = money(max_value=HIGHEST_PAID)


def token(help_text: str) -> serializers.CharField:
    """Opaque: compared with others' by referrals, kept as a keyed hash alone."""
    return serializers.CharField(
        max_length=LONGEST_TOKEN,
        required=False,
        allow_blank=True,
        write_only=True,
        help_text=f"{help_text} Opaque, kept only as a keyed hash.",
    )


class InvoiceInput(BillInput):
    invoice_id = serializers.CharField(max_length=LONGEST_INVOICE_ID)
    invoice_number = serializers.CharField(
        required=False, max_length=50, help_text="What is printed, where that is another."
    )
    finalized_at = MomentField(required=False)
    reservation_id = serializers.UUIDField(required=False, allow_null=True)
    lines = InvoiceLineInput(many=True, help_text=f"At most {MOST_LINES}.")
    total = money(max_value=HIGHEST_PAID, help_text="What she paid, tax included.")
    tax = money(required=False)
    rounding = money(default=0, min_value=-HIGHEST_ROUNDING, max_value=HIGHEST_ROUNDING)
    payments = PaymentInput(many=True, required=False)
    instrument_token = token("What the payment provider calls her card or account by.")
    device_token = token("Of a bill that was booked online: what her device is known by.")


class RefundLineInput(ApiSerializer):
    number = serializers.IntegerField(min_value=1, max_value=MOST_UNITS)
    quantity = serializers.IntegerField(default=1, min_value=1, max_value=MOST_UNITS)


class RefundInput(ApiSerializer):
    branch_id = serializers.UUIDField(required=False)
    refund_id = serializers.CharField(
        max_length=LONGEST_REFUND_ID, help_text="The till's name for this refund."
    )
    lines = RefundLineInput(
        many=True, required=False, help_text="Left out: all that is left of the bill."
    )
    refunded_at = MomentField(required=False)


class VoidInput(ApiSerializer):
    branch_id = serializers.UUIDField(required=False)
