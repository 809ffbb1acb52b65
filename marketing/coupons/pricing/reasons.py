"""Why an offer or a code does not apply: codes with their numbers (offers.md 5.8)."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class ReasonCode(StrEnum):
    """Numbers that ride along, in `Reason.details`, stand behind each code.

    Money is paise; times are RFC 3339 in the branch's zone; `services`, `categories`, `with`
    are sorted lists of ids.
    """

    CODE_UNKNOWN = "code_unknown"
    CODE_CHECK_FAILED = "code_check_failed"
    CODE_REVOKED = "code_revoked"
    CODE_EXPIRED = "code_expired"  # ended
    CODE_USED = "code_used"  # limit
    CODE_NOT_HERS = "code_not_hers"
    CODE_REPEATED = "code_repeated"  # the same offer was opened by an earlier code
    CODES_TOO_MANY = "codes_too_many"  # limit
    CODES_ALL_OR_NONE = "codes_all_or_none"  # codes: those at fault
    INACTIVE = "inactive"
    NOT_STARTED = "not_started"  # starts
    EXPIRED = "expired"  # ended
    LIMIT_TOTAL = "limit_total"  # n, limit
    LIMIT_BRANCH = "limit_branch"  # n, limit
    BUDGET_LEFT = "budget_left"  # left, need (need 0: nothing is left at all)
    LIMIT_CUSTOMER = "limit_customer"  # n, limit
    LIMIT_PERIOD = "limit_period"  # n, limit, period, resets_at
    # need, have, short_by; services, categories where these are to be bought for so much
    MIN_AMOUNT_SHORT = "min_amount_short"
    MIN_QUANTITY_SHORT = "min_quantity_short"  # need, have, short_by; of_get of the reduced ones
    MAX_AMOUNT_OVER = "max_amount_over"  # limit, have, over_by
    WRONG_BRANCH = "wrong_branch"
    SERVICE_EXCLUDED = "service_excluded"  # nothing on the bill is of the offer's services
    REQUIRES_MISSING = "requires_missing"  # services, categories, short_by
    SEGMENT = "segment"  # segments
    TIER = "tier"  # tiers, have
    NOT_FIRST_VISIT = "not_first_visit"  # visit
    NOT_NTH_VISIT = "not_nth_visit"  # need, visit
    BLACKOUT = "blackout"  # first, last
    OUTSIDE_HOURS = "outside_hours"  # when it opens stands in the unlock
    CUSTOMER_REQUIRED = "customer_required"
    OPTED_OUT = "opted_out"  # issued by a campaign to somebody who has since opted out
    NOT_STACKABLE_WITH = "not_stackable_with"  # with
    STACK_FULL = "stack_full"  # limit
    OUTSIDE_BEST = "outside_best"  # limit: only so many automatic offers are compared
    LESS_SAVED = "less_saved"  # it fits, but every set with it saves less
    NO_EFFECT = "no_effect"
    # Of a referral code, which referrals know: whose it is, and for whom it may be.
    SELF_REFERRAL = "self_referral"
    REFERRAL_LIMIT = "referral_limit"  # limit
    ALREADY_REFERRED = "already_referred"
    EXISTING_CUSTOMER = "existing_customer"
    STAFF_EXCLUDED = "staff_excluded"
    REFERRAL_RING = "referral_ring"
    REFERRALS_OFF = "referrals_off"
    RESERVATION_EXPIRED = "reservation_expired"


Detail = int | str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """A code and its numbers, sorted by name so that equal reasons are equal bytes."""

    code: ReasonCode
    details: tuple[tuple[str, Detail], ...] = ()

    def get(self, name: str) -> Detail | None:
        return next((value for key, value in self.details if key == name), None)


def reason(
    code: ReasonCode, **details: int | str | dt.datetime | dt.date | frozenset[str]
) -> Reason:
    """A `Reason` from plain values; sets are sorted, times written as RFC 3339."""
    items = sorted(details.items())
    return Reason(code, tuple([(name, _plain(value)) for name, value in items]))


def _plain(value: int | str | dt.datetime | dt.date | frozenset[str]) -> Detail:
    if isinstance(value, (int, str)):
        return value
    if isinstance(value, frozenset):
        return tuple(sorted(value))
    return value.isoformat()
