"""The shared send rate: never above it, halved when asked, whole again afterwards."""

import threading
import uuid

import pytest
import redis
from django.conf import settings as django_settings

from marketing.delivery.dispatch import tokens
from marketing.delivery.dispatch.tokens import RECOVERY_SECONDS, LocalBucket, TokenBuckets

BROKER_URL = django_settings.BROKER_URL


@pytest.fixture
def account_id():
    account_id = uuid.uuid4()
    yield account_id
    client = redis.Redis.from_url(BROKER_URL)
    client.delete(f"parlour:tokens:{account_id}")
    client.close()


def age(account_id, seconds):
    """Let the bucket believe that so much time has passed."""
    client = redis.Redis.from_url(django_settings.BROKER_URL)
    key = f"parlour:tokens:{account_id}"
    for name in ("at", "slowed_at", "blocked_until"):
        if client.hexists(key, name):
            client.hincrbyfloat(key, name, -seconds)
    client.close()


def test_workers_together_get_no_more_than_the_rate(account_id):
    given = []

    def take():
        buckets = TokenBuckets()
        given.append(sum(buckets.take(account_id, 100, 40) for _ in range(5)))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # One second's worth to begin with, and what the milliseconds since have added.
    assert 100 <= sum(given) < 200


def test_what_was_not_used_is_there_again(account_id):
    buckets = TokenBuckets()
    assert buckets.take(account_id, 10, 10) == 10
    buckets.give_back(account_id, 7)
    assert buckets.take(account_id, 10, 10) == 7


def test_asked_to_slow_down_the_rate_halves_once_a_second(account_id):
    buckets = TokenBuckets()
    for _ in range(10):
        buckets.slow_down(account_id)
    age(account_id, 1.0)
    assert 50 <= buckets.take(account_id, 100, 1000) <= 54


def test_retry_after_is_kept(account_id):
    buckets = TokenBuckets()
    buckets.slow_down(account_id, wait=5.0)
    age(account_id, 4.0)
    assert buckets.take(account_id, 100, 10) == 0
    age(account_id, 1.1)
    assert buckets.take(account_id, 100, 10) == 10


def test_full_rate_after_the_recovery(account_id):
    buckets = TokenBuckets()
    for _ in range(6):
        buckets.slow_down(account_id)
        age(account_id, 1.0)
    assert buckets.take(account_id, 100, 1000) < 20
    age(account_id, RECOVERY_SECONDS)
    assert buckets.take(account_id, 100, 1000) == 100


def test_without_valkey_each_worker_counts_for_itself(account_id, monkeypatch, caplog):
    monkeypatch.setattr(django_settings, "BROKER_URL", "redis://127.0.0.1:1/0")
    buckets = TokenBuckets()
    assert buckets.take(account_id, 1000, 10) == 0
    clock = tokens.time.monotonic
    monkeypatch.setattr(tokens.time, "monotonic", lambda: clock() + 1)
    assert buckets.take(account_id, 1000, 5000) == 1000
    assert "unreachable" in caplog.text


class TestLocalBucket:
    def test_holds_one_seconds_worth(self):
        bucket = LocalBucket(tokens=0.0, at=0.0)
        assert bucket.take(50, 100, 10.0) == 50
        assert bucket.take(50, 100, 10.125) == 6

    def test_slows_down_and_recovers(self):
        bucket = LocalBucket(tokens=0.0, at=0.0)
        bucket.slow_down(2.0, 100.0)
        assert bucket.take(100, 100, 101.0) == 0
        assert 50 <= bucket.take(100, 200, 103.0) <= 60
        assert bucket.take(100, 200, 100.0 + RECOVERY_SECONDS + 1) == 100

    def test_slowest_is_not_nothing(self):
        bucket = LocalBucket(tokens=0.0, at=0.0)
        for second in range(60):
            bucket.slow_down(0.0, 100.0 + second)
        assert bucket.take(100, 10, 162.0) >= 1
