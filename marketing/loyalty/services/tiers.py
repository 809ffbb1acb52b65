"""Tiers: reached at once, lost one level at a time when a period ends without enough.

What counts is what was spent or earned in the window, never the balance: to spend points costs
nobody her tier.
"""

import uuid
from typing import Any

from django.db import connection, transaction

from customers.facts import mark_stale
from marketing.core import clock, events
from marketing.core.tenancy import current_tenant_id
from marketing.loyalty import rules, selectors
from marketing.loyalty.models import PointsAccount, Tier, TierChange
from marketing.loyalty.services.entering import Entered
from marketing.loyalty.services.posting import zone

BATCH = 5_000
END = """
WITH due AS MATERIALIZED (
    SELECT account.id, account.customer_id, account.tier_id, tier.level, account.tier_in_grace,
           account.tier_until, (
               SELECT COALESCE(sum(CASE WHEN %(basis)s = 'spend' THEN tx.spend_paise
                                        ELSE tx.tier_points END), 0)
               FROM loyalty_pointstransaction tx
               WHERE tx.kind IN ('earn', 'bonus', 'reverse_earn') AND tx.at >= %(since)s
                 AND tx.customer_id IN (
                     SELECT id FROM customers_customer
                     WHERE id = account.customer_id OR merged_into_id = account.customer_id)
           ) AS counted
    FROM loyalty_pointsaccount account JOIN loyalty_tier tier ON tier.id = account.tier_id
    WHERE account.tenant_id = %(tenant)s AND account.tier_until <= %(now)s
    ORDER BY account.customer_id LIMIT %(batch)s FOR UPDATE OF account
), judged AS (
    SELECT due.*, (
        SELECT level FROM loyalty_tier WHERE tenant_id = %(tenant)s AND threshold <= counted
        ORDER BY level DESC LIMIT 1) AS reached
    FROM due
), verdict AS (
    SELECT judged.*, reached IS NULL OR reached < level AS is_short,
           (reached IS NULL OR reached < level) AND %(grace)s > 0 AND NOT tier_in_grace AS is_spared
    FROM judged
), next AS (
    SELECT verdict.*, CASE
        WHEN is_spared THEN tier_id
        WHEN is_short THEN (
            SELECT id FROM loyalty_tier
            WHERE tenant_id = %(tenant)s AND level < verdict.level ORDER BY level DESC LIMIT 1)
        ELSE (SELECT id FROM loyalty_tier WHERE tenant_id = %(tenant)s AND level = reached)
        END AS next_id,
        (tier_until AT TIME ZONE %(zone)s)::date + %(grace)s * interval '1 month' AS spared_to
    FROM verdict
), changed AS (
    INSERT INTO loyalty_tierchange (tenant_id, customer_id, before_id, after_id, at)
    SELECT %(tenant)s, customer_id, tier_id, next_id, %(now)s FROM next
    WHERE next_id IS DISTINCT FROM tier_id
    RETURNING customer_id
)
UPDATE loyalty_pointsaccount account
SET tier_id = next_id, tier_in_grace = is_spared,
    tier_since = CASE WHEN next_id IS DISTINCT FROM next.tier_id THEN %(now)s
                 ELSE account.tier_since END,
    tier_until = CASE
        WHEN next_id IS NULL THEN NULL
        WHEN NOT is_spared THEN %(until)s
        WHEN %(to_month_end)s THEN
            (date_trunc('month', spared_to - interval '1 day') + interval '1 month')
            AT TIME ZONE %(zone)s
        ELSE spared_to AT TIME ZONE %(zone)s END
FROM next WHERE account.id = next.id
RETURNING account.customer_id, next_id IS DISTINCT FROM next.tier_id
"""


def upgrade(her: Entered) -> None:
    """Give her the tier that she has reached by now, if it is above hers, or keeps hers longer.

    In the transaction of the posting, whose account is locked already.
    """
    if not her.levels:
        return
    reached = _reached(her)
    if reached is None or (her.tier and her.tier.level > reached.level):
        return
    if her.tier and her.tier.pk == reached.pk and not her.is_in_grace:
        return
    _set(her, reached)


def recompute(her: Entered) -> None:
    """After a refund: undo the last upgrade as far as it is no longer earned.

    Nobody falls below what she had before that upgrade: periods, not refunds, take tiers away.
    """
    if her.tier is None:
        return
    reached = _reached(her)
    if reached and reached.level >= her.tier.level:
        return
    changes = TierChange.objects.filter(customer_id=her.customer_id)
    last = changes.order_by("-at", "-pk").first()
    if last is None or last.after_id != her.tier.pk:
        return
    before = next((tier for tier in her.levels if tier.pk == last.before_id), None)
    if before and before.level >= her.tier.level:
        return  # the last change was downwards
    floors = [tier for tier in (before, reached) if tier]
    _set(her, max(floors, key=lambda tier: tier.level, default=None))


@transaction.atomic
def end_periods() -> int:
    """Renew or lower a batch of the chain's tiers whose period is over; how many."""
    programme = selectors.programme()
    now = clock.now()
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "now": now,
        "zone": zone(),
        "basis": programme.tier_basis,
        "since": selectors.ended_window_start(programme, now, zone()),
        "until": selectors.tier_period_end(programme, now, zone()),
        "grace": programme.tier_grace_months,
        "to_month_end": programme.tier_grace_to_month_end,
        "batch": BATCH,
    }
    with connection.cursor() as cursor:
        cursor.execute(END, values)
        ended: list[tuple[uuid.UUID, bool]] = cursor.fetchall()
    mark_stale([customer_id for customer_id, is_changed in ended if is_changed])
    return len(ended)


def _reached(her: Entered) -> Tier | None:
    now = clock.now()
    since = selectors.window_start(her.programme, now, zone())
    counted = selectors.counted_for_tiers(her.customer_id, her.programme, since)
    level = rules.qualified_level(counted, {tier.level: tier.threshold for tier in her.levels})
    return next((tier for tier in her.levels if tier.level == level), None)


def _set(her: Entered, tier: Tier | None) -> None:
    now = clock.now()
    before = her.tier.pk if her.tier else None
    after = tier.pk if tier else None
    account = PointsAccount.objects.filter(customer_id=her.customer_id)
    account.update(
        tier=tier,
        tier_until=selectors.tier_period_end(her.programme, now, zone()) if tier else None,
        tier_in_grace=False,
    )
    if after == before:
        return
    account.update(tier_since=now)
    mark_stale([her.customer_id])
    TierChange.objects.create(customer_id=her.customer_id, before_id=before, after_id=after, at=now)
    events.record(
        "loyalty.tier_changed",
        {
            "customerId": str(her.customer_id),
            "before": her.tier.name if her.tier else None,
            "after": tier.name if tier else None,
        },
    )
