"""Months and calendar dates."""

import datetime as dt
import re
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.segments.local_time import LocalDay
from marketing.segments.sources import Source
from marketing.segments.value_types.base import ValueType
from marketing.segments.value_types.days import SPANS, clean_days, within_span

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Month(ValueType):
    """The month of a stored date: 1 to 12, or "current"."""

    name = "month"
    operators = ("eq", "ne", "in", "not_in", "is_set", "not_set")
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
    operators = (
        *("eq", "ne", "gt", "gte", "lt", "lte", "between"),
        *("within_last", "within_next", "is_set", "not_set"),
    )
    uses_clock = True
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

    def clean_operand(self, op: str, value: Any) -> Any:
        if op in SPANS:
            return clean_days(value)
        return super().clean_operand(op, value)

    def condition(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        if op in SPANS:
            return within_span(source, op, operand, day)
        return super().condition(source, op, operand, day)
