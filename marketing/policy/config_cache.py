"""Settings in the shared cache: at most a minute old, and never those of an open transaction.

A writer puts up a marker that sends every reader to the row and keeps them from caching
it; the marker goes soon after the commit, or by itself after a rollback.
"""

import uuid

from django.core.cache import cache
from django.db import transaction

from marketing.core.tenancy import current_tenant_id
from marketing.policy.models import MarketingConfig

MAX_AGE = 60
# Longer than a reader takes from reading the row to caching it.
SETTLING = 5
CHANGING = "changing"


def _key(tenant_id: uuid.UUID) -> str:
    return f"policy:config:{tenant_id}"


def read() -> MarketingConfig | None:
    """The cached settings of the open tenant scope, if there are any."""
    found = cache.get(_key(current_tenant_id()))
    return found if isinstance(found, MarketingConfig) else None


def keep(config: MarketingConfig) -> None:
    """Cache the settings, unless somebody is changing them."""
    cache.add(_key(current_tenant_id()), config, MAX_AGE)


def invalidate() -> None:
    """The open transaction changes the settings of its tenant."""
    key = _key(current_tenant_id())
    cache.set(key, CHANGING, MAX_AGE)
    transaction.on_commit(lambda: cache.set(key, CHANGING, SETTLING))
