"""Columns of the list of customers whose values another app owns."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise

from marketing.core.actor import Actor

Values = Callable[[Sequence[uuid.UUID]], Mapping[uuid.UUID, int] | None]


@dataclass(frozen=True, slots=True)
class Column:
    """A number of each of these people, found in one statement for all; who is left out has 0.

    None: the chain has none such, and no column. It is shown to who has the `permission`.
    """

    label: str | Promise
    values: Values
    permission: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A column as it stands on a page: a number for each row, in the order of the rows."""

    label: str | Promise
    numbers: Sequence[int]


_columns: list[Column] = []


def register(label: str | Promise, values: Values, permission: str) -> None:
    """Add a column; called while apps are loaded, whose order is that of the columns."""
    _columns.append(Column(label, values, permission))


def shown_to(actor: Actor, customer_ids: Sequence[uuid.UUID]) -> list[Shown]:
    """The columns that the actor may see, for the rows of one page; a statement each."""
    shown = []
    for column in _columns:
        if customer_ids and actor.can(column.permission):
            found = column.values(customer_ids)
            if found is not None:
                numbers = [found.get(pk, 0) for pk in customer_ids]
                shown.append(Shown(column.label, numbers))
    return shown
