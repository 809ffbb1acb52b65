"""What the apps above keep about a person, for the right to see it and to have it erased."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from customers.models import Customer


@dataclass(frozen=True)
class Holding:
    """`export` gives what is kept as JSON values; `erase` blanks it in the open transaction."""

    name: str
    export: Callable[[Customer], Any]
    erase: Callable[[Customer], None]


_holdings: list[Holding] = []


def register(holding: Holding) -> None:
    """Add what an app keeps; called while apps are loaded."""
    _holdings.append(holding)


def holdings() -> tuple[Holding, ...]:
    """What every app registered."""
    return tuple(_holdings)
