"""What a bill that took place is told beside its answer: what of it could not be given."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from marketing.core.errors import DomainError
from marketing.coupons.models import Reservation

POINTS = "points"


def warning(code: str, message: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"code": code, "message": message, "details": dict(details or {})}


def refused(error: DomainError) -> dict[str, Any]:
    """Why something that came with the bill was not taken."""
    return warning(error.name.lower(), " ".join(error.sentences), error.details)


def fewer_points(
    asked: Mapping[str, Mapping[str, Any]], redeemed: Reservation
) -> list[dict[str, Any]]:
    """What she was let off for points that were not taken is still to be paid."""
    wanted = asked.get(POINTS, {}).get("use")
    used = redeemed.effects.get(POINTS, {}).get("told", {}).get("used", 0)
    if not isinstance(wanted, int) or used >= wanted:
        return []
    message = _("Fewer points were used than the bill says.")
    return [warning("points_differ", message, {"asked": wanted, "used": used})]
