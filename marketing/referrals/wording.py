"""Signals and reasons in words."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketing.referrals import rules
from marketing.referrals.models import Referral, RewardType

SIGNALS: dict[str, str | Promise] = {
    "same_landline": _("Both have the same landline"),
    "same_address": _("Both live at the same address"),
    "same_surname": _("Both have the same surname"),
    "many_entries": _("One person at the till entered this code very often in a day"),
    "same_instrument": _("Both paid by the same card or account"),
    "same_device": _("Both booked on the same device"),
    "velocity": _("Many rewards in a short time"),
}
REASONS: dict[str, str | Promise] = {
    "existing_customer": _("She had been here before"),
    "self_referral": _("Both are one person"),
    "referral_limit": _("Too many friends in this month"),
    "already_referred": _("Somebody else has brought her"),
    "staff_excluded": _("Her phone is a staff member's, and staff are not brought by a code"),
    "referral_ring": _("They bring each other"),
    "referrals_off": _("Referrals were switched off"),
    rules.REFUNDED: _("Her bill was refunded"),
    rules.REFUNDED_USED: _("Her bill was refunded; the reward's code had been used before"),
    rules.BILL_VOIDED: _("Her bill was voided; the referral goes on with her next one"),
    "unused": _("She did not come in time"),
    "erased": _("Her data was erased"),
}


def signal_words(signal: str) -> str:
    """The signal for people; itself where nobody knows it."""
    return str(SIGNALS.get(signal, signal))


def signals_in_words(signals: list[str]) -> list[tuple[str, bool]]:
    """The heaviest first; whether each weighs more than what families have in common."""
    ordered = sorted(signals, key=lambda signal: -rules.WEIGHTS.get(signal, 1))
    return [(signal_words(signal), rules.WEIGHTS.get(signal, 1) > 1) for signal in ordered]


def reason_words(reason: str) -> str:
    """The reason for people; what a manager wrote is as she wrote it."""
    return str(REASONS.get(reason, reason))


def taken_back_words(referral: Referral) -> str:
    """What became of the reward of who brought the friend; empty where it was not taken back."""
    if referral.state != rules.CLAWED_BACK:
        return ""
    if referral.reason == rules.REFUNDED_USED:
        return str(_("She had used the code before: there is nothing to take back."))
    if referral.referrer_reward_type == RewardType.POINTS:
        return str(
            _(
                "The points were taken back. What she had spent of them is a minus in her balance, "
                "where the points programme allows one."
            )
        )
    return str(_("Her code was not used yet, and opens nothing any more."))
