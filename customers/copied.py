"""What upper apps keep of a customer that her facts hold a copy of, to be counted with them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Copied(NamedTuple):
    """Columns of facts, and the SQL that gives them."""

    columns: Sequence[str]
    select: str


_sources: list[Copied] = []


def register(columns: Sequence[str], select: str) -> None:
    """Have these columns of facts copied; called while apps are loaded.

    `select` is SQL over `chosen (id, at)`, the customers, that gives `customer_id` and the columns,
    one row a customer at most; who has none gets NULLs. What changes its rows marks the customer
    as stale in the same transaction (`facts.mark_stale`, `facts.MARK`).
    """
    _sources.append(Copied(columns, select))


def source_of(column: str) -> Copied:
    """The one that gives this column of facts."""
    return next(source for source in _sources if column in source.columns)


def sources() -> Iterator[Copied]:
    """All of them."""
    return iter(_sources)
