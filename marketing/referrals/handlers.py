"""What referrals hear of elsewhere."""

import uuid
from collections.abc import Sequence

from marketing.core.events import subscribe
from marketing.core.models import DomainEvent
from marketing.referrals import services


@subscribe("visit.completed")
def friends_came(events: Sequence[DomainEvent]) -> None:
    """Where a first visit is enough, no bill is waited for."""
    services.visited(sorted({uuid.UUID(event.payload["customerId"]) for event in events}))
