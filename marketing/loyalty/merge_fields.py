"""What messages may say of points."""

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from marketing.content.merge_fields import DATE, NUMBER, MergeField, register
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
    )
