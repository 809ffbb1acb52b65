"""Choices, texts, tags, and yes or no."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.segments.local_time import LocalDay
from marketing.segments.negation import does_not_hold
from marketing.segments.sources import Source
from marketing.segments.value_types.base import VALUELESS, ValueType, clean_text


class Choice(ValueType):
    """One of a list; the field knows the list and checks it."""

    name = "choice"
    operators: tuple[str, ...] = ("eq", "ne", "in", "not_in", "is_set", "not_set")

    def clean(self, value: Any) -> str:
        return clean_text(value)


class Text(ValueType):
    """Free text, compared without regard to case."""

    name = "text"
    operators = (
        *("eq", "ne", "contains", "starts_with"),
        *("in", "not_in", "is_set", "not_set"),
    )

    def clean(self, value: Any) -> str:
        return clean_text(value)

    def compare(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        if op == "in":
            return Q(*[source.compare("iexact", each) for each in operand], _connector=Q.OR)
        lookup = {"eq": "iexact", "contains": "icontains", "starts_with": "istartswith"}[op]
        return source.compare(lookup, operand)


class Tags(ValueType):
    """The words on a customer. Nobody's are missing: an empty list lacks every tag."""

    name = "tags"
    operators = ("contains", "in", "all", "ne", "not_in", "is_set", "not_set")
    operator_labels = {
        "contains": gettext_lazy("include"),
        "in": gettext_lazy("include any of"),
        "all": gettext_lazy("include all of"),
        "ne": gettext_lazy("do not include"),
        "not_in": gettext_lazy("include none of"),
        "is_set": gettext_lazy("are not empty"),
        "not_set": gettext_lazy("are empty"),
    }

    def clean(self, value: Any) -> str:
        return clean_text(value)

    def condition(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        if op in VALUELESS:
            empty = source.compare("len", 0)
            return empty if op == "not_set" else ~empty
        if op in ("in", "not_in"):
            any_of = source.compare("overlap", operand)
            return ~any_of if op == "not_in" else any_of
        if op == "all":
            return source.compare("contains", operand)
        has = source.compare("contains", [operand])
        return ~has if op == "ne" else has


class Several(Tags):
    """Some of a list, from rows of their own; who has no rows lacks all of them."""

    name = "choice"

    def __init__(self, *, lapses: bool = False) -> None:
        self.uses_clock = lapses

    def condition(self, source: Source, op: str, operand: Any, day: LocalDay) -> Q:
        return super().condition(source.on(day), op, operand, day)


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
