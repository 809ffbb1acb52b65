"""Where a field's value lies: a column reached from the customer, or a custom attribute.

A source compares; the value types (`value_types/`) decide what is compared. Every
condition is two-valued once it stands in a WHERE: a missing value never matches a
comparison, and its negation always does.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import F, Func, JSONField, Q, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.lookups import (
    GreaterThan,
    GreaterThanOrEqual,
    IContains,
    IExact,
    LessThan,
    LessThanOrEqual,
)


class Source(Protocol):
    """What a value type needs of the place where the value lies."""

    def compare(self, lookup: str, value: Any) -> Q:
        """The rows whose stored value satisfies a Django look-up; never those without one."""

    def is_known(self) -> Q:
        """The rows that have a value."""

    def expression(self) -> Combinable:
        """The stored value itself, to show beside a verdict."""


@dataclass(frozen=True)
class Column:
    """A column by its path from `Customer`; an empty text counts as no value."""

    path: str
    is_text: bool = False

    def compare(self, lookup: str, value: Any) -> Q:
        return Q((f"{self.path}__{lookup}", value))

    def is_known(self) -> Q:
        known = Q((f"{self.path}__isnull", False))
        return known & ~Q((self.path, "")) if self.is_text else known

    def expression(self) -> Combinable:
        return F(self.path)


@dataclass(frozen=True)
class Attribute:
    """A key of `Customer.attributes`, compared as JSON: no cast that bad data could break.

    The key travels as a parameter, because as part of a Django path one named like a
    look-up ("in", "contains") would mean something else.
    """

    key: str

    def compare(self, lookup: str, value: Any) -> Q:
        if lookup == "exact":
            return Q(attributes__contains={self.key: _as_json(value)})
        if lookup == "in":
            same = [Q(attributes__contains={self.key: _as_json(each)}) for each in value]
            return Q(*same, _connector=Q.OR)
        if lookup in ("iexact", "icontains"):
            text = Func(
                F("attributes"),
                Value(self.key),
                function="jsonb_extract_path_text",
                output_field=TextField(),
            )
            return self.is_known() & Q(
                {"iexact": IExact, "icontains": IContains}[lookup](text, value)
            )
        order = {
            "gt": GreaterThan,
            "gte": GreaterThanOrEqual,
            "lt": LessThan,
            "lte": LessThanOrEqual,
        }[lookup]
        return self.is_known() & Q(order(self.expression(), Value(_as_json(value), JSONField())))

    def is_known(self) -> Q:
        return Q(attributes__has_key=self.key)

    def expression(self) -> Combinable:
        return Func(
            F("attributes"),
            Value(self.key),
            function="jsonb_extract_path",
            output_field=JSONField(),
        )


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value
