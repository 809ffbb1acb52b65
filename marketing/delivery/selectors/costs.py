"""What messages cost, by the month that they are charged to."""

import datetime as dt
import uuid
from collections.abc import Collection
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from marketing.core.tenancy import current_tenant

# A run is charged to the month it was frozen in; only one that went on later, to more than one.
COSTS = """
    SELECT r.campaign_id, b.channel, c.branch_id, sum(c.reserved), sum(c.spent)
    FROM delivery_sendrun r
    JOIN delivery_batchcost c ON c.run_id = r.id
    JOIN delivery_dispatchbatch b ON b.id = c.batch_id
    WHERE r.tenant_id = %(tenant)s AND c.tenant_id = %(tenant)s
      AND (r.charged_from IS NOT NULL
           OR coalesce(r.frozen_at, r.created_at) >= %(start)s
              AND coalesce(r.frozen_at, r.created_at) < %(end)s)
      AND coalesce(c.month, date_trunc(
            'month', coalesce(r.frozen_at, r.created_at) AT TIME ZONE %(zone)s)::date) = %(month)s
      AND (%(branches)s::uuid[] IS NULL OR c.branch_id = ANY(%(branches)s::uuid[]))
    GROUP BY r.campaign_id, b.channel, c.branch_id
    HAVING sum(c.reserved) <> 0 OR sum(c.spent) <> 0
"""


class Cost(NamedTuple):
    """What a campaign's messages (None: those of no campaign) hold and have cost on a channel, of
    a branch's money (None: of the chain's alone).
    """

    campaign_id: uuid.UUID | None
    channel: str
    branch_id: uuid.UUID | None
    reserved: Decimal
    spent: Decimal


def costs_of_month(month: dt.date, branch_ids: Collection[uuid.UUID] | None) -> list[Cost]:
    """What was charged to the month that begins on that day; `branch_ids` None: everybody's."""
    tenant = current_tenant()
    zone = ZoneInfo(tenant.time_zone)
    after = (month + dt.timedelta(days=31)).replace(day=1)
    values: dict[str, Any] = {
        "tenant": tenant.pk,
        "zone": tenant.time_zone,
        "month": month,
        "start": dt.datetime.combine(month, dt.time(), tzinfo=zone),
        "end": dt.datetime.combine(after, dt.time(), tzinfo=zone),
        "branches": None if branch_ids is None else list(branch_ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(COSTS, values)
        return [Cost(*row) for row in cursor.fetchall()]
