"""How each channel of a run did: its attempts, whoever's they were."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum

from customers.models import Channel
from marketing.delivery.models import DispatchBatch

COUNTED = ("queued", "sending", "sent", "delivered", "read", "failed", "held", "unknown")


@dataclass(frozen=True)
class ChannelFigures:
    """Attempts on one step of a run; `handed_on` are those that another channel took over.

    `sent` and `delivered` are cumulative and, like `failed`, leave out what was handed on.
    """

    step: int
    channel: str
    attempts: int
    sent: int
    delivered: int
    failed: int
    handed_on: int

    @property
    def label(self) -> str:
        return str(Channel(self.channel).label)


def channels_of(run_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[ChannelFigures]]:
    """The figures of each run's steps in their order, from the batches' counters."""
    rows: Any = (
        DispatchBatch.objects.filter(run_id__in=run_ids)
        .values("run_id", "step", "channel")
        .annotate(**{f"in_{name}": Sum(name) for name in (*COUNTED, "handed_on")})
        .order_by("step")
    )
    found: dict[uuid.UUID, list[ChannelFigures]] = defaultdict(list)
    for row in rows:
        delivered = row["in_delivered"] + row["in_read"]
        found[row["run_id"]].append(
            ChannelFigures(
                step=row["step"],
                channel=row["channel"],
                attempts=sum(row[f"in_{name}"] for name in (*COUNTED, "handed_on")),
                sent=row["in_sent"] + delivered,
                delivered=delivered,
                failed=row["in_failed"],
                handed_on=row["in_handed_on"],
            )
        )
    return found
