"""Refusals asked for by the thousand."""

import pytest
from django.http import HttpRequest, HttpResponse

from marketing.core.errors import DomainError


@pytest.fixture
def bare_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal is its status alone: drawing its page takes many times as long as refusing."""

    def error_page(_request: HttpRequest, error: DomainError) -> HttpResponse:
        return HttpResponse(status=error.http_status)

    monkeypatch.setattr("marketing.core.pages.error_page", error_page)
