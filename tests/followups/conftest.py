"""The clock stands at noon in India on Monday, 15 June 2026."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from customers.models import Customer
from tests.customers.at_noon import noon
from tests.factories.core import Chain
from tests.factories.customers import CustomerFactory

__all__ = ["noon"]

TODAY = dt.date(2026, 6, 15)


@pytest.fixture(autouse=True)
def _stands(noon):
    """Every test here lives in that moment."""


@pytest.fixture
def asha(chain: Chain) -> Customer:
    return CustomerFactory(first_name="Asha", phone="+919876543210", home_branch=chain.north)


@pytest.fixture
def api(login: Callable[[str], Client]) -> Callable[..., Any]:
    """`api("owner", "patch", url, {"a": 1})` is the response to a JSON request."""

    def call(staff: str, method: str, url: str, body: Any = None, **headers: str) -> Any:
        request = getattr(login(staff), method)
        if method == "get":
            return request(url, body, headers=headers)
        return request(url, body, content_type="application/json", headers=headers)

    return call
