"""What segments do when something happened below them."""

from collections.abc import Sequence

from marketing.core.events import subscribe
from marketing.core.models import DomainEvent
from marketing.segments import services


@subscribe("tenant.created")
def give_system_segments(events: Sequence[DomainEvent]) -> None:
    """A new chain begins with the built-in segments."""
    services.ensure_system_segments()
