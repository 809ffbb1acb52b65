"""When nothing of an offer's budget is left."""

import uuid

from marketing.coupons.models import OfferUse
from marketing.coupons.services.counters import Change


def is_spent(offer_id: uuid.UUID, change: Change) -> bool:
    """Whether this change, just made, gave the last of the budget away: nobody else moves the row
    before the transaction ends. One statement, none where no budget was given of."""
    if change.budget is None or change.spent <= 0:
        return False
    return OfferUse.objects.filter(offer=offer_id, branch=None, spent=change.budget).exists()
