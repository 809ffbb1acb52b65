"""Why an offer does not apply to a bill, and what would change it, in plain words."""

from collections.abc import Mapping
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.core.templatetags.formats import coming_moment
from marketing.coupons.pricing.answer import Unlock, UnlockKind
from marketing.coupons.pricing.reasons import Reason, ReasonCode
from marketing.coupons.pricing.terms import Period
from marketing.coupons.wording.amounts import listed, rupees
from marketing.coupons.wording.terms import Names

_WORDS: Mapping[ReasonCode, str | Promise] = {
    ReasonCode.CODE_UNKNOWN: gettext_lazy("There is no such code"),
    ReasonCode.CODE_CHECK_FAILED: gettext_lazy("The code is misread"),
    ReasonCode.CODE_REVOKED: gettext_lazy("The code was taken back"),
    ReasonCode.CODE_EXPIRED: gettext_lazy("The code is over"),
    ReasonCode.CODE_USED: gettext_lazy("The code is used up"),
    ReasonCode.CODE_NOT_HERS: gettext_lazy("The code is somebody else's"),
    ReasonCode.CODE_REPEATED: gettext_lazy("Another code has opened the offer already"),
    ReasonCode.CODES_TOO_MANY: gettext_lazy("These are too many codes"),
    ReasonCode.CODES_ALL_OR_NONE: gettext_lazy("Another code of the bill cannot be used"),
    ReasonCode.INACTIVE: gettext_lazy("The offer is switched off"),
    ReasonCode.NOT_STARTED: gettext_lazy("The offer has not begun"),
    ReasonCode.EXPIRED: gettext_lazy("The offer is over"),
    ReasonCode.LIMIT_TOTAL: gettext_lazy("It has been used %(n)s times, which is all"),
    ReasonCode.LIMIT_BRANCH: gettext_lazy("The branch has used it %(n)s times, which is all"),
    ReasonCode.LIMIT_CUSTOMER: gettext_lazy("She has used it %(n)s times, which is all"),
    ReasonCode.LIMIT_PERIOD: gettext_lazy("She has used it %(n)s times in this period"),
    ReasonCode.BUDGET_LEFT: gettext_lazy("Of its budget %(left)s are left"),
    ReasonCode.MIN_AMOUNT_SHORT: gettext_lazy("%(short_by)s short of %(need)s"),
    ReasonCode.MIN_QUANTITY_SHORT: gettext_lazy("%(short_by)s more of its services are needed"),
    ReasonCode.MAX_AMOUNT_OVER: gettext_lazy("The bill is %(over_by)s above %(limit)s"),
    ReasonCode.WRONG_BRANCH: gettext_lazy("It does not hold in this branch"),
    ReasonCode.SERVICE_EXCLUDED: gettext_lazy("None of its services is on the bill"),
    ReasonCode.REQUIRES_MISSING: gettext_lazy("A service that it asks for is not on the bill"),
    ReasonCode.SEGMENT: gettext_lazy("She is not of the segment"),
    ReasonCode.TIER: gettext_lazy("She has another tier"),
    ReasonCode.NOT_FIRST_VISIT: gettext_lazy("It is not her first visit"),
    ReasonCode.NOT_NTH_VISIT: gettext_lazy("It is her visit number %(visit)s, not %(need)s"),
    ReasonCode.BLACKOUT: gettext_lazy("It does not hold on this day"),
    ReasonCode.OUTSIDE_HOURS: gettext_lazy("It does not hold at this hour"),
    ReasonCode.CUSTOMER_REQUIRED: gettext_lazy("Who the customer is must be said"),
    ReasonCode.OPTED_OUT: gettext_lazy("She has opted out since"),
    ReasonCode.NOT_STACKABLE_WITH: gettext_lazy("It does not stand beside the other offer"),
    ReasonCode.STACK_FULL: gettext_lazy("%(limit)s offers apply already"),
    ReasonCode.OUTSIDE_BEST: gettext_lazy("Only the best %(limit)s offers are compared"),
    ReasonCode.LESS_SAVED: gettext_lazy("Other offers save more"),
    ReasonCode.NO_EFFECT: gettext_lazy("It takes nothing off this bill"),
    ReasonCode.SELF_REFERRAL: gettext_lazy("The referral code is her own"),
    ReasonCode.REFERRAL_LIMIT: gettext_lazy(
        "Its owner has brought %(limit)s friends this month, which is all"
    ),
    ReasonCode.ALREADY_REFERRED: gettext_lazy("Somebody else has brought her"),
    ReasonCode.EXISTING_CUSTOMER: gettext_lazy("She has been here before"),
    ReasonCode.STAFF_EXCLUDED: gettext_lazy(
        "Her phone is a staff member's, and staff are not brought by a code"
    ),
    ReasonCode.REFERRAL_RING: gettext_lazy("They bring each other"),
    ReasonCode.REFERRALS_OFF: gettext_lazy("Referrals are switched off"),
    ReasonCode.RESERVATION_EXPIRED: gettext_lazy("The reservation is over"),
}
# Where the number is one, by the name of the number.
_OF_ONE = {
    ReasonCode.LIMIT_TOTAL: ("n", gettext_lazy("It has been used once, which is all")),
    ReasonCode.LIMIT_BRANCH: ("n", gettext_lazy("The branch has used it once, which is all")),
    ReasonCode.LIMIT_CUSTOMER: ("n", gettext_lazy("She has used it once, which is all")),
    ReasonCode.LIMIT_PERIOD: ("n", gettext_lazy("She has used it once in this period")),
    ReasonCode.MIN_QUANTITY_SHORT: (
        "short_by",
        gettext_lazy("One more of its services is needed"),
    ),
    ReasonCode.STACK_FULL: ("limit", gettext_lazy("One offer applies already")),
    ReasonCode.OUTSIDE_BEST: ("limit", gettext_lazy("Only the best offer is compared")),
    ReasonCode.REFERRAL_LIMIT: (
        "limit",
        gettext_lazy("Its owner has brought one friend this month, which is all"),
    ),
}
_MONEY = {
    ReasonCode.BUDGET_LEFT: ("left", "need"),
    ReasonCode.MIN_AMOUNT_SHORT: ("need", "have", "short_by"),
    ReasonCode.MAX_AMOUNT_OVER: ("limit", "have", "over_by"),
}


def reason_in_words(why: Reason) -> str:
    """The reason with its numbers."""
    told: dict[str, Any] = dict(why.details)
    for name in _MONEY.get(why.code, ()):
        if isinstance(told.get(name), int):
            told[name] = rupees(told[name])
    number, one = _OF_ONE.get(why.code, ("", ""))
    words = str(one) if told.get(number) == 1 else str(_WORDS[why.code]) % told
    resets = parse_datetime(told.get("resets_at", ""))
    if resets is None:
        return words
    # In the branch's own time, as it stands there.
    day = date_format(resets, "j M Y" if told.get("period") == Period.YEAR else "l, j M")
    return _("%(reason)s, again from %(day)s") % {"reason": words, "day": day}


def unlock_in_words(step: Unlock, names: Names) -> str:
    """What would have to change."""
    if step.kind is UnlockKind.SPEND_MORE:
        return _("Spend %(amount)s more") % {"amount": rupees(step.amount)}
    if step.kind is UnlockKind.ADD_UNITS:
        what = ", ".join(
            filter(
                None,
                (listed(step.categories, names.categories), listed(step.services, names.services)),
            )
        )
        return _("Add %(count)d × %(what)s") % {
            "count": step.quantity,
            "what": what or _("any service"),
        }
    if step.kind is UnlockKind.COME_AT:
        at = parse_datetime(step.at)
        return _("Come on %(day)s") % {"day": coming_moment(at) if at else step.at}
    return _("Say who she is")
