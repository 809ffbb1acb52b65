"""Many raw rows done again, each in a transaction of its own."""

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Iterable

from django.db import transaction
from django.utils import timezone

from billing_bridge.models import RawRow
from billing_bridge.services.raw import replay_row
from marketing.core import partitions
from marketing.core.actor import Actor
from marketing.core.errors import Conflict
from marketing.core.nudge import nudge
from marketing.core.tenancy import tenant_scope

logger = logging.getLogger(__name__)

# This month and the six before it.
KEPT_MONTHS = 6
LEFT = "left"


def replay_rows(
    *, tenant_id: uuid.UUID, row_ids: Iterable[uuid.UUID], actor: Callable[[], Actor]
) -> Counter[str]:
    """Do these again in the order given; counts by state, `left` are those nobody can do again.

    `actor` is called in the chain's scope. One that breaks keeps no other waiting.
    """
    counts: Counter[str] = Counter()
    for row_id in row_ids:
        try:
            with tenant_scope(tenant_id):
                counts[replay_row(actor=actor(), row_id=row_id).state] += 1
        except Conflict:
            counts[LEFT] += 1
        except Exception:
            logger.exception("raw row %s could not be done again", row_id)
            counts[str(RawRow.State.FAILED)] += 1
    return counts


def ask_replay(*, actor: Actor, operation: str = "") -> None:
    """Have a worker do again what failed, of one operation or of all, after the commit."""
    from billing_bridge.tasks import replay_failed

    actor.require("config.change")
    wanted = (str(actor.tenant_id), str(actor.user_id), operation)
    transaction.on_commit(lambda: nudge(replay_failed, *wanted))


def drop_old_rows() -> int:
    """Drop the partitions of what came more than six months ago; returns how many went."""
    before = partitions.months_before(timezone.now().date(), KEPT_MONTHS)
    return partitions.drop_before(["billing_bridge_rawrow", "billing_bridge_rawperson"], before)
