"""Where a field's value lies: a column reached from the customer, or a custom attribute.

A source compares; the value types (`value_types/`) decide what is compared. Every
condition is two-valued once it stands in a WHERE: a missing value never matches a
comparison, and its negation always does.
"""

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import Any, Protocol, Self

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import (
    Case,
    Exists,
    F,
    Func,
    JSONField,
    Manager,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cos, JSONObject, Radians, Sin
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    IContains,
    IExact,
    In,
    IsNull,
    IStartsWith,
    LessThan,
    LessThanOrEqual,
)

from marketing.segments.local_time import LocalDay


class Source(Protocol):
    """What a value type needs of the place where the value lies."""

    def compare(self, lookup: str, value: Any) -> Q:
        """The rows whose stored value satisfies a Django look-up; never those without one."""

    def is_known(self) -> Q:
        """The rows that have a value."""

    def expression(self) -> Combinable:
        """The stored value itself, to show beside a verdict."""

    def on(self, day: LocalDay) -> "Source":
        """The source as it stands on a day, where rows run out."""


class Lasting:
    """A source that is the same on every day."""

    def on(self, day: LocalDay) -> Self:
        return self


@dataclass(frozen=True)
class Column(Lasting):
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
class Attribute(Lasting):
    """A key of a JSON column, compared as JSON: no cast that bad data could break.

    The key travels as a parameter, because as part of a Django path one named like a
    look-up ("in", "contains") would mean something else.
    """

    key: str
    column: str = "attributes"

    def compare(self, lookup: str, value: Any) -> Q:
        if lookup == "exact":
            return Q((f"{self.column}__contains", {self.key: _as_json(value)}))
        if lookup == "in":
            return Q(*[self.compare("exact", each) for each in value], _connector=Q.OR)
        if lookup in _TEXT_LOOKUPS:
            text = Func(
                F(self.column),
                Value(self.key),
                function="jsonb_extract_path_text",
                output_field=TextField(),
            )
            return self.is_known() & Q(_TEXT_LOOKUPS[lookup](text, value))
        operand = _as_json(value)
        is_above_or_below = _COMPARISONS[lookup](self.expression(), Value(operand, JSONField()))
        return self.is_known() & self._is_like(operand) & Q(is_above_or_below)

    def _is_like(self, operand: Any) -> Q:
        """JSON orders values of different kinds, too: any text is above any number."""
        kind = Func(self.expression(), function="jsonb_typeof", output_field=TextField())
        return Q(Exact(kind, Value("string" if isinstance(operand, str) else "number")))

    def is_known(self) -> Q:
        return Q((f"{self.column}__has_key", self.key))

    def expression(self) -> Combinable:
        return Func(
            F(self.column),
            Value(self.key),
            function="jsonb_extract_path",
            output_field=JSONField(),
        )


@dataclass(frozen=True)
class Computed(Lasting):
    """A value worked out from columns; missing where the expression gives NULL."""

    value: Combinable

    def compare(self, lookup: str, value: Any) -> Q:
        return Q(_COMPARISONS[lookup](self.value, value))

    def is_known(self) -> Q:
        return Q(IsNull(self.value, False))

    def expression(self) -> Combinable:
        return self.value


@dataclass(frozen=True)
class Numbered(Lasting):
    """A choice that is worked out as a number, which is never missing."""

    number: Combinable
    numbers: Mapping[str, float]

    def compare(self, lookup: str, value: Any) -> Q:
        if lookup == "in":
            return Q(In(self.number, [self.numbers[each] for each in value]))
        return Q(Exact(self.number, self.numbers[value]))

    def is_known(self) -> Q:
        return Q()

    def expression(self) -> Combinable:
        names = [
            When(Exact(self.number, place), then=Value(n)) for n, place in self.numbers.items()
        ]
        return Case(*names)


class HasRow(Exists):
    """Whether the customer has such a row: looked for by her id, which `of` another table is in
    another column. `copied` says the same of her facts, where they hold a copy.
    """

    def __init__(self, rows: QuerySet[Any], customer: str = "pk", copied: Q | None = None) -> None:
        self.rows = rows
        self.copied = copied
        super().__init__(rows.filter(customer_id=OuterRef(customer)))

    def of(self, customer: str) -> "HasRow":
        return HasRow(self.rows, customer)


@dataclass(frozen=True)
class Beside(Lasting):
    """A value of the one row of another table that a customer may have; without it there is none.

    `joined` is the same from the customer on, to show it; `copy` the column of her facts that
    holds it, to count by.
    """

    model: type[Model]
    value: Combinable
    joined: Combinable
    copy: str

    def compare(self, lookup: str, value: Any) -> Q:
        copied = Q((f"{self.copy}__{lookup}", value))
        return self._has(Q(_COMPARISONS[lookup](self.value, value)), copied)

    def is_known(self) -> Q:
        return self._has(Q(IsNull(self.value, False)), Q((f"{self.copy}__isnull", False)))

    def expression(self) -> Combinable:
        return self.joined

    def _has(self, condition: Q, copied: Q) -> Q:
        return Q(HasRow(manager_of(self.model).filter(condition), copied=copied))


@dataclass(frozen=True)
class Related:
    """A column of rows that point at the customer: as many values as there are rows.

    `running` narrows them to those that count on a day. Its look-ups are those of an array; `copy`
    names one of her facts that holds the values, to count by, and is NULL where there are none.
    """

    model: type[Model]
    path: str
    rows: Q = dataclass_field(default_factory=Q)
    running: Callable[[LocalDay], Q] | None = None
    copy: str = ""

    def on(self, day: LocalDay) -> "Related":
        if self.running is None:
            return self
        return replace(self, rows=self.rows & self.running(day), running=None)

    def compare(self, lookup: str, value: Any) -> Q:
        if lookup == "len":
            return ~self.is_known()
        if lookup == "overlap":
            return self._exists(Q((f"{self.path}__in", value)), value)
        return Q(*[self._exists(Q((self.path, each)), [each]) for each in value])

    def is_known(self) -> Q:
        return self._exists(Q(), None)

    def expression(self) -> Combinable:
        hers = self._rows().filter(customer_id=OuterRef("pk"))
        values = hers.order_by().values("customer_id")
        return Subquery(values.annotate(all=ArrayAgg(self.path, distinct=True)).values("all"))

    def copied(self, values: Sequence[Any] | None) -> Q | None:
        """Who has one of these, or any (None), asked of her facts; None where these cannot say."""
        if not self.copy:
            return None
        if values is None:
            return Q((f"{self.copy}__isnull", False))
        return Q((f"{self.copy}__overlap", values))

    def _exists(self, condition: Q, values: Sequence[Any] | None) -> Q:
        return Q(HasRow(self._rows().filter(condition), copied=self.copied(values)))

    def _rows(self) -> QuerySet[Any]:
        return manager_of(self.model).filter(self.rows)


@dataclass(frozen=True)
class Found(Lasting):
    """Yes where `model` has a row that `rows` describes; asked in the open tenant scope."""

    model: type[Model]
    rows: Callable[[], Q]

    def compare(self, lookup: str, value: Any) -> Q:
        found = Q(Exists(manager_of(self.model).filter(self.rows())))
        return found if value else ~found

    def is_known(self) -> Q:
        return Q()

    def expression(self) -> Combinable:
        return Case(When(self.compare("exact", True), then=Value(True)), default=Value(False))


@dataclass(frozen=True)
class OneOf(Lasting):
    """A choice that no column holds: each value is a condition, and several may be true."""

    conditions: Mapping[str, Q]

    def compare(self, lookup: str, value: Any) -> Q:
        values = value if lookup == "in" else [value]
        return Q(*[self.conditions[each] for each in values], _connector=Q.OR)

    def is_known(self) -> Q:
        return Q(*self.conditions.values(), _connector=Q.OR)

    def expression(self) -> Combinable:
        names = [When(q, then=Value(name)) for name, q in self.conditions.items()]
        return Case(*names, default=None)


@dataclass(frozen=True)
class AnyRow(Lasting):
    """A column of rows below a counted one, the lines of a bill: any of them may have it."""

    rows: Callable[[], QuerySet[Any]]
    key: str
    path: str

    def compare(self, lookup: str, value: Any) -> Q:
        return self._exists((f"{self.path}__{lookup}", value))

    def is_known(self) -> Q:
        return self._exists()

    def expression(self) -> Combinable:
        return Subquery(self._rows().values(self.path)[:1])

    def _exists(self, *conditions: tuple[str, Any]) -> Q:
        return Q(Exists(self._rows().filter(*[Q(each) for each in conditions])))

    def _rows(self) -> QuerySet[Any]:
        return self.rows().filter((self.key, OuterRef("pk")))


def manager_of(model: type[Model]) -> Manager[Any]:
    """The manager that knows the tenant; to be asked in its scope, not while apps are loaded."""
    return model._default_manager


@dataclass(frozen=True)
class Coordinates(Lasting):
    """Two columns of degrees: a box that an index can serve, and within it the great circle."""

    latitude: str
    longitude: str

    def compare(self, lookup: str, value: Any) -> Q:
        """`within` a `Circle`."""
        spans = [Q((f"{self.longitude}__range", span)) for span in value.longitudes()]
        box = Q((f"{self.latitude}__range", value.latitudes())) & Q(*spans, _connector=Q.OR)
        return box & Q(LessThanOrEqual(self._half_chord(value), value.half_chord))

    def is_known(self) -> Q:
        return Q((f"{self.latitude}__isnull", False), (f"{self.longitude}__isnull", False))

    def expression(self) -> Combinable:
        known = {"latitude": F(self.latitude), "longitude": F(self.longitude)}
        return Case(When(self.is_known(), then=JSONObject(**known)))

    def _half_chord(self, circle: Any) -> Combinable:
        """The haversine: how far two places lie apart, as it grows with the distance."""
        north = Sin((Radians(F(self.latitude)) - math.radians(circle.latitude)) / 2.0)
        east = Sin((Radians(F(self.longitude)) - math.radians(circle.longitude)) / 2.0)
        shrunk = Cos(Radians(F(self.latitude))) * math.cos(math.radians(circle.latitude))
        return north * north + shrunk * east * east


_TEXT_LOOKUPS = {"iexact": IExact, "icontains": IContains, "istartswith": IStartsWith}
_COMPARISONS = {
    "exact": Exact,
    "in": In,
    "gt": GreaterThan,
    "gte": GreaterThanOrEqual,
    "lt": LessThan,
    "lte": LessThanOrEqual,
}


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value
