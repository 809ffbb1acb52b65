"""What was taken of limited offers so far, for one bill: one statement."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from marketing.core.postgresql.base import Answer
from marketing.core.prepared import ask_later
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


@dataclass(frozen=True, slots=True)
class AskedUsage:
    """Of these offers, counted since these days."""

    limited: Sequence[CompiledOffer]
    starts: Sequence[dt.date]
    zone: str
    answer: Answer | None


def ask_for_usage(
    offers: Iterable[CompiledOffer],
    *,
    branch_id: uuid.UUID,
    customer_id: uuid.UUID | None,
    day: dt.date,
    zone: str,
    reservation_id: uuid.UUID | None,
) -> AskedUsage:
    """Ask for the limited ones among `offers`, on the branch's `day`; none, no statement."""
    limited = [offer for offer in offers if offer.is_limited]
    if not limited:
        return AskedUsage((), (), zone, None)
    starts = period_starts([(day, offer.terms.limits) for offer in limited])
    answer = ask_later(
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
    return AskedUsage(limited, starts, zone, answer)


def usage_of(asked: AskedUsage) -> dict[str, OfferUsage]:
    """Usage by offer."""
    if asked.answer is None:
        return {}
    rows = {row[0]: row[1:] for row in asked.answer.rows}
    usage = {}
    for offer, start in zip(asked.limited, asked.starts, strict=True):
        total, spent, branch, customer, in_period = rows[offer.id]
        limits = offer.terms.limits
        resets = None
        if limits.per_period is not None:
            ends = dt.datetime.combine(period_end(start, limits.period), dt.time())
            resets = ends.replace(tzinfo=ZoneInfo(asked.zone))
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
