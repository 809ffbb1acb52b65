"""What upper apps know of a person's taking notice of messages, for her facts."""

from collections.abc import Iterator

# The facts count what was made so lately; a source may give more.
DAYS = 90

_sources: list[str] = []


def register(select: str) -> None:
    """Have the moments of a source counted; called while apps are loaded.

    `select` is SQL over `chosen (id, at)`, the customers and as of when, that gives
    `customer_id` and `at` of each thing she took notice of. What changes its rows marks the
    customer as stale. Of its parameters `tenant` and `now` are always there.
    """
    _sources.append(select)


def sources() -> Iterator[str]:
    """The SQL of every source."""
    return iter(_sources)
