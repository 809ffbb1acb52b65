"""Callers of the API."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client


@pytest.fixture
def api(login: Callable[[str], Client]) -> Callable[..., Any]:
    """`api("owner", "patch", url, {"a": 1})` is the response to a JSON request."""

    def call(staff: str, method: str, url: str, body: Any = None) -> Any:
        request = getattr(login(staff), method)
        if method == "get":
            return request(url)
        return request(url, body, content_type="application/json")

    return call
