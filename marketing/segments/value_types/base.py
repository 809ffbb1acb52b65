"""What every type of segment field shares."""

from abc import abstractmethod
from typing import Any, ClassVar

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.segments.local_time import LocalDay
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
    "not_in": gettext_lazy("is none of"),
    "contains": gettext_lazy("contains"),
    "starts_with": gettext_lazy("starts with"),
    "all": gettext_lazy("has all of"),
    "within_last": gettext_lazy("is within the last … days"),
    "within_next": gettext_lazy("is within the next … days"),
    "today": gettext_lazy("is today"),
    "within_km": gettext_lazy("is within … km of …"),
    "beyond_km": gettext_lazy("is more than … km from …"),
    "is_set": gettext_lazy("is known"),
    "not_set": gettext_lazy("is not known"),
}
VALUELESS = frozenset({"is_set", "not_set", "today"})
LISTS = frozenset({"in", "not_in", "all"})
MAX_LIST = 1000
MAX_TEXT = 200
LOOKUPS = {"eq": "exact", "gt": "gt", "gte": "gte", "lt": "lt", "lte": "lte", "in": "in"}
COMPARISONS = ("gt", "gte", "lt", "lte", "eq", "ne", "between")
ORDERED = (*COMPARISONS, "in", "not_in", "is_set", "not_set")


class ValueType:
    """One kind of value. `uses_clock` types are judged in the customer's own time zone."""

    name: ClassVar[str]
    operators: tuple[str, ...]
    operator_labels: ClassVar[dict[str, str | Promise]] = {}
    uses_clock: bool = False
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
        if op in LISTS:
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

    def chosen(self, operand: Any) -> list[Any]:
        """The values of an operand that must be among the field's choices."""
        return operand if isinstance(operand, list) else [operand]

    def condition(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        """The rows that satisfy the condition; `operand` is what `clean_operand` returned."""
        if op == "is_set":
            return source.is_known()
        if op == "not_set":
            return ~source.is_known()
        if op == "ne":
            return source.is_known() & ~self.compare(source, "eq", operand, day)
        if op == "not_in":
            return source.is_known() & ~self.compare(source, "in", operand, day)
        if op == "between":
            low, high = operand
            return self.compare(source, "gte", low, day) & self.compare(source, "lte", high, day)
        return self.compare(source, op, operand, day)

    def compare(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        """Every operator that `condition` does not make out of others."""
        return source.compare(LOOKUPS[op], operand)

    def read(self, stored: Any, day: LocalDay) -> Any:
        """A stored value in the unit rules are written in; None when there is none."""
        return None if stored == "" else stored


def clean_text(value: Any) -> str:
    """A text PostgreSQL can hold, of sane length."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(_("Enter a text."))
    if len(value) > MAX_TEXT:
        raise ValueError(_("At most %(max)d characters.") % {"max": MAX_TEXT})
    if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError(_("This text holds a character that cannot be stored."))
    return value.strip()
