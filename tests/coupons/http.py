"""Coupons and offers over HTTP, for the tests of their API."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.test import Client

NOBODY = str(uuid.uuid4())
COUPON = {
    "code": "diwali २०",
    "name": "दिवाली 🎉",
    "description": "",
    "discountType": "percentage",
    "discountValue": 20,
    "validFrom": "2026-01-01",
    "validUntil": "2099-12-31",
    "minOrderAmount": "500",
}
OFFER = {"name": "Any", "discountType": "flat", "discountValue": "100.00", "automatic": True}
FREE = {"discountType": "free_service", "discountValue": 0}
TIERS = {"discountType": "spend_tiers", "discountValue": None}
Answer = tuple[int, Any]


def caller(login: Callable[[str], Client]) -> Callable[..., Answer]:
    """`api(staff, method, path, body, **headers)` answers with status and JSON."""
    clients: dict[str, Client] = {}

    def call(staff: str, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        if staff not in clients:
            clients[staff] = login(staff)
        client = clients[staff]
        sent = {} if method == "get" else {"content_type": "application/json"}
        data = {} if body is None else body
        answer = getattr(client, method)(f"/api/v1/{path}", data, headers=headers, **sent)
        return answer.status_code, answer.json() if answer.content else {}

    return call


def fields(answer: Answer) -> dict[str, list[str]]:
    """The fields that were refused."""
    status, found = answer
    assert status == 400, found
    assert found["error"]["code"] == "MARKETING_400"
    refused: dict[str, list[str]] = found["error"]["fields"]
    return refused


def refused_at(
    api: Callable[..., Answer], path: str, body: Mapping[str, Any], table: Mapping[str, Any]
) -> dict[str, list[str]]:
    """Where each body of the table is refused."""
    return {
        name: list(fields(api("owner", "post", path, {**body, **change})))
        for name, (change, _field) in table.items()
    }


def expected(table: Mapping[str, Any]) -> dict[str, list[str]]:
    """What `refused_at` gives where each is refused at its own field alone."""
    return {name: [field] for name, (_change, field) in table.items()}
