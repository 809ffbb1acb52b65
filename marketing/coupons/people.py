"""What coupons keep of a person: moved in a merge, shown to her, blanked when she is erased."""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Least, TruncDate
from django.utils.translation import gettext as _

from customers.merging import Holding, Merge, move_rows, restore_rows
from customers.models import Customer
from customers.timeline import TimelineEntry
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant
from marketing.coupons.models import CouponCode, Hold, Redemption
from marketing.coupons.revocation import IN_FORCE, revoked_at
from marketing.coupons.services.recounting import recount_customers

CHUNK = 100
PANEL_ROWS = 5
REDEMPTION = (
    "offer__name",
    "code__code",
    "invoice_id",
    "amount",
    "returned",
    "state",
    "redeemed_at",
)
CODE = ("code", "offer__name", "max_uses", "used", "expires_at", "created_at")


def coupons_of_customer(actor: Actor, customer: Customer) -> dict[str, Any]:
    """The card on the customer's page: codes that open something today, and what she used."""
    return {
        "codes": list(open_codes(customer)[:PANEL_ROWS]),
        "used": list(_uses(customer).order_by("-redeemed_at", "-id")[:PANEL_ROWS]),
    }


def codes_timeline(customer: Customer, actor: Actor) -> Iterator[TimelineEntry]:
    """Codes she was given, newest first."""
    del actor
    given = CouponCode.objects.filter(customer=customer).select_related("offer")
    yield from map(_given, given.order_by("-created_at", "-id").iterator(chunk_size=CHUNK))


def uses_timeline(customer: Customer, actor: Actor) -> Iterator[TimelineEntry]:
    """Offers she used, newest first."""
    del actor
    used = _uses(customer).order_by("-redeemed_at", "-id")
    yield from map(_used, used.iterator(chunk_size=CHUNK))


def open_codes(customer: Customer) -> QuerySet[CouponCode]:
    """Her own codes that open their offers today, the latest first, each with its `last_day` by the
    chain's clock, None where it has none."""
    zone = _zone()
    own = TruncDate(F("expires_at") - dt.timedelta.resolution, tzinfo=zone)
    hers = CouponCode.objects.filter(_is_open(zone), customer=customer)
    dated = hers.annotate(last_day=Least(own, F("offer__valid_until")))
    return dated.select_related("offer").order_by("-id")


def open_codes_of(customer_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many such codes each of them has; who has none is left out. One query."""
    theirs = CouponCode.objects.filter(_is_open(_zone()), customer__in=customer_ids)
    counted = theirs.order_by().values_list("customer_id").annotate(codes=Count("pk"))
    return dict(counted)


def _zone() -> ZoneInfo:
    return ZoneInfo(current_tenant().time_zone)


def _is_open(zone: ZoneInfo) -> Q:
    now = clock.now()
    today = now.astimezone(zone).date()
    left = Q(max_uses=None) | Q(max_uses__gt=F("used") + F("reserved"))
    lasts = Q(expires_at=None) | Q(expires_at__gt=now)
    holds = Q(offer__valid_until=None) | Q(offer__valid_until__gte=today)
    return left & lasts & holds & IN_FORCE & Q(offer__is_active=True)


def _uses(customer: Customer) -> QuerySet[Redemption]:
    return Redemption.objects.filter(customer=customer).select_related("offer", "code", "branch")


def _given(code: CouponCode) -> TimelineEntry:
    return TimelineEntry(
        id=code.pk,
        at=code.created_at,
        type="coupon",
        title=_("Code for %(offer)s: %(code)s") % {"offer": code.offer.name, "code": code.code},
        coupon_code=code.code,
        coupon_redeemed=code.used > 0,
    )


def _used(use: Redemption) -> TimelineEntry:
    return TimelineEntry(
        id=use.pk,
        at=use.redeemed_at,
        type="coupon",
        title=_("Used %(offer)s on bill %(bill)s")
        % {"offer": use.offer.name, "bill": use.invoice_id},
        coupon_code=use.code.code if use.code else "",
        coupon_redeemed=True,
        status=use.state if use.returned else "",
        branch_name=use.branch.name,
        amount=use.rupees,
    )


def export_coupons(customer: Customer) -> dict[str, Any]:
    """Her codes and redemptions, oldest first; amounts in paise."""
    codes = CouponCode.objects.filter(customer=customer).order_by("pk")
    return {
        "codes": list(codes.values(*CODE, revoked=revoked_at())),
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
