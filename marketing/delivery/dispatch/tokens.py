"""Send rate: one token bucket per provider account, shared by all workers through Valkey.

A vendor that asks for less halves the account's rate and, by `Retry-After`, stops it for a
while; from then on the rate grows back evenly and is whole again after `RECOVERY_SECONDS`.
"""

import logging
import time
import uuid
from dataclasses import dataclass
from typing import Any

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

RECOVERY_SECONDS = 45.0
# Of answers that come together only one halves the rate.
HALVE_EVERY_SECONDS = 1.0
LOWEST_SHARE = 0.02
RECONNECT_SECONDS = 5.0

# Both by the server's clock. A bucket holds at most one second's worth.
READ_BUCKET = f"""
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'share', 'slowed_at', 'blocked_until')
local slowed_at = tonumber(bucket[4]) or 0
local share = math.min(1, (tonumber(bucket[3]) or 1) + (now - slowed_at) / {RECOVERY_SECONDS})
"""
TAKE = f"""
{READ_BUCKET}
if now < (tonumber(bucket[5]) or 0) then return 0 end
local rate, wanted = tonumber(ARGV[1]) * share, tonumber(ARGV[2])
local capacity = math.max(rate, 1)
local tokens = tonumber(bucket[1]) or capacity
local since = tonumber(bucket[2]) or now
tokens = math.min(capacity, tokens + math.max(0, now - since) * rate)
local given = math.min(wanted, math.floor(tokens))
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - given), 'at', tostring(now))
redis.call('PEXPIRE', KEYS[1], 600000)
return given
"""
SLOW_DOWN = f"""
{READ_BUCKET}
if now - slowed_at >= {HALVE_EVERY_SECONDS} then
    share = math.max(share / 2, {LOWEST_SHARE})
    redis.call('HSET', KEYS[1], 'share', tostring(share), 'slowed_at', tostring(now), 'tokens', '0',
               'at', tostring(now))
end
local blocked_until = math.max(tonumber(bucket[5]) or 0, now + tonumber(ARGV[1]))
redis.call('HSET', KEYS[1], 'blocked_until', tostring(blocked_until))
redis.call('PEXPIRE', KEYS[1], 600000 + math.floor(tonumber(ARGV[1]) * 1000))
return tostring(share)
"""


@dataclass
class LocalBucket:
    """The same bucket, of this process alone, by its monotonic clock."""

    tokens: float
    at: float
    share: float = 1.0
    slowed_at: float = -RECOVERY_SECONDS
    blocked_until: float = 0.0

    def share_at(self, now: float) -> float:
        return min(1.0, self.share + (now - self.slowed_at) / RECOVERY_SECONDS)

    def take(self, rate: float, wanted: int, now: float) -> int:
        if now < self.blocked_until:
            return 0
        rate *= self.share_at(now)
        self.tokens = min(max(rate, 1.0), self.tokens + (now - self.at) * rate)
        self.at = now
        given = min(wanted, int(self.tokens))
        self.tokens -= given
        return given

    def slow_down(self, wait: float, now: float) -> None:
        if now - self.slowed_at >= HALVE_EVERY_SECONDS:
            self.share = max(self.share_at(now) / 2, LOWEST_SHARE)
            self.slowed_at = self.at = now
            self.tokens = 0.0
        self.blocked_until = max(self.blocked_until, now + wait)


class TokenBuckets:
    """Takes tokens from the shared buckets; while Valkey is away, from buckets of its own."""

    def __init__(self) -> None:
        self._client = redis.Redis.from_url(
            settings.BROKER_URL, socket_timeout=0.5, socket_connect_timeout=0.5
        )
        self._take: Any = self._client.register_script(TAKE)
        self._slow_down: Any = self._client.register_script(SLOW_DOWN)
        self._away_until = 0.0
        self._local: dict[uuid.UUID, LocalBucket] = {}

    def take(self, account_id: uuid.UUID, rate: int, wanted: int) -> int:
        """Up to `wanted` tokens of the account's `rate` a second; never waits."""
        if time.monotonic() >= self._away_until:
            try:
                return int(self._take(keys=[_key(account_id)], args=[rate, wanted]))
            except redis.RedisError as error:
                self._note_away(error)
        return self._bucket(account_id).take(rate, wanted, time.monotonic())

    def give_back(self, account_id: uuid.UUID, unused: int) -> None:
        """Return tokens that no message was found for."""
        if time.monotonic() >= self._away_until:
            try:
                self._client.hincrbyfloat(_key(account_id), "tokens", unused)
                return
            except redis.RedisError as error:
                self._note_away(error)
        self._bucket(account_id).tokens += unused

    def slow_down(self, account_id: uuid.UUID, wait: float = 0.0) -> None:
        """The vendor asks for less: half the rate from now on, and nothing for `wait` seconds."""
        self._bucket(account_id).slow_down(wait, time.monotonic())
        if time.monotonic() >= self._away_until:
            try:
                self._slow_down(keys=[_key(account_id)], args=[wait])
            except redis.RedisError as error:
                self._note_away(error)

    def _bucket(self, account_id: uuid.UUID) -> LocalBucket:
        now = time.monotonic()
        return self._local.setdefault(account_id, LocalBucket(tokens=0.0, at=now))

    def _note_away(self, error: redis.RedisError) -> None:
        logger.warning("token buckets unreachable, counting locally: %s", error)
        self._away_until = time.monotonic() + RECONNECT_SECONDS


def _key(account_id: uuid.UUID) -> str:
    return f"parlour:tokens:{account_id}"
