"""What is so of every referral, whoever keeps it."""

import datetime as dt
from zoneinfo import ZoneInfo

import phonenumbers

INVITED, ATTRIBUTED, QUALIFIED, HELD = "invited", "attributed", "qualified", "held"
APPROVED, REWARDED = "approved", "rewarded"
REJECTED, VOIDED, CLAWED_BACK, EXPIRED = "rejected", "voided", "clawed_back", "expired"

# From each state those that may follow; it never goes back.
FOLLOWING: dict[str, frozenset[str]] = {
    INVITED: frozenset({ATTRIBUTED, REJECTED, EXPIRED}),
    ATTRIBUTED: frozenset({QUALIFIED, REJECTED, VOIDED, EXPIRED}),
    QUALIFIED: frozenset({HELD, APPROVED, REJECTED, VOIDED, EXPIRED}),
    HELD: frozenset({APPROVED, REJECTED, VOIDED, EXPIRED}),
    APPROVED: frozenset({REWARDED, VOIDED, EXPIRED}),
    REWARDED: frozenset({CLAWED_BACK}),
    REJECTED: frozenset(),
    VOIDED: frozenset(),
    CLAWED_BACK: frozenset(),
    EXPIRED: frozenset(),
}
# Module 11's five, by our states.
STATUS = {
    INVITED: "pending",
    ATTRIBUTED: "pending",
    QUALIFIED: "converted",
    HELD: "converted",
    APPROVED: "converted",
    REWARDED: "rewarded",
    REJECTED: "fraud",
    VOIDED: "expired",
    CLAWED_BACK: "expired",
    EXPIRED: "expired",
}
STATUSES = [(status, status) for status in dict.fromkeys(STATUS.values())]
# In these nobody has the friend yet, or nobody has her any more.
FREE = frozenset({INVITED, REJECTED, EXPIRED})
CONVERTED = frozenset({QUALIFIED, HELD, APPROVED, REWARDED})

# Who is told of what; older news is none any more.
TOLD_JOINED, TOLD_CAME, TOLD_REWARDED = "joined", "came", "rewarded"
TOLD_FRIEND_JOINED, TOLD_FRIEND_CAME = "friend_joined", "friend_came"
TOLD_FRIEND = "friend_rewarded"
TO_FRIEND = frozenset({TOLD_FRIEND_JOINED, TOLD_FRIEND_CAME, TOLD_FRIEND})
NEWS_LASTS = dt.timedelta(days=3)
# Why rewards were taken back: nothing of a code that was used could be.
REFUNDED, REFUNDED_USED = "refunded", "refunded_used"
# Why a referral ended that goes on as another: the bill should not have been.
BILL_VOIDED = "bill_voided"
# From here on nothing is due to anybody.
OVER = frozenset({REJECTED, VOIDED, CLAWED_BACK, EXPIRED})

# What bills and sign-ups may be known again by. The same of both people is a signal.
INSTRUMENT, DEVICE = "instrument", "device"
SHARED = {INSTRUMENT: "same_instrument", DEVICE: "same_device"}
TOKEN_LASTS = dt.timedelta(days=365)
# What more people used than that is the salon's own, or says nothing.
MOST_SHARING = 5
# What a signal weighs where a manager looks: one instrument is most often one person, a device
# and a household may be a family's.
WEIGHTS = {"same_instrument": 3, "same_device": 2}

CLICK_LASTS = dt.timedelta(days=30)
UNUSED_LASTS = dt.timedelta(days=90)
WEEK, MONTH = dt.timedelta(days=7), dt.timedelta(days=30)
LONGEST_RING = 3
# Of a branch's new customers in a month; below so many a share says nothing.
COLLUSION_PERCENT, COLLUSION_FROM = 30, 10

# One symbol more than would be guessed by chance, one less than any generated coupon code.
SYMBOLS = 7
CODE_LENGTH = SYMBOLS + 1


def preceding(state: str) -> list[str]:
    """The states from which `state` may be entered."""
    return sorted(before for before, after in FOLLOWING.items() if state in after)


def month_of(at: dt.datetime, zone: str) -> dt.date:
    """The first day of the chain's month."""
    return at.astimezone(ZoneInfo(zone)).date().replace(day=1)


def voids(refunded: int, net: int) -> bool:
    """Whether so much of the friend's bill came back that it counts no more (paise)."""
    return refunded * 2 >= net


def plain_email(email: str) -> str:
    """The mailbox behind an address: without what follows a plus, at Gmail without its dots."""
    name, _at, domain = email.lower().partition("@")
    name = name.partition("+")[0]
    if domain in ("gmail.com", "googlemail.com"):
        name, domain = name.replace(".", ""), "gmail.com"
    return f"{name}@{domain}" if name and domain else ""


def is_landline(phone: str) -> bool:
    """Whether an E.164 number is a household's rather than one person's."""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.FIXED_LINE
