"""What a message is for, when it may go, what it costs at home and what is left for it."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import phonenumbers

PROMOTIONAL, SERVICE, TRANSACTIONAL = "promotional", "service", "transactional"

SERVICE_TRIGGERS = frozenset(
    {
        "post_visit_thank_you",
        "feedback_request",
        "package_expiry",
        "membership_expiry",
        "loyalty_points_earned",
        "referral_news",
    }
)

# India's rule for commercial SMS (TCCCPR): no setting widens these hours.
INDIAN_SMS_HOURS = (dt.time(10), dt.time(21))


def purpose_of(template_type: str, trigger_type: str = "") -> str:
    """The purpose of a template: promotional, service or transactional.

    A trigger's template goes by its trigger; one without a known trigger counts as
    promotional, which is what most is asked of.
    """
    if template_type == "transactional":
        return TRANSACTIONAL
    if template_type == "trigger" and trigger_type in SERVICE_TRIGGERS:
        return SERVICE
    return PROMOTIONAL


def message_category(purpose: str) -> str:
    """The vendors' price category of a purpose: marketing or utility."""
    return "marketing" if purpose == PROMOTIONAL else "utility"


def left_of(limit: Decimal | None, used: Decimal) -> Decimal | None:
    """What may still be promised; None when there is no limit, never below 0."""
    return None if limit is None else max(limit - used, Decimal(0))


def window_opens(
    now: dt.datetime,
    zone: str,
    start: dt.time,
    end: dt.time,
    purpose: str,
    channel: str,
    country: str,
) -> dt.datetime | None:
    """None when the send window is open at `now`, else the moment (UTC) when it opens next.

    The window is `start` to `end` by the clock on the wall in `zone`, the end excluded; it
    may cross midnight, and equal times mean all day. Transactional messages have none.
    Raises ValueError when India's hours for SMS and the window have none in common.
    """
    if purpose == TRANSACTIONAL:
        return None
    windows = [(start, end)]
    if channel == "sms" and country == "IN":
        windows.append(INDIAN_SMS_HOURS)
    local = ZoneInfo(zone)

    def is_open(moment: dt.datetime) -> bool:
        wall = moment.astimezone(local).time()
        return all(within(wall, *window) for window in windows)

    if is_open(now):
        return None
    today = now.astimezone(local).date()
    # Both folds: an opening hour may come twice when the clock goes back.
    openings = sorted(
        dt.datetime.combine(
            today + dt.timedelta(days=days), opens.replace(fold=fold), local
        ).astimezone(dt.UTC)
        for days in range(3)
        for opens, _ in windows
        for fold in (0, 1)
    )
    for opening in openings:
        if opening > now and is_open(opening):
            return opening
    raise ValueError("the send window leaves no hour for SMS in India")


def within(wall: dt.time, start: dt.time, end: dt.time) -> bool:
    """Whether a time of day lies in a window, which may cross midnight."""
    if start == end:
        return True
    if start < end:
        return start <= wall < end
    return wall >= start or wall < end


def leaves_indian_sms_hours(start: dt.time, end: dt.time) -> bool:
    """Whether the window and India's SMS hours have an hour in common."""
    opens, closes = INDIAN_SMS_HOURS
    return within(opens, start, end) or (start != end and opens <= start < closes)


def prices_by_dialling_code(prices: Mapping[str, Decimal]) -> list[tuple[str, Decimal]]:
    """Prices per country as `("+880", price)`, the longest code first.

    Of countries that share a code (Canada has that of the USA) the code's main one counts, else
    the first of them that has a price. What has no code is left out.
    """
    found = [
        (f"+{code}", next(prices[region] for region in regions if region in prices))
        for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
        if any(region in prices for region in regions)
    ]
    return sorted(found, key=lambda pair: (-len(pair[0]), pair[0]))


def converted(
    amount: Decimal, currency: str, exchange_rate: Decimal | None, own_currency: str
) -> Decimal | None:
    """A price in the chain's own currency, four places, half up; None when no rate is known."""
    if currency == own_currency or not amount:
        return amount
    if exchange_rate is None:
        return None
    return (amount * exchange_rate).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Forecast:
    """What a month comes to at its pace so far, and on which day its limit is reached (None: on
    none of them).
    """

    amount: Decimal
    reached_on: int | None


def forecast(
    *, spent: Decimal, promised: Decimal, limit: Decimal | None, days_gone: Decimal, days: int
) -> Forecast | None:
    """The month's end at the pace so far, never less than what is spent and promised already.

    `days_gone` of its `days` are over. None on its first day: too early to tell.
    """
    if days_gone < 1:
        return None
    amount = max(spent * days / days_gone, spent + promised).quantize(
        Decimal("0.01"), ROUND_HALF_UP
    )
    if limit is None or amount <= limit:
        return Forecast(amount, None)
    if spent <= 0 or spent + promised >= limit:
        return Forecast(amount, math.ceil(days_gone))
    return Forecast(amount, min(days, math.ceil(limit * days_gone / spent)))
