"""Types of segment fields: which operators they take, which values, and what those mean in SQL.

A missing value matches only `not_set`, whatever the operator (also `ne`). `clean_operand`
raises ValueError with a message for the person who wrote the rule.
"""

import datetime as dt
import math
import re
from abc import abstractmethod
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.segments.local_time import LocalDay
from marketing.segments.negation import does_not_hold
from marketing.segments.sources import Source

OPERATORS: dict[str, str | Promise] = {
    "eq": gettext_lazy("is"),
    "ne": gettext_lazy("is not"),
    "gt": gettext_lazy("is more than"),
    "gte": gettext_lazy("is at least"),
    "lt": gettext_lazy("is less than"),
    "lte": gettext_lazy("is at most"),
    "between": gettext_lazy("is between"),
    "in": gettext_lazy("is one of"),
    "contains": gettext_lazy("contains"),
    "is_set": gettext_lazy("is known"),
    "not_set": gettext_lazy("is not known"),
}
VALUELESS = frozenset({"is_set", "not_set"})
MAX_LIST = 1000
MAX_TEXT = 200
MAX_NUMBER = 10**12
MAX_DAYS = 36_500

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LOOKUPS = {"eq": "exact", "gt": "gt", "gte": "gte", "lt": "lt", "lte": "lte", "in": "in"}


class ValueType:
    """One kind of value. `uses_clock` types are judged in the customer's own time zone."""

    name: ClassVar[str]
    operators: tuple[str, ...]
    operator_labels: ClassVar[dict[str, str | Promise]] = {}
    uses_clock: ClassVar[bool] = False
    # How a customer's own value reads, "…" standing for it.
    unit: ClassVar[str | Promise] = "…"

    @abstractmethod
    def clean(self, value: Any) -> Any:
        """One JSON value as this type's Python value. Raises ValueError."""

    def clean_operand(self, op: str, value: Any) -> Any:
        """The whole operand of `op`: nothing, one value, a list, or a (low, high) pair."""
        if op in VALUELESS:
            if value is not None:
                raise ValueError(_("This operator takes no value."))
            return None
        if op == "in":
            if not isinstance(value, list) or not value:
                raise ValueError(_("Give a list with at least one value."))
            if len(value) > MAX_LIST:
                raise ValueError(_("At most %(max)d values.") % {"max": MAX_LIST})
            return [self.clean(each) for each in value]
        if op == "between":
            if not isinstance(value, list) or len(value) != 2:
                raise ValueError(_("Give two values, the lower one first."))
            low, high = (self.clean(each) for each in value)
            if low > high:
                raise ValueError(_("The first value must not be above the second."))
            return low, high
        if value is None or value == "":
            raise ValueError(_("Give a value."))
        return self.clean(value)

    def condition(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        """The rows that satisfy the condition; `operand` is what `clean_operand` returned."""
        if op == "is_set":
            return source.is_known()
        if op == "not_set":
            return ~source.is_known()
        if op == "ne":
            return source.is_known() & ~self.compare(source, "eq", operand, day)
        if op == "between":
            low, high = operand
            return self.compare(source, "gte", low, day) & self.compare(source, "lte", high, day)
        return self.compare(source, op, operand, day)

    def compare(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        """eq, gt, gte, lt, lte, in, contains."""
        return source.compare(_LOOKUPS[op], operand)

    def read(self, stored: Any, day: LocalDay) -> Any:
        """A stored value in the unit rules are written in; None when there is none."""
        return None if stored == "" else stored


_COMPARISONS = ("gt", "gte", "lt", "lte", "eq", "ne", "between")
_ORDERED = (*_COMPARISONS, "in", "is_set", "not_set")


class Number(ValueType):
    """A number; `whole` for counts, where JSON's 30.0 is taken as 30."""

    name = "number"
    operators = _ORDERED

    def __init__(self, *, whole: bool = True) -> None:
        self.whole = whole

    def clean(self, value: Any) -> int | float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(_("Enter a number."))
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(_("Enter a number."))
        if abs(value) > MAX_NUMBER:
            raise ValueError(_("This number is too large."))
        if not self.whole:
            return value
        if value != int(value):
            raise ValueError(_("Enter a whole number."))
        return int(value)


class Money(ValueType):
    """An amount in the chain's currency: a JSON number or a decimal string, two places."""

    name = "money"
    operators = _ORDERED

    def clean(self, value: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError(_("Enter an amount."))
        try:
            amount = Decimal(str(value))
        except InvalidOperation:
            raise ValueError(_("Enter an amount.")) from None
        if not amount.is_finite():
            raise ValueError(_("Enter an amount."))
        if abs(amount) > MAX_NUMBER:
            raise ValueError(_("This amount is too large."))
        if amount != round(amount, 2):
            raise ValueError(_("An amount has at most two decimal places."))
        return round(amount, 2)


class _Days(ValueType):
    name = "days"
    operators: tuple[str, ...] = (*_COMPARISONS, "is_set", "not_set")
    uses_clock = True
    lowest: ClassVar[int] = 0
    highest: ClassVar[int] = MAX_DAYS

    def clean(self, value: Any) -> int:
        days = Number().clean(value)
        if not self.lowest <= days <= self.highest:
            raise ValueError(
                _("Enter a number of days from %(low)d to %(high)d.")
                % {"low": self.lowest, "high": self.highest}
            )
        return int(days)


class DaysAgo(_Days):
    """Calendar days since a stored moment: a visit last night was one day ago this morning."""

    unit = gettext_lazy("… days ago")
    operator_labels = {
        "gt": gettext_lazy("was more than … days ago"),
        "gte": gettext_lazy("was at least … days ago"),
        "lt": gettext_lazy("was less than … days ago"),
        "lte": gettext_lazy("was at most … days ago"),
        "eq": gettext_lazy("was exactly … days ago"),
        "ne": gettext_lazy("was not … days ago"),
        "between": gettext_lazy("was between … and … days ago"),
        "is_set": gettext_lazy("has happened"),
        "not_set": gettext_lazy("never happened"),
    }

    def compare(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        if op == "eq":
            return source.compare("gte", day.start(-operand)) & source.compare(
                "lt", day.start(1 - operand)
            )
        lookup, days = {
            "gt": ("lt", operand),
            "gte": ("lt", operand - 1),
            "lt": ("gte", operand - 1),
            "lte": ("gte", operand),
        }[op]
        return source.compare(lookup, day.start(-days))

    def read(self, stored: Any, day: LocalDay) -> int | None:
        return None if stored is None else (day.today - day.date_of(stored)).days


class DaysUntil(_Days):
    """Calendar days until a stored date; negative once it has passed."""

    unit = gettext_lazy("in … days")
    lowest = -MAX_DAYS
    operator_labels = {
        "gt": gettext_lazy("is more than … days away"),
        "gte": gettext_lazy("is at least … days away"),
        "lt": gettext_lazy("is less than … days away"),
        "lte": gettext_lazy("is at most … days away"),
        "eq": gettext_lazy("is exactly … days away"),
        "ne": gettext_lazy("is not … days away"),
        "between": gettext_lazy("is between … and … days away"),
    }

    def compare(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        return source.compare(_LOOKUPS[op], day.today + dt.timedelta(days=operand))

    def read(self, stored: Any, day: LocalDay) -> int | None:
        return None if stored is None else (stored - day.today).days


class DaysToYearday(_Days):
    """Days until a yearly date comes round (0: today).

    Somebody born on 29 February has her day on the 28th in years without one.
    """

    unit = gettext_lazy("in … days")
    highest = 365
    operators = ("lte", "eq", "between", "is_set", "not_set")
    operator_labels = {
        "lte": gettext_lazy("comes within … days"),
        "eq": gettext_lazy("is exactly … days away"),
        "between": gettext_lazy("is between … and … days away"),
    }

    def condition(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        if op in VALUELESS:
            return super().condition(source, op, operand, day)
        first, last = {"lte": (0, operand), "eq": (operand, operand)}.get(op) or operand
        wanted = Q()
        start = day.today + dt.timedelta(days=first)
        end = day.today + dt.timedelta(days=last)
        for year in range(start.year, end.year + 1):
            wanted |= self._within_year(
                source, max(start, dt.date(year, 1, 1)), min(end, dt.date(year, 12, 31))
            )
        return wanted

    @staticmethod
    def _within_year(source: Source, start: dt.date, end: dt.date) -> Q:
        last = (end.month, end.day)
        if last == (2, 28) and (end + dt.timedelta(days=1)).month == 3:
            last = (2, 29)
        months = source.compare("month__gt", start.month) & source.compare("month__lt", last[0])
        from_start = source.compare("day__gte", start.day)
        to_end = source.compare("day__lte", last[1])
        if start.month == last[0]:
            return source.compare("month", start.month) & from_start & to_end
        return (
            months
            | (source.compare("month", start.month) & from_start)
            | (source.compare("month", last[0]) & to_end)
        )

    def read(self, stored: Any, day: LocalDay) -> int | None:
        if stored is None:
            return None
        comes = _in_year(stored, day.today.year)
        if comes < day.today:
            comes = _in_year(stored, day.today.year + 1)
        return (comes - day.today).days


def _in_year(date: dt.date, year: int) -> dt.date:
    try:
        return date.replace(year=year)
    except ValueError:
        return dt.date(year, 2, 28)


class Month(ValueType):
    """The month of a stored date: 1 to 12, or "current"."""

    name = "month"
    operators = ("eq", "ne", "in", "is_set", "not_set")
    uses_clock = True

    def clean(self, value: Any) -> int | str:
        if value == "current":
            return "current"
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 12:
            raise ValueError(_('Give a month from 1 to 12, or "current".'))
        return value

    def compare(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        months = operand if op == "in" else [operand]
        numbers = {day.today.month if month == "current" else month for month in months}
        return source.compare("month__in", sorted(numbers))

    def read(self, stored: Any, day: LocalDay) -> int | None:
        return None if stored is None else stored.month


class Date(ValueType):
    """A calendar date, written YYYY-MM-DD."""

    name = "date"
    operators = ("eq", "ne", "gt", "gte", "lt", "lte", "between", "is_set", "not_set")
    operator_labels = {
        "gt": gettext_lazy("is after"),
        "gte": gettext_lazy("is on or after"),
        "lt": gettext_lazy("is before"),
        "lte": gettext_lazy("is on or before"),
    }

    def clean(self, value: Any) -> dt.date:
        try:
            if not isinstance(value, str) or not _ISO_DATE.fullmatch(value):
                raise ValueError(value)
            return dt.date.fromisoformat(value)
        except ValueError:
            raise ValueError(_("Enter a date as YYYY-MM-DD.")) from None


class Choice(ValueType):
    """One of a list; the field knows the list and checks it."""

    name = "choice"
    operators = ("eq", "ne", "in", "is_set", "not_set")

    def clean(self, value: Any) -> str:
        return clean_text(value)


class Text(ValueType):
    """Free text, compared without regard to case."""

    name = "text"
    operators = ("eq", "ne", "contains", "in", "is_set", "not_set")

    def clean(self, value: Any) -> str:
        return clean_text(value)

    def compare(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        if op == "in":
            return Q(*[source.compare("iexact", each) for each in operand], _connector=Q.OR)
        return source.compare({"eq": "iexact", "contains": "icontains"}[op], operand)


class Tags(ValueType):
    """The words on a customer. Nobody's are missing: an empty list lacks every tag."""

    name = "tags"
    operators = ("contains", "in", "ne", "is_set", "not_set")
    operator_labels = {
        "contains": gettext_lazy("include"),
        "in": gettext_lazy("include any of"),
        "ne": gettext_lazy("do not include"),
        "is_set": gettext_lazy("are not empty"),
        "not_set": gettext_lazy("are empty"),
    }

    def clean(self, value: Any) -> str:
        return clean_text(value)

    def condition(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        if op in VALUELESS:
            empty = source.compare("len", 0)
            return empty if op == "not_set" else ~empty
        if op == "in":
            return source.compare("overlap", operand)
        has = source.compare("contains", [operand])
        return ~has if op == "ne" else has


class Boolean(ValueType):
    """Yes or no. Where no row says so the answer is no, unless the field is `optional`."""

    name = "boolean"

    def __init__(self, *, optional: bool = False) -> None:
        self.optional = optional
        self.operators = ("eq", "ne", "is_set", "not_set") if optional else ("eq", "ne")

    def clean(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError(_("Say yes or no (true or false)."))
        return value

    def condition(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        if op in VALUELESS:
            return super().condition(source, op, operand, day)
        wanted = operand == (op == "eq")
        if wanted or self.optional:
            return source.compare("exact", wanted)
        return does_not_hold(source.compare("exact", True))

    def read(self, stored: Any, day: LocalDay) -> bool | None:
        return stored if self.optional else bool(stored)


def clean_text(value: Any) -> str:
    """A text PostgreSQL can hold, of sane length."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(_("Enter a text."))
    if len(value) > MAX_TEXT:
        raise ValueError(_("At most %(max)d characters.") % {"max": MAX_TEXT})
    if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError(_("This text holds a character that cannot be stored."))
    return value.strip()
