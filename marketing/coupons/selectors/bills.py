"""Reserved and paid bills."""

import uuid

from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.coupons.models import Reservation


def require_reservation(actor: Actor, pk: uuid.UUID) -> None:
    """Raises `NotFound` for a reservation of another branch or chain."""
    branch_id = Reservation.objects.filter(pk=pk).values_list("branch_id", flat=True).first()
    if branch_id is None or not actor.has_branch(branch_id):
        raise NotFound()
