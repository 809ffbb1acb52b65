"""Counters made anew from what was held and redeemed, where a limit or a customer has changed."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import connection

from marketing.core.tenancy import current_tenant_id
from marketing.coupons.rules import LIFETIME
from marketing.coupons.selectors.periods import weeks_from
from marketing.coupons.services.locks import beside_bills

# Every use there is: live reservations and what was redeemed and not given back.
_USES = """
    SELECT tenant_id, offer_id, branch_id, customer_id, local_day,
           1 AS used, 0 AS reserved, amount - returned AS spent, 0 AS held
    FROM coupons_redemption WHERE tenant_id = %(tenant)s AND counted AND {rows}
    UNION ALL
    SELECT tenant_id, offer_id, branch_id, customer_id, local_day, 0, 1, 0, amount
    FROM coupons_hold WHERE tenant_id = %(tenant)s AND {rows}
"""
COUNT_OFFERS = f"""
INSERT INTO coupons_offeruse (tenant_id, offer_id, branch_id, used, reserved, spent, held)
SELECT uses.tenant_id, uses.offer_id, counted.branch_id,
       sum(used), sum(reserved), sum(spent), sum(held)
FROM ({_USES.format(rows="offer_id = ANY(%(offers)s)")}) uses
JOIN coupons_offer offer ON offer.id = uses.offer_id
CROSS JOIN LATERAL (
    SELECT NULL::uuid AS branch_id
    WHERE offer.max_total_uses IS NOT NULL OR offer.budget IS NOT NULL
    UNION ALL
    SELECT uses.branch_id WHERE offer.max_uses_per_branch IS NOT NULL
) counted
GROUP BY uses.tenant_id, uses.offer_id, counted.branch_id
"""  # noqa: S608  composed of constants only
_COUNT_CUSTOMERS = """
INSERT INTO coupons_customeruse (tenant_id, customer_id, offer_id, period_start, n)
SELECT uses.tenant_id, uses.customer_id, uses.offer_id, counted.period_start, count(*)
FROM ({uses}) uses
JOIN coupons_offer offer ON offer.id = uses.offer_id
CROSS JOIN LATERAL (
    SELECT %(lifetime)s::date AS period_start WHERE offer.max_uses_per_customer IS NOT NULL
    UNION ALL
    SELECT date_trunc(offer.use_period, (uses.local_day + shift.days)::timestamp)::date - shift.days
    FROM (SELECT CASE offer.use_period WHEN 'week' THEN %(week_shift)s ELSE 0 END AS days) shift
    WHERE offer.max_uses_per_period IS NOT NULL
) counted
WHERE uses.customer_id IS NOT NULL
GROUP BY uses.tenant_id, uses.customer_id, uses.offer_id, counted.period_start
"""
COUNT_CUSTOMERS_OF_OFFERS = _COUNT_CUSTOMERS.format(
    uses=_USES.format(rows="offer_id = ANY(%(offers)s)")
)
COUNT_CUSTOMERS = _COUNT_CUSTOMERS.format(
    uses=_USES.format(rows="customer_id = ANY(%(customers)s)")
)


def recount(offer_ids: Sequence[uuid.UUID]) -> None:
    """Make the offers' counters anew from what was held and redeemed, for the limits they have.

    The caller holds the change lock.
    """
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "offers": list(offer_ids),
        "lifetime": LIFETIME,
        # `date_trunc` has weeks from Monday on.
        "week_shift": -weeks_from() % 7,
    }
    with connection.cursor() as cursor:
        for table in ("coupons_offeruse", "coupons_customeruse"):
            cursor.execute(
                f"DELETE FROM {table} WHERE tenant_id = %(tenant)s AND offer_id = ANY(%(offers)s)",  # noqa: S608  ours
                values,
            )
        cursor.execute(COUNT_OFFERS, values)
        cursor.execute(COUNT_CUSTOMERS_OF_OFFERS, values)


def recount_customers(customer_ids: Sequence[uuid.UUID]) -> None:
    """Make these customers' counters anew, whose rows have changed hands.

    After a change of limits under way, which counts what it sees of these rows.
    """
    beside_bills()
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "customers": list(customer_ids),
        "lifetime": LIFETIME,
        # `date_trunc` has weeks from Monday on.
        "week_shift": -weeks_from() % 7,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM coupons_customeruse"
            " WHERE tenant_id = %(tenant)s AND customer_id = ANY(%(customers)s)",
            values,
        )
        cursor.execute(COUNT_CUSTOMERS, values)
