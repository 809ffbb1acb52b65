"""What loyalty hears of elsewhere."""

import datetime as dt
import uuid
from collections.abc import Sequence

from marketing.core.events import subscribe
from marketing.core.models import DomainEvent
from marketing.loyalty import services


@subscribe("review.posted")
def reviews_came(events: Sequence[DomainEvent]) -> None:
    """A review is thanked, wherever it was written."""
    services.give_review_bonuses(
        (
            uuid.UUID(event.payload["customerId"]),
            dt.datetime.fromisoformat(event.payload["occurredAt"]),
        )
        for event in events
    )
