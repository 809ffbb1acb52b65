"""Who changed in something that people are judged by: upper apps that judge them ask to be told."""

import uuid
from collections.abc import Callable, Sequence

Listener = Callable[[Sequence[uuid.UUID]], None]

_listeners: list[Listener] = []


def register(listener: Listener) -> None:
    """Have it called with the customers' ids, in the transaction that changed them.

    Called while apps are loaded. It should only make a note: others wait for these rows.
    """
    _listeners.append(listener)


def tell(customer_ids: Sequence[uuid.UUID]) -> None:
    """Tell every listener; of nobody, none."""
    if customer_ids:
        for listener in _listeners:
            listener(customer_ids)
