"""The clock stands at noon in India on Monday, 15 June 2026, until a test moves it."""

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from customers.models import Customer
from tests.customers.at_noon import noon
from tests.factories.core import Chain
from tests.factories.customers import CustomerFactory
from tests.factories.loyalty import make_programme

__all__ = ["noon"]

INDIA = ZoneInfo("Asia/Kolkata")


def at(day: str, time: str = "12:00") -> dt.datetime:
    """A moment on the chain's clock: `at("2026-01-31")`."""
    return dt.datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=INDIA)


@pytest.fixture
def go(noon) -> Callable[..., None]:
    """`go("2026-02-28", "23:59")` sets the clock."""
    return lambda day, time="12:00": noon.move_to(at(day, time))


@pytest.fixture
def asha(chain: Chain, noon) -> Customer:
    make_programme()
    return CustomerFactory(first_name="Asha", phone="+919876543210", home_branch=chain.north)
