"""Refusals of referrals, with Module 11's codes (040-043) and one more of its ten."""

from django.utils.translation import gettext_lazy as _

from marketing.core.errors import DomainError


class InvalidReferralCode(DomainError):
    code, name, http_status = "MARKETING_040", "INVALID_REFERRAL_CODE", 404
    default_message = _(
        "There is no such referral code. See how it is spelled, or go on without it."
    )


class SelfReferral(DomainError):
    code, name, http_status = "MARKETING_041", "SELF_REFERRAL", 409
    default_message = _("Nobody can bring herself: the code is her own. Go on without it.")


class ReferralLimitReached(DomainError):
    """`details`: `limit`, `month`."""

    code, name, http_status = "MARKETING_042", "REFERRAL_LIMIT_REACHED", 409
    default_message = _(
        "This code has brought as many friends as it may this month. Go on without it, or use it"
        " next month."
    )


class AlreadyReferred(DomainError):
    code, name, http_status = "MARKETING_043", "ALREADY_REFERRED", 409
    default_message = _("Somebody else has brought this customer already. Go on without the code.")


class ReferralNotEligible(DomainError):
    """`details["reason"]`: existing_customer, staff_excluded, referral_ring or referrals_off."""

    code, name, http_status = "MARKETING_044", "REFERRAL_NOT_ELIGIBLE", 409
    default_message = _("The code is not for this customer. Go on without it.")


class ReferralOver(DomainError):
    """`details`: `state`."""

    code, name, http_status = "MARKETING_409", "REFERRAL_OVER", 409
    default_message = _("This referral has been decided already. Load the page anew to see how.")
