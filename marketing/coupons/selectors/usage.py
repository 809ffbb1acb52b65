"""What was taken of limited offers so far, for one bill: one statement."""

import datetime as dt
import uuid
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from marketing.core.prepared import kept_cursor
from marketing.core.tenancy import current_tenant_id
from marketing.coupons.pricing.compiled import CompiledOffer
from marketing.coupons.pricing.facts import OfferUsage
from marketing.coupons.rules import LIFETIME, period_end
from marketing.coupons.selectors.catalogue import NOTHING
from marketing.coupons.selectors.periods import period_starts

# What the bill's own reservation holds is taken off again.
USAGE = """
WITH asked AS (
    SELECT * FROM unnest(%(offers)s::uuid[], %(periods)s::date[]) AS asked (offer_id, period)
), mine AS (
    SELECT offer_id, branch_id, customer_id, amount, local_day FROM coupons_hold
    WHERE tenant_id = %(tenant)s AND reservation_id = %(mine)s
)
SELECT asked.offer_id::text,
       coalesce(whole.used + whole.reserved, 0) - count(mine.*),
       coalesce(whole.spent + whole.held, 0) - coalesce(sum(mine.amount), 0)::bigint,
       coalesce(here.used + here.reserved, 0)
           - count(mine.*) FILTER (WHERE mine.branch_id = %(branch)s),
       coalesce(life.n, 0) - count(mine.*) FILTER (WHERE mine.customer_id = %(customer)s),
       coalesce(period.n, 0) - count(mine.*) FILTER (
           WHERE mine.customer_id = %(customer)s AND mine.local_day >= asked.period)
FROM asked
LEFT JOIN mine ON mine.offer_id = asked.offer_id
LEFT JOIN coupons_offeruse whole ON whole.tenant_id = %(tenant)s
    AND whole.offer_id = asked.offer_id AND whole.branch_id IS NULL
LEFT JOIN coupons_offeruse here ON here.tenant_id = %(tenant)s
    AND here.offer_id = asked.offer_id AND here.branch_id = %(branch)s
LEFT JOIN coupons_customeruse life ON life.tenant_id = %(tenant)s
    AND life.customer_id = %(customer)s AND life.offer_id = asked.offer_id
    AND life.period_start = %(lifetime)s
LEFT JOIN coupons_customeruse period ON period.tenant_id = %(tenant)s
    AND period.customer_id = %(customer)s AND period.offer_id = asked.offer_id
    AND period.period_start = asked.period
GROUP BY asked.offer_id, asked.period, whole.id, here.id, life.id, period.id
"""


def usage_of(
    offers: Iterable[CompiledOffer],
    *,
    branch_id: uuid.UUID,
    customer_id: uuid.UUID | None,
    day: dt.date,
    zone: str,
    reservation_id: uuid.UUID | None,
) -> dict[str, OfferUsage]:
    """Usage of the limited ones among `offers`, on the branch's `day`; none, no statement."""
    limited = [offer for offer in offers if offer.is_limited]
    if not limited:
        return {}
    starts = period_starts([(day, offer.terms.limits) for offer in limited])
    with kept_cursor() as cursor:
        cursor.execute(
            USAGE,
            {
                "tenant": current_tenant_id(),
                "offers": _array(offer.id for offer in limited),
                "periods": _array(map(str, starts)),
                "branch": branch_id,
                "customer": customer_id,
                "mine": reservation_id or NOTHING,
                "lifetime": LIFETIME,
            },
        )
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
    usage = {}
    for offer, start in zip(limited, starts, strict=True):
        total, spent, branch, customer, in_period = rows[offer.id]
        limits = offer.terms.limits
        resets = None
        if limits.per_period is not None:
            ends = dt.datetime.combine(period_end(start, limits.period), dt.time())
            resets = ends.replace(tzinfo=ZoneInfo(zone))
        usage[offer.id] = OfferUsage(
            total=total,
            branch=branch,
            customer=customer,
            in_period=in_period,
            period_resets_at=resets,
            spent=spent,
        )
    return usage


def _array(parts: Iterable[str]) -> str:
    """PostgreSQL's spelling; the driver takes as long for a list as the statement itself."""
    return f"{{{','.join(parts)}}}"
