"""Which offers people used, and what these took off their bills: what their facts count."""

import uuid

from customers import facts

GIVEN = """
SELECT r.customer_id, r.redeemed_at AS at, (r.amount - r.returned) / 100.0 AS amount
FROM chosen JOIN coupons_redemption r ON r.customer_id = chosen.id
WHERE r.state <> 'reversed'
"""
USED = """
SELECT r.customer_id, array_agg(DISTINCT r.offer_id ORDER BY r.offer_id) AS offers_used
FROM chosen JOIN coupons_redemption r ON r.customer_id = chosen.id
WHERE r.state <> 'reversed' GROUP BY r.customer_id
"""


def note_use(customer_id: uuid.UUID | None) -> None:
    """An offer was used, or given back, in the open transaction."""
    if customer_id is not None:
        facts.mark_stale([customer_id])
