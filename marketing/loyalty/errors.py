"""What the points ledger refuses; codes continue Module 11's fourth ten, after referrals."""

from django.utils.translation import gettext_lazy as _

from marketing.core.errors import DomainError


class NotEnoughPoints(DomainError):
    """`details`: `available`."""

    code, name, http_status = "MARKETING_045", "NOT_ENOUGH_POINTS", 409
    default_message = _("There are not enough points: fewer, please.")


class PointsHoldOver(DomainError):
    """`details`: `state`."""

    code, name, http_status = "MARKETING_046", "POINTS_HOLD_OVER", 409
    default_message = _("These points are no longer held. Ask for them again.")


class RedemptionLimit(DomainError):
    """`details`: `least` and `most` that this bill may use."""

    code, name, http_status = "MARKETING_047", "POINTS_REDEMPTION_LIMIT", 409
    default_message = _(
        "The programme does not let so many points be used on this bill. Use another number, or"
        " none."
    )


class NothingToReverse(DomainError):
    """`details`: `left`."""

    code, name, http_status = "MARKETING_048", "NOTHING_TO_REVERSE", 409
    default_message = _("This is more than is left to be given back. Give back no more than that.")


class ProgrammeOff(DomainError):
    code, name, http_status = "MARKETING_049", "LOYALTY_DISABLED", 409
    default_message = _(
        "The points programme is switched off. Go on without points; an owner can switch it on."
    )
