"""Calls are counted by who makes them; keys of other modules are let in."""

import pytest
import redis
from django.test import Client

from marketing.core.api_keys import issue_api_key
from marketing.core.drf import throttling


@pytest.fixture
def key(chain):
    def make():
        _key, text = issue_api_key(
            tenant_id=chain.tenant.pk, name="Till", scopes=["read"], branch_ids=None
        )
        return Client(headers={"Authorization": f"Api-Key {text}"})

    return make


def test_a_key_is_refused_what_is_too_much_until_the_next_minute(settings, key, monkeypatch):
    settings.API_CALLS_A_MINUTE = {"person": 1, "key": 2}
    monkeypatch.setattr(throttling, "_seconds", lambda: 1_800_000_015)
    mine, theirs = key(), key()
    assert [mine.get("/api/v1/segments").status_code for _ in range(3)] == [200, 200, 429]
    refused = mine.get("/api/v1/segments")
    assert refused.headers["Retry-After"] == "45"
    assert refused.json()["error"]["code"] == "MARKETING_429"
    assert theirs.get("/api/v1/segments").status_code == 200
    monkeypatch.setattr(throttling, "_seconds", lambda: 1_800_000_061)
    assert mine.get("/api/v1/segments").status_code == 200


def test_people_have_a_limit_of_their_own(settings, chain, client):
    settings.API_CALLS_A_MINUTE = {"person": 1, "key": 9}
    client.force_login(chain.manager.user)
    assert client.get("/api/v1/segments").status_code == 200
    assert client.get("/api/v1/segments").status_code == 429


@pytest.mark.parametrize(
    "fault", [redis.ConnectionError, redis.TimeoutError, ValueError, AttributeError]
)
def test_without_valkey_calls_go_on(settings, key, monkeypatch, fault):
    def gone(name):
        raise fault

    settings.API_CALLS_A_MINUTE = {"person": 1, "key": 1}
    monkeypatch.setattr(throttling, "_counted", gone)
    till = key()
    assert [till.get("/api/v1/segments").status_code for _ in range(2)] == [200, 200]
