"""A key of another module, and what it sends."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from customers.models import Service
from marketing.core.api_keys import issue_api_key
from tests.billing_bridge.till import Till
from tests.factories.customers import ServiceFactory

AT = "2026-05-04T10:00:00+05:30"


@pytest.fixture
def desk(login) -> Client:
    """The counter's page, with a receptionist of the north at it."""
    return login("receptionist")


@pytest.fixture
def cut(chain) -> Service:
    return ServiceFactory(name="Haircut", price=Decimal("500"))


@pytest.fixture
def till(chain) -> Till:
    """The billing counter of the north."""
    return Till(chain)


@pytest.fixture
def issue(chain) -> Callable[..., Client]:
    """A client with a key of its own: `issue("events", branches=[…])`."""

    def make(*scopes, branches=None):
        _key, text = issue_api_key(
            tenant_id=chain.tenant.pk,
            name="CRM",
            scopes=list(scopes),
            branch_ids=None if branches is None else [branch.pk for branch in branches],
        )
        return Client(headers={"Authorization": f"Api-Key {text}"})

    return make


@pytest.fixture
def send(issue):
    """Post events with a key of scope `events`; gives the answer's data."""
    client = issue("events")

    def post(*events: Any, status: int = 200, by: Client = client) -> Any:
        body = json.dumps({"events": list(events)})
        response = by.post("/api/v1/events", body, "application/json")
        assert response.status_code == status, response.content
        answer = response.json()
        return answer["data"] if status == 200 else answer["error"]

    return post


def event(id_: str, name: str = "quote.sent", customer: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "name": name,
        "customer": customer or {"phone": "+919811100001", "name": "Asha Rao"},
        "occurredAt": AT,
        **more,
    }
