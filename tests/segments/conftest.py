"""People to choose from, and callers of the API."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from marketing.core import events
from tests.factories.core import Chain
from tests.factories.customers import CustomerFactory


@pytest.fixture
def people(chain: Chain) -> Chain:
    """Two who come, one north and one south, and one of the north who never came."""
    CustomerFactory(first_name="north", home_branch=chain.north, facts={"visit_count": 3})
    CustomerFactory(first_name="south", home_branch=chain.south, facts={"visit_count": 3})
    CustomerFactory(first_name="never", home_branch=chain.north)
    return chain


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something listens to segments."""
    monkeypatch.setattr(events, "has_subscribers", lambda name: name.startswith("segment."))


@pytest.fixture
def api(login: Callable[[str], Client]) -> Callable[..., Any]:
    """`api("owner", "patch", "segments", {"a": 1})` is the response to a JSON request."""

    def call(staff: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
        request = getattr(login(staff), method)
        url = f"/api/v1/{path}"
        if method == "get":
            return request(url, body or {}, headers=headers)
        return request(url, body, content_type="application/json", headers=headers)

    return call
