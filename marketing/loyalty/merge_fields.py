"""What messages may say of points."""

from typing import Any

from django.db.models import (
    DateField,
    DateTimeField,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Cast, Coalesce, Least
from django.utils.translation import gettext_lazy as _

from marketing.content.merge_fields import DATE, NUMBER, MergeField, register
from marketing.core import clock
from marketing.coupons.held import open_code
from marketing.coupons.models import CouponCode
from marketing.loyalty.models import PointsLot

_BALANCE = Coalesce(F("points_account__available") - F("points_account__owed"), Value(0))


def _expiring() -> Subquery:
    """Without the manager, which would ask for a tenant scope while apps are loaded."""
    lots: QuerySet[PointsLot] = QuerySet(PointsLot).filter(
        customer_id=OuterRef("pk"),
        remaining__gt=0,
        is_pending=False,
        expires_on=OuterRef("points_account__next_expiry_on"),
    )
    return Subquery(lots.values("customer_id").annotate(points=Sum("remaining")).values("points"))


class _Moment(Func):
    """The clock's present, read when a statement is made: fields are, while apps are loaded."""

    output_field = DateTimeField()

    def as_sql(self, *args: Any, **options: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s::timestamptz", (clock.now(),)


_TODAY = Cast(
    Func(OuterRef("tenant__time_zone"), _Moment(), function="timezone"), output_field=DateField()
)


def _of_birthday_code(said: F | Least) -> Subquery:
    """Of the code that her last birthday brought, while it opens its offer."""
    holds = Q(offer__valid_until=None) | Q(offer__valid_until__gte=_TODAY)
    codes: QuerySet[CouponCode] = QuerySet(CouponCode).filter(
        open_code() & holds,
        customer_id=OuterRef("pk"),
        batch__birthdays__isnull=False,
        expires_at__gt=_Moment(),
    )
    return Subquery(codes.order_by("-id").annotate(said=said).values("said")[:1])


def register_merge_fields() -> None:
    """Called once, while apps are loaded."""
    register(
        MergeField("points_balance", _("Points balance"), _BALANCE, "240", NUMBER),
        MergeField("loyalty_tier", _("Tier"), F("points_account__tier__name"), "Gold"),
        MergeField("points_expiring", _("Points that expire next"), _expiring(), "80", NUMBER),
        MergeField(
            "points_expiry_date",
            _("When points expire next"),
            F("points_account__next_expiry_on"),
            "2026-12-31",
            DATE,
        ),
        MergeField(
            "birthday_code",
            _("Code for her birthday"),
            _of_birthday_code(F("code")),
            "GIFT-SAM-PLE-000",
        ),
        MergeField(
            "birthday_code_until",
            _("Birthday code valid until"),
            _of_birthday_code(Least(F("batch__birthdays__until"), F("offer__valid_until"))),
            "2026-12-31",
            DATE,
        ),
    )
