"""What rules ask about offers: which she took, when, how often and for how much, what she holds."""

from typing import Any

from django.db.models import (
    BigIntegerField,
    DecimalField,
    ExpressionWrapper,
    F,
    Q,
    QuerySet,
    Value,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from marketing.coupons.held import OpenCodes, open_code
from marketing.coupons.models import CouponCode, Offer, Redemption
from marketing.segments import behaviours
from marketing.segments.behaviours import Behaviour
from marketing.segments.customer_behaviours import branches
from marketing.segments.fields import Label, SegmentField, register
from marketing.segments.sources import Column, Computed, Related
from marketing.segments.value_types import Choice, DaysAgo, Money, Several

OFFERS = _("Offers")
# What was given back in full is as if it had never been.
TAKEN = ~Q(state=Redemption.State.REVERSED)


def register_segment_fields() -> None:
    """Called once, while apps are loaded."""
    register(
        SegmentField(
            "offers_used",
            _("Offers used"),
            Several(),
            Related(Redemption, "offer_id", TAKEN, copy="offers_used"),
            OFFERS,
            choices=_offers,
            phrases={"is_set": _("has used an offer"), "not_set": _("has never used an offer")},
        ),
        SegmentField(
            "last_offer_days",
            _("Last use of an offer"),
            DaysAgo(),
            Column("facts__last_offer_at"),
            OFFERS,
            sample=30,
            phrases={"is_set": _("has used an offer"), "not_set": _("has never used an offer")},
        ),
        SegmentField(
            "unused_offer_codes",
            _("Offers with an unused code"),
            Several(lapses=True),
            OpenCodes(CouponCode, "offer_id", open_code()),
            OFFERS,
            choices=_offers,
            phrases={
                "is_set": _("has a code that can be used"),
                "not_set": _("has no code that can be used"),
            },
        ),
        *(
            SegmentField(name, label, Money(), Column(f"facts__{name}"), OFFERS, sample=500)
            for name, label in (
                ("discount_90_days", _("Discount in the last 90 days")),
                ("discount_365_days", _("Discount in the last 365 days")),
            )
        ),
    )
    behaviours.register(
        Behaviour(
            "offer",
            _("Offers used"),
            _("number of offers used"),
            _uses,
            lambda moment: Q(redeemed_at__gte=moment),
            "-redeemed_at",
            [
                SegmentField("offer", _("Offer"), Choice(), Column("offer_id"), choices=_offers),
                SegmentField(
                    "branch", _("Branch"), Choice(), Column("branch_id"), choices=branches
                ),
                SegmentField("discount", _("Discount"), Money(), Computed(_given()), sample=100),
            ],
        )
    )


def _offers() -> list[tuple[str, Label]]:
    return [(str(pk), name) for pk, name in Offer.objects.order_by("-id").values_list("pk", "name")]


def _uses() -> QuerySet[Any]:
    return Redemption.objects.filter(TAKEN, customer__isnull=False)


def _given() -> Combinable:
    """Rupees of a use that were not given back."""
    rupees = DecimalField(max_digits=14, decimal_places=2)
    paise = ExpressionWrapper(F("amount") - F("returned"), output_field=BigIntegerField())
    return ExpressionWrapper(Cast(paise, rupees) / Value(100), output_field=rupees)
