"""How amounts, counts, times, phones and chat text are written for people."""

import re
from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from marketing.core.logs import mask_phone

register = template.Library()

MISSING = "–"
NOON = 12
SYMBOLS = {"INR": "₹"}
LAKH = Decimal(100_000)
CRORE = Decimal(10_000_000)
# WhatsApp's own marks; a mark counts only at a word's edge, so 2*3*4 and snake_case stay as typed.
CHAT_MARKS = [
    (re.compile(r"```(.+?)```", re.DOTALL), r"<code>\1</code>"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])"), r"<strong>\1</strong>"),
    (re.compile(r"(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])"), r"<em>\1</em>"),
    (re.compile(r"(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])"), r"<s>\1</s>"),
]


def group_indian(digits: str) -> str:
    """`1234567` → `12,34,567`: the last three digits, then pairs."""
    head, tail = digits[:-3], digits[-3:]
    pairs: list[str] = []
    while head:
        pairs.insert(0, head[-2:])
        head = head[:-2]
    return ",".join([*pairs, tail])


def format_number(value: Decimal | int | float, places: int = 0) -> str:
    """Indian grouping, half-up to `places`."""
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    rounded = exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    whole, _point, fraction = f"{abs(rounded):f}".partition(".")
    sign = "−" if rounded < 0 else ""
    return f"{sign}{group_indian(whole)}{'.' + fraction if fraction else ''}"


def with_symbol(text: str, currency: str) -> str:
    """The sign before the symbol: `−₹50.00`."""
    symbol = SYMBOLS.get(currency, f"{currency} ")
    return f"−{symbol}{text[1:]}" if text.startswith("−") else f"{symbol}{text}"


@register.filter
def number(value: Decimal | int | float | None) -> str:
    """A whole count with Indian grouping: `1,23,456`."""
    return MISSING if value in (None, "") else format_number(value)


@register.filter
def money(amount: Decimal | int | None, currency: str = "INR") -> str:
    """`₹1,23,456.00`; two places, half-up."""
    return MISSING if amount in (None, "") else with_symbol(format_number(amount, 2), currency)


@register.filter
def unit_price(amount: Decimal | None, currency: str = "INR") -> str:
    """A price per message, four places: `₹0.1150`."""
    return MISSING if amount in (None, "") else with_symbol(format_number(amount, 4), currency)


@register.filter
def money_short(amount: Decimal | int | None, currency: str = "INR") -> str:
    """For headline figures: whole rupees, from one lakh `₹1.2 L`, from one crore `₹3.4 Cr`."""
    if amount in (None, ""):
        return MISSING
    exact = Decimal(str(amount))
    # Compared after rounding, so that 99,999.60 is 1 lakh and not 1,00,000.
    if abs(exact) >= CRORE - LAKH / 20:
        return with_symbol(
            _("%(amount)s Cr") % {"amount": format_number(exact / CRORE, 1)}, currency
        )
    if abs(exact) >= LAKH - Decimal("0.5"):
        return with_symbol(_("%(amount)s L") % {"amount": format_number(exact / LAKH, 1)}, currency)
    return with_symbol(format_number(exact), currency)


@register.filter
def percent(share: Decimal | float | None, places: int = 1) -> str:
    """A share of one as per cent: `0.1234` → `12.3%`."""
    return (
        MISSING if share in (None, "") else f"{format_number(Decimal(str(share)) * 100, places)}%"
    )


@register.filter
def exact_percent(value: Decimal | int | float | None) -> str:
    """Of a hundred, with the places that it has: `17.5` → `17.5%`, `20` → `20%`."""
    if value in (None, ""):
        return MISSING
    places = Decimal(str(value)).normalize().as_tuple().exponent
    return f"{format_number(value, max(0, -int(places)))}%"


@register.filter(expects_localtime=True)
def clock_time(at: datetime | time | None) -> str:
    """`7:42 a.m.`; in a template in the active time zone."""
    if at is None:
        return MISSING
    # Django's own Hindi has one word for both halves of the day.
    half = pgettext("before noon", "a.m.") if at.hour < NOON else pgettext("after noon", "p.m.")
    return f"{at.hour % NOON or NOON}:{at.minute:02d} {half}"


@register.filter(expects_localtime=True)
def coming_moment(at: datetime | None) -> str:
    """Of the days ahead: `Mon, 23 Nov, 7:42 a.m.`; in a template in the active time zone."""
    return MISSING if at is None else f"{date_format(at, 'D, j M')}, {clock_time(at)}"


@register.filter(expects_localtime=True)
def moment(at: datetime | None) -> str:
    """`23 Nov 2026, 7:42 a.m.`; in a template in the active time zone."""
    return MISSING if at is None else f"{date_format(at, 'j M Y')}, {clock_time(at)}"


@register.filter
def masked_phone(phone: str | None) -> str:
    """`+919****10`: the first four characters and the last two."""
    return mask_phone(phone) if phone else MISSING


@register.filter
def relative_time(value: datetime | None) -> str:
    """`5 minutes ago`, `in 2 hours`, `yesterday`; beyond a day the date in the active time zone."""
    if value is None:
        return MISSING
    now = timezone.now()
    distance = abs(now - value)
    past = value <= now
    if distance < timedelta(minutes=1):
        return _("just now")
    if distance < timedelta(hours=1):
        count = int(distance.total_seconds() // 60)
        text = ngettext("%(count)d minute", "%(count)d minutes", count) % {"count": count}
    elif distance < timedelta(hours=24):
        count = int(distance.total_seconds() // 3600)
        text = ngettext("%(count)d hour", "%(count)d hours", count) % {"count": count}
    else:
        days = (timezone.localtime(now).date() - timezone.localtime(value).date()).days
        if days == 1:
            return _("yesterday")
        if days == -1:
            return _("tomorrow")
        return date_format(timezone.localtime(value), "j M Y")
    return (_("%(time)s ago") if past else _("in %(time)s")) % {"time": text}


@register.filter
def chat_text(text: str | None) -> SafeString:
    """Message text as a phone shows it: `*bold*` `_italic_` `~struck~`, lines kept; escaped, if a
    component has not done so."""
    html = str(conditional_escape(text or ""))
    for mark, tag in CHAT_MARKS:
        html = mark.sub(tag, html)
    return mark_safe(html.replace("\r\n", "\n").replace("\n", "<br>"))  # noqa: S308  escaped above
