"""The registry of what rules may count: visits, bills, events, messages.

    {"visit": {"branch": id}, "count": {"op": "gte", "value": 2}, "within": {"days": 90}}
    {"message": {"channel": "email", "state": "read"}, "last": 3, "count": {"op": "eq", "value": 0}}

Each app registers the kinds whose rows it owns, while apps are loaded; an app above it may add
a filter to a kind (`add_filter`). A filter is a field of the row instead of the customer.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from marketing.segments.fields import Label, SegmentField

OpenFilters = Callable[[str, Any], SegmentField | None]


@dataclass(frozen=True)
class Behaviour:
    """Rows that say what a customer did, or what was done for her.

    `number_label` names their number in a sentence. `rows` is asked in the open tenant scope;
    `since` narrows them to those from a moment on, `newest_first` orders them. `outcomes` are
    the filters that judge a row by what became of it: with `last` they do not narrow which
    rows are the last ones; `settled` is what a row must be when none of them is asked for.
    `open_filters` gives filters whose names are made up by the chain.
    """

    name: str
    label: Label
    number_label: Label
    rows: Callable[[], QuerySet[Any]]
    since: Callable[[dt.datetime], Q]
    newest_first: str
    filters: Sequence[SegmentField]
    outcomes: frozenset[str] = frozenset()
    settled: Q = field(default_factory=Q)
    open_filters: OpenFilters | None = None

    def filter(self, name: str, value: Any = None) -> SegmentField | None:
        """The filter of this name; `value` decides the type of one the chain made up."""
        for each in self.all_filters():
            if each.name == name:
                return each
        if self.open_filters is None:
            return None
        found: SegmentField | None = self.open_filters(name, value)
        return found

    def all_filters(self) -> list[SegmentField]:
        return [*self.filters, *_more_filters.get(self.name, ())]


_behaviours: dict[str, Behaviour] = {}
_more_filters: dict[str, list[SegmentField]] = {}


def register(*behaviours: Behaviour) -> None:
    """Add kinds of behaviour. Raises ValueError when a name is taken."""
    for each in behaviours:
        if each.name in _behaviours:
            raise ValueError(f"behaviour {each.name!r} is registered twice")
        _behaviours[each.name] = each


def add_filter(behaviour: str, added: SegmentField) -> None:
    """Add a filter to a kind of behaviour whose rows another app owns."""
    _more_filters.setdefault(behaviour, []).append(added)


def all_behaviours() -> dict[str, Behaviour]:
    """Every kind by its name, in order of registration."""
    return dict(_behaviours)
