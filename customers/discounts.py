"""What upper apps know of discounts that people were given, for their facts."""

from collections.abc import Iterator

_sources: list[str] = []


def register(select: str) -> None:
    """Have the discounts of a source counted; called while apps are loaded.

    `select` is SQL over `chosen (id, at)`, the customers and as of when, that gives
    `customer_id`, `at` and `amount` (rupees, without what was given back) of each. What changes
    its rows marks the customer as stale.
    """
    _sources.append(select)


def sources() -> Iterator[str]:
    """The SQL of every source."""
    return iter(_sources)
