"""Valkey for what must not hold anybody up: it waits a quarter of a second at most, once.

Whoever counts there catches `AWAY` and goes on without.
"""

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

# The last two: a connection given up while it is made reads from its closed buffer, or from none.
AWAY = (redis.RedisError, ValueError, AttributeError)
PATIENCE_SECONDS = 0.25


@cache
def impatient() -> redis.Redis:
    """One client for the process; it keeps a connection for each thread that asks at once."""
    return redis.Redis.from_url(
        settings.CACHES["default"]["LOCATION"],
        socket_timeout=PATIENCE_SECONDS,
        socket_connect_timeout=PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
