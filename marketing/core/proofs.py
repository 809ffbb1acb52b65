"""Proof that something we gave away and get back was made by us.

A tag is the first 64 bits of HMAC-SHA256 under a key of its purpose, derived from SECRET_KEY;
tags under any of SECRET_KEY_FALLBACKS stay good.
"""

import hashlib
import hmac
from functools import lru_cache

from django.conf import settings


def tag(purpose: bytes, data: bytes) -> bytes:
    """Eight bytes that nobody else can make of `data`."""
    return _tag(_states(purpose)[0], data)


def is_tag(purpose: bytes, data: bytes, given: bytes) -> bool:
    """Whether `given` is the tag of `data`, under this key or an earlier one."""
    return any(hmac.compare_digest(_tag(state, data), given) for state in _states(purpose))


def fingerprints(purpose: bytes, data: bytes) -> list[bytes]:
    """32 bytes by which `data` is known again without being kept: under this key, then under the
    earlier ones."""
    found = []
    for state in _states(purpose):
        mac = state.copy()
        mac.update(data)
        found.append(mac.digest())
    return found


def _tag(state: "hmac.HMAC", data: bytes) -> bytes:
    mac = state.copy()
    mac.update(data)
    return mac.digest()[:8]


def _states(purpose: bytes) -> "list[hmac.HMAC]":
    return _states_of(purpose, settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=16)
def _states_of(purpose: bytes, *secrets: str) -> "list[hmac.HMAC]":
    """The HMACs of the keys, newest first, before anything went into them."""
    keys = (hmac.digest(secret.encode(), purpose, "sha256") for secret in secrets)
    return [hmac.new(key, digestmod=hashlib.sha256) for key in keys]
