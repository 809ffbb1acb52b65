"""What offers took off people's bills: what their facts count as discounts."""

import uuid

from customers import facts

GIVEN = """
SELECT r.customer_id, r.redeemed_at AS at, (r.amount - r.returned) / 100.0 AS amount
FROM chosen JOIN coupons_redemption r ON r.customer_id = chosen.id
WHERE r.state <> 'reversed'
"""


def note_use(customer_id: uuid.UUID | None) -> None:
    """An offer was used, or given back, in the open transaction."""
    if customer_id is not None:
        facts.mark_stale([customer_id])
