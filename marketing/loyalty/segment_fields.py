"""What rules ask about points."""

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from marketing.loyalty.models import PointsAccount, Tier
from marketing.segments.fields import Label, SegmentField, register
from marketing.segments.sources import Beside
from marketing.segments.value_types import Choice, DaysUntil, Number

POINTS = _("Points")
# What facts copy of the account, as it is asked here.
COPIED = ("points_balance", "points_tier_id", "points_expire_on")
OF_ACCOUNT = """
SELECT account.customer_id, account.available - account.owed AS points_balance,
       account.tier_id AS points_tier_id, account.next_expiry_on AS points_expire_on
FROM chosen JOIN loyalty_pointsaccount account ON account.customer_id = chosen.id
"""


def register_segment_fields() -> None:
    """Called once, while apps are loaded."""
    register(
        SegmentField(
            "points_balance",
            _("Points balance"),
            Number(),
            Beside(
                PointsAccount,
                F("available") - F("owed"),
                F("points_account__available") - F("points_account__owed"),
                "points_balance",
            ),
            POINTS,
            sample=100,
        ),
        SegmentField(
            "loyalty_tier",
            _("Tier"),
            Choice(),
            _of_account("tier_id", "points_tier_id"),
            POINTS,
            choices=_tiers,
        ),
        SegmentField(
            "points_expire_days",
            _("Next points to expire"),
            DaysUntil(),
            _of_account("next_expiry_on", "points_expire_on"),
            POINTS,
            sample=30,
        ),
    )


def _of_account(column: str, copy: str) -> Beside:
    return Beside(PointsAccount, F(column), F(f"points_account__{column}"), copy)


def _tiers() -> list[tuple[str, Label]]:
    return [(str(tier.pk), tier.name) for tier in Tier.objects.order_by("level")]
