"""WhatsApp's messaging limit: different people in a moving 24 hours, for a whole portfolio.

Meta counts people outside a service window only; everybody is counted here, so that the
limit is never passed.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import connection

from marketing.core.tenancy import current_tenant_id

WINDOW = dt.timedelta(hours=24)

# One taker of a portfolio at a time, until its transaction ends.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%(tenant)s::text || %(portfolio)s, 0))"
# The count is cut off at the limit: a lowered limit must not make every look dearer.
ROOM = """
SELECT %(limit)s - (SELECT count(*) FROM (
    SELECT FROM delivery_portfolioperson
    WHERE tenant_id = %(tenant)s AND portfolio = %(portfolio)s AND last_at > %(since)s
    LIMIT %(limit)s) counted),
    ARRAY(SELECT address::text FROM delivery_portfolioperson
          WHERE tenant_id = %(tenant)s AND portfolio = %(portfolio)s AND last_at > %(since)s
            AND address = ANY(%(addresses)s))
"""
# When the people counted leave the window, one after the other.
LEAVING = """
SELECT last_at + %(window)s FROM delivery_portfolioperson
WHERE tenant_id = %(tenant)s AND portfolio = %(portfolio)s AND last_at > %(since)s
ORDER BY last_at LIMIT %(wanted)s
"""
TAKE = """
INSERT INTO delivery_portfolioperson (tenant_id, portfolio, address, last_at)
SELECT %(tenant)s, %(portfolio)s, address, %(now)s FROM unnest(%(taken)s::text[]) AS address
ON CONFLICT (tenant_id, portfolio, address) DO UPDATE SET last_at = excluded.last_at
"""


def take_portfolio(
    *, portfolio: str, limit: int, addresses: Sequence[str], now: dt.datetime
) -> dict[str, dt.datetime]:
    """Count the addresses; returns those without room, with the time when there is some."""
    params: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "portfolio": portfolio,
        "limit": limit,
        "since": now - WINDOW,
        "window": WINDOW,
        "now": now,
        "addresses": list(addresses),
    }
    with connection.cursor() as cursor:
        cursor.execute(LOCK, params)
        cursor.execute(ROOM, params)
        room, known = cursor.fetchone()
        fresh = [address for address in dict.fromkeys(addresses) if address not in set(known)]
        refused = fresh[max(room, 0) :]
        cursor.execute(TAKE, params | {"taken": [*known, *fresh[: max(room, 0)]]})
        if not refused:
            return {}
        cursor.execute(LEAVING, params | {"wanted": len(refused)})
        leaving = [at for (at,) in cursor.fetchall()]
    last = leaving[-1] if leaving else now + WINDOW
    return {
        address: leaving[index] if index < len(leaving) else last
        for index, address in enumerate(refused)
    }
