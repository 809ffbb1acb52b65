"""Callers of the API, tasks that wait, and the vendor that delivery's tests talk to."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.delivery.conftest import live_chain, vendor

__all__ = ["live_chain", "vendor"]


@pytest.fixture
def api(login: Callable[[str], Client]) -> Callable[..., Any]:
    """`api("owner", "patch", url, {"a": 1})` is the response to a JSON request."""

    def call(staff: str, method: str, url: str, body: Any = None, **headers: str) -> Any:
        request = getattr(login(staff), method)
        if method == "get":
            return request(url, headers=headers)
        return request(url, body or {}, content_type="application/json", headers=headers)

    return call


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks wait in the rows; the test runs the services itself."""
    monkeypatch.setattr("celery.app.task.Task.apply_async", lambda *args, **options: None)


@pytest.fixture
def colleague(chain: Any) -> Any:
    """Somebody of the manager's branch whose phone and address tests may go to."""
    staff = chain.receptionist
    staff.phone, staff.email = "+919820012345", "asha@example.com"
    staff.save()
    return staff
