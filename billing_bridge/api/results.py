"""What the counter is told, for the schema: `answers` writes it, without a serializer's cost."""

from typing import Any

from rest_framework import serializers

from marketing.core.drf.serializers import ApiSerializer
from marketing.coupons.models import Reservation
from marketing.coupons.pricing.answer import Optimality, UnlockKind, Verdict

A_BILL = {
    "branchId": "01982f6e-7c4b-7a10-8a53-0242ac120002",
    "customerPhone": "+919876543210",
    "lines": [
        {"serviceExternalId": "HAIRCUT", "unitPrice": "850.00", "taxRate": "18"},
        {"serviceExternalId": "SPA-60", "quantity": 2, "unitPrice": "1200.00", "taxRate": "18"},
    ],
    "codes": ["DIWALI-7QK-9MX-4TZ"],
    "points": {"use": 200},
}
AN_INVOICE = {
    "branchId": "01982f6e-7c4b-7a10-8a53-0242ac120002",
    "customerPhone": "+919876543210",
    "invoiceId": "MUM/2026/1187",
    "reservationId": "01982f6f-0000-7a10-8a53-0242ac120002",
    "finalizedAt": "2026-10-28T12:05:00+05:30",
    "lines": [
        {
            "serviceExternalId": "HAIRCUT",
            "unitPrice": "850.00",
            "discount": "85.00",
            "taxRate": "18",
        }
    ],
    "total": "765.00",
    "payments": [{"method": "upi", "amount": "765.00"}],
}
A_REFUND = {
    "branchId": "01982f6e-7c4b-7a10-8a53-0242ac120002",
    "refundId": "CN-17",
    "lines": [{"number": 1, "quantity": 1}],
}

MONEY = "Rupees, two places."


def money(**options: Any) -> serializers.CharField:
    return serializers.CharField(help_text=MONEY, **options)


class ReasonOutput(ApiSerializer):
    """Its numbers stand beside the code: `need`, `have`, `shortBy`, `limit`, `resetsAt` …"""

    code = serializers.CharField()


class UnlockOutput(ApiSerializer):
    kind = serializers.ChoiceField([kind.value for kind in UnlockKind])
    amount = money(required=False)
    quantity = serializers.IntegerField(required=False)
    service_ids = serializers.ListField(child=serializers.CharField(), required=False)
    category_ids = serializers.ListField(child=serializers.CharField(), required=False)
    at = serializers.DateTimeField(required=False)


class ShareOutput(ApiSerializer):
    number = serializers.IntegerField()
    amount = money()
    units = serializers.ListField(child=money())


class GivenOutput(ApiSerializer):
    offer_id = serializers.UUIDField()
    code = serializers.CharField(allow_null=True)
    amount = money()
    lines = ShareOutput(many=True)


class AppliedOutput(GivenOutput):
    name = serializers.CharField()


class CandidateOutput(ApiSerializer):
    """`saving` is what it gives here if applied, else what it would give alone."""

    offer_id = serializers.UUIDField()
    name = serializers.CharField()
    code = serializers.CharField(allow_null=True)
    verdict = serializers.ChoiceField([verdict.value for verdict in Verdict])
    saving = money()
    reasons = ReasonOutput(many=True)
    beaten_by = serializers.ListField(child=serializers.UUIDField())
    behind_by = money()
    unlock = UnlockOutput(many=True)


class CodeOutput(ApiSerializer):
    code = serializers.CharField()
    verdict = serializers.ChoiceField([verdict.value for verdict in Verdict])
    offer_id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()
    reasons = ReasonOutput(many=True)


class LineOutput(ApiSerializer):
    number = serializers.IntegerField()
    listed = money()
    manual_discount = money()
    discount = money()
    points_discount = money()
    net = money()
    tax_rate = serializers.CharField(allow_null=True)
    taxable = money()
    cgst = money()
    sgst = money()
    total = money()


class TaxOutput(ApiSerializer):
    tax_rate = serializers.CharField()
    taxable = money()
    cgst = money()
    sgst = money()


class QuoteOutput(ApiSerializer):
    quote_hash = serializers.CharField()
    engine = serializers.CharField()
    optimality = serializers.ChoiceField([each.value for each in Optimality])
    compared_sets = serializers.IntegerField()
    currency = serializers.CharField()
    listed = money()
    manual_discount = money()
    discount = money()
    points_discount = money()
    net = money()
    tax = money()
    total = money()
    tender = money()
    payable = money()
    lines = LineOutput(many=True)
    taxes = TaxOutput(many=True)
    applied = AppliedOutput(many=True)
    candidates = CandidateOutput(many=True)
    codes = CodeOutput(many=True)


class ToldAnswer(ApiSerializer):
    """What points and referrals say of the bill; left out where they have nothing to say."""

    points = serializers.DictField(required=False)
    referral = serializers.DictField(required=False)


class QuoteAnswer(ToldAnswer):
    quote = QuoteOutput()


class ReservationOutput(ApiSerializer):
    id = serializers.UUIDField()
    key = serializers.CharField()
    state = serializers.ChoiceField(Reservation.State.choices)
    quote_hash = serializers.CharField()
    invoice_id = serializers.CharField(allow_null=True)
    discount = money()
    payable = money()
    reserved_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class ReservationAnswer(ApiSerializer):
    reservation = ReservationOutput()


class ReservedAnswer(QuoteAnswer):
    reservation = ReservationOutput()


class RedeemedAnswer(ToldAnswer):
    reservation = ReservationOutput()
    offers = GivenOutput(many=True)


class WarningOutput(ApiSerializer):
    code = serializers.CharField()
    message = serializers.CharField()
    details = serializers.DictField()


class InvoiceOutput(ApiSerializer):
    invoice_id = serializers.CharField()
    branch_id = serializers.UUIDField()
    reservation_id = serializers.UUIDField()
    purchase_id = serializers.UUIDField(allow_null=True)
    customer_id = serializers.UUIDField(allow_null=True)
    total = money()
    offers_discount = money()
    offers = GivenOutput(many=True)
    warnings = WarningOutput(many=True)


class InvoiceAnswer(ToldAnswer):
    invoice = InvoiceOutput()


class RefundLineOutput(ApiSerializer):
    number = serializers.IntegerField()
    quantity = serializers.IntegerField()
    amount = money()


class GivenBackOutput(ApiSerializer):
    offer_id = serializers.UUIDField()
    given_back = money()


class RefundOutput(ApiSerializer):
    """`amount` is what the lines were worth, `money` what of it is to be paid out.

    `refundId` is another one's where the bill had come back in full before, null for a void.
    """

    invoice_id = serializers.CharField()
    branch_id = serializers.UUIDField()
    refund_id = serializers.CharField(allow_null=True)
    amount = money()
    money = money()
    lines = RefundLineOutput(many=True)
    offers = GivenBackOutput(many=True)


class RefundAnswer(ToldAnswer):
    refund = RefundOutput()
