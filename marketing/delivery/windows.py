"""When each time zone's send window opens: asked at the freeze, and again before each sending."""

import datetime as dt
from collections.abc import Iterable

from marketing.core.models import Branch, Tenant
from marketing.policy import selectors as policy
from marketing.policy.models import MarketingConfig
from marketing.policy.rules import window_opens

OUTSIDE_WINDOW = "outside_window"

# SQL over a message's or a person's branch `br`; NULL while the window is open. A zone that no
# branch had when the times were asked is not held back by them.
OPENS_AT = "(%(opens)s::jsonb ->> coalesce(br.time_zone, %(zone)s))::timestamptz"


def zones_of_chain(tenant: Tenant) -> frozenset[str]:
    """The time zones that its branches lie in, and its own."""
    return frozenset(Branch.objects.values_list("time_zone", flat=True)) | {tenant.time_zone}


def opening_times(
    *,
    tenant: Tenant,
    purpose: str,
    channel: str,
    now: dt.datetime,
    config: MarketingConfig | None = None,
    zones: Iterable[str] | None = None,
) -> dict[str, str | None]:
    """For each time zone of the chain: when its window opens (ISO), None while it is open.

    `config` and `zones` are read when the caller has none at hand.
    """
    config = config or policy.get_config()
    opening = {
        zone: window_opens(
            now=now,
            zone=zone,
            start=config.send_window_start,
            end=config.send_window_end,
            purpose=purpose,
            channel=channel,
            country=tenant.country,
        )
        for zone in zones or zones_of_chain(tenant)
    }
    return {zone: moment.isoformat() if moment else None for zone, moment in opening.items()}
