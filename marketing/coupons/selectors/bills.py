"""Reserved and redeemed bills, for those who may see them."""

import uuid

from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.core.prepared import kept_cursor
from marketing.core.tenancy import current_tenant_id

BRANCH = "SELECT branch_id FROM coupons_reservation WHERE id = %s AND tenant_id = %s"


def require_reservation(actor: Actor, pk: uuid.UUID) -> None:
    """Raises `NotFound` for a reservation of another branch or chain."""
    with kept_cursor() as cursor:
        cursor.execute(BRANCH, [pk, current_tenant_id()])
        row = cursor.fetchone()
    if row is None or not actor.has_branch(row[0]):
        raise NotFound()
