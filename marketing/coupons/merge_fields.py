"""What messages may say of the offer that is sent with them."""

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from marketing.content.merge_fields import DATE, MergeField, register
from marketing.coupons.models import CouponCode

COUPON_CODE, OFFER_NAME, OFFER_VALID_UNTIL = "coupon_code", "offer_name", "offer_valid_until"
OFFER_FIELDS = (COUPON_CODE, OFFER_NAME, OFFER_VALID_UNTIL)


def register_merge_fields() -> None:
    """Called once, while apps are loaded."""
    register(
        MergeField(
            COUPON_CODE,
            _("Coupon code"),
            None,
            "GIFT-SAM-PLE-000",
            is_given=True,
            personal=_own_code,
        ),
        MergeField(OFFER_NAME, _("Offer"), None, "20% off", is_given=True),
        MergeField(
            OFFER_VALID_UNTIL,
            _("Offer valid until"),
            None,
            "2026-12-31",
            DATE,
            is_given=True,
        ),
    )


def _own_code(batch_id: str) -> Subquery:
    """Her code of this batch."""
    codes: QuerySet[CouponCode] = QuerySet(CouponCode).filter(
        tenant_id=OuterRef("tenant_id"), batch_id=batch_id, customer_id=OuterRef("pk")
    )
    return Subquery(codes.values("code")[:1])
