"""What coupons keep of a person: moved in a merge, shown to her, blanked when she is erased."""

from typing import Any

from customers.merging import Holding, Merge, move_rows, restore_rows
from customers.models import Customer
from marketing.core import clock
from marketing.coupons.models import CouponCode, Hold, Redemption
from marketing.coupons.services.counters import recount_customers

REDEMPTION = (
    "offer__name",
    "code__code",
    "invoice_id",
    "amount",
    "returned",
    "state",
    "redeemed_at",
)
CODE = ("code", "offer__name", "max_uses", "used", "expires_at", "revoked_at", "created_at")


def export_coupons(customer: Customer) -> dict[str, Any]:
    """Her codes and redemptions, oldest first; amounts in paise."""
    return {
        "codes": list(CouponCode.objects.filter(customer=customer).order_by("pk").values(*CODE)),
        "redemptions": list(
            Redemption.objects.filter(customer=customer).order_by("pk").values(*REDEMPTION)
        ),
    }


def erase_coupons(customer: Customer) -> None:
    """Her codes open nothing any more; that bills had their discounts is kept for the books."""
    CouponCode.objects.filter(customer=customer, revoked_at=None).update(revoked_at=clock.now())


def _moving(model: type[CouponCode] | type[Hold] | type[Redemption], *, counted: bool) -> Holding:
    def move(merge: Merge) -> Any:
        where = (
            # A batch gives each person one code; the other one's stays with who is merged.
            "(batch_id IS NULL OR NOT EXISTS (SELECT FROM coupons_couponcode own"
            " WHERE own.customer_id = %(survivor)s"
            " AND own.batch_id = coupons_couponcode.batch_id))"
            if model is CouponCode
            else "true"
        )
        moved = move_rows(model, merge, where=where)
        if counted:
            recount_customers([merge.survivor, merge.merged])
        return moved

    def restore(merge: Merge, moved: Any) -> None:
        restore_rows(model, merge, moved)
        if counted:
            recount_customers([merge.survivor, merge.merged])

    return Holding(model._meta.label, move, restore)


HOLDINGS = (
    _moving(CouponCode, counted=False),
    _moving(Hold, counted=True),
    _moving(Redemption, counted=True),
)
