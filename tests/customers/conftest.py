"""Callers of the API, and a say in what consent is assumed."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.test import Client

from customers import consent_defaults
from customers.models import Customer
from tests.customers.at_noon import noon
from tests.factories.core import Chain
from tests.factories.customers import CustomerFactory

__all__ = ["noon"]


@pytest.fixture(autouse=True)
def assume(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, bool]], None]:
    """`assume({"whatsapp": True})` sets what the business assumes; nothing by default."""

    def set_to(channels: Mapping[str, bool]) -> None:
        monkeypatch.setattr(consent_defaults, "_providers", [lambda: channels])

    set_to({})
    return set_to


@pytest.fixture
def asha(chain: Chain) -> Customer:
    """A customer of the branch in the north, with a phone."""
    return CustomerFactory(
        first_name="Asha",
        phone="+919876543210",
        home_branch=chain.north,
        facts={"visit_count": 3, "total_spend": 150000},
    )


@pytest.fixture
def api(login: Callable[[str], Client]) -> Callable[..., Any]:
    """`api("owner", "patch", url, {"a": 1})` is the response to a JSON request."""

    def call(staff: str, method: str, url: str, body: Any = None, **headers: str) -> Any:
        request = getattr(login(staff), method)
        if method == "get":
            return request(url, headers=headers)
        return request(url, body, content_type="application/json", headers=headers)

    return call
