from collections.abc import Callable
from typing import Any

import pytest

from marketing.content import gateway, services
from marketing.content.models import MessageTemplate, TemplateVersion

BODY = "Hi {{ customer_name }}, come and see us."


@pytest.fixture
def create(chain) -> Callable[..., MessageTemplate]:
    """Make a template through the service, as the branch manager unless `actor` is given."""

    def make(**values: Any) -> MessageTemplate:
        given = {
            "actor": chain.actor(chain.manager),
            "name": "Diwali offer",
            "channel": "whatsapp",
            "template_type": "promotional",
            "contents": {"en": {"body": BODY}},
        }
        return services.create_template(**(given | values))

    return make


class FakeGateway:
    """Stands where the vendors' app registers itself; remembers what it was handed."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.answers: list[dict[str, str] | Exception] = []

    def __call__(self, version: TemplateVersion, language: str) -> dict[str, str]:
        self.calls.append((version.whatsapp_template_name, language))
        answer = self.answers.pop(0) if self.answers else {"status": "pending"}
        if isinstance(answer, Exception):
            raise answer
        return {"id": f"meta-{language}"} | answer


@pytest.fixture
def whatsapp(monkeypatch) -> FakeGateway:
    fake = FakeGateway()
    monkeypatch.setattr(gateway, "_registered", [fake])
    return fake


@pytest.fixture
def api(login) -> Callable[..., Any]:
    """`api("manager", "patch", "templates", {"name": "x"})` is the response to a JSON request."""

    def call(staff: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
        request = getattr(login(staff), method)
        url = f"/api/v1/{path}"
        if method == "get":
            return request(url, body, headers=headers)
        return request(url, body or {}, content_type="application/json", headers=headers)

    return call


@pytest.fixture
def browser(login):
    return login("manager")


def page(answer, status=200):
    assert answer.status_code == status, answer.content
    return answer.content.decode()
