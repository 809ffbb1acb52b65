"""Send rate: one token bucket per provider account, shared by all workers through Valkey."""

import logging
import time
import uuid
from typing import Any

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

# Refills by the server's clock; holds at most one second's worth.
TAKE = """
local now = redis.call('TIME')
local at = tonumber(now[1]) + tonumber(now[2]) / 1000000
local rate, wanted = tonumber(ARGV[1]), tonumber(ARGV[2])
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local capacity = math.max(rate, 1)
local tokens = tonumber(bucket[1]) or capacity
local since = tonumber(bucket[2]) or at
tokens = math.min(capacity, tokens + math.max(0, at - since) * rate)
local given = math.min(wanted, math.floor(tokens))
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - given), 'at', tostring(at))
redis.call('PEXPIRE', KEYS[1], 60000)
return given
"""
RECONNECT_SECONDS = 5.0


class TokenBuckets:
    """Takes tokens from the shared buckets; while Valkey is away, from buckets of its own."""

    def __init__(self) -> None:
        self._client = redis.Redis.from_url(
            settings.BROKER_URL, socket_timeout=0.5, socket_connect_timeout=0.5
        )
        self._take: Any = self._client.register_script(TAKE)
        self._away_until = 0.0
        self._local: dict[uuid.UUID, tuple[float, float]] = {}

    def take(self, account_id: uuid.UUID, rate: int, wanted: int) -> int:
        """Up to `wanted` tokens of the account's `rate` a second; never waits."""
        if time.monotonic() >= self._away_until:
            try:
                return int(self._take(keys=[f"parlour:tokens:{account_id}"], args=[rate, wanted]))
            except redis.RedisError as error:
                logger.warning("token buckets unreachable, counting locally: %s", error)
                self._away_until = time.monotonic() + RECONNECT_SECONDS
        return self._take_locally(account_id, rate, wanted)

    def give_back(self, account_id: uuid.UUID, unused: int) -> None:
        """Return tokens that no message was found for."""
        if time.monotonic() >= self._away_until:
            try:
                self._client.hincrbyfloat(f"parlour:tokens:{account_id}", "tokens", unused)
            except redis.RedisError:
                self._away_until = time.monotonic() + RECONNECT_SECONDS

    def _take_locally(self, account_id: uuid.UUID, rate: int, wanted: int) -> int:
        now = time.monotonic()
        tokens, since = self._local.get(account_id, (0.0, now))
        tokens = min(float(rate), tokens + (now - since) * rate)
        given = min(wanted, int(tokens))
        self._local[account_id] = (tokens - given, now)
        return given
