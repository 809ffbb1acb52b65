"""What campaigns have reached, over all their runs."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from marketing.campaigns.models import Campaign, CampaignRun, CampaignStatus
from marketing.core import clock
from marketing.delivery.links.selectors import EngagementFigures, engagement_of
from marketing.delivery.models import MessageState, SendRun
from marketing.delivery.selectors import Progress, progress_of


@dataclass(frozen=True)
class Figures:
    """Counts of a campaign over all its runs; `states` adds up to `audience`.

    `audience` is the estimate until the first freeze. `sent`, `delivered` and `read` are
    cumulative. Rates are None while there is nothing to divide by. `runs` come oldest first,
    each with its send run.
    """

    audience: int
    states: dict[str, int]
    sent: int
    delivered: int
    read: int
    failed: int
    cost: Decimal
    started_at: dt.datetime | None
    completed_at: dt.datetime | None
    latest: Progress | None
    next_at: dt.datetime | None
    runs: list[CampaignRun]

    @property
    def is_frozen(self) -> bool:
        return any(self.states.values())

    @property
    def settled(self) -> int:
        """How many people nothing more will be tried for."""
        return self.audience - sum(self.states[state] for state in ("queued", "sending", "held"))

    @property
    def is_under_way(self) -> bool:
        """Whether a run has somebody left to send to, be it once more when all are through."""
        return any(run.send_run.state == SendRun.State.FROZEN for run in self.runs)

    @property
    def goes_on_at(self) -> dt.datetime | None:
        """When the next message may go, where none may yet."""
        return self.next_at if self.next_at and self.next_at > clock.now() else None

    @property
    def delivery_rate(self) -> Decimal | None:
        return _share(self.delivered, self.sent)

    @property
    def read_rate(self) -> Decimal | None:
        return _share(self.read, self.delivered)


def _share(part: int, whole: int) -> Decimal | None:
    return (Decimal(part) / whole).quantize(Decimal("0.0001")) if whole else None


def figures_of(campaigns: Sequence[Campaign]) -> dict[uuid.UUID, Figures]:
    """The figures of each campaign, in as many queries for one as for many."""
    runs = CampaignRun.objects.filter(campaign__in=campaigns).select_related("send_run")
    by_campaign: dict[uuid.UUID, list[CampaignRun]] = defaultdict(list)
    for run in runs.order_by("number"):
        by_campaign[run.campaign_id].append(run)
    progress = progress_of([run.send_run for found in by_campaign.values() for run in found])
    return {
        campaign.pk: _figures(campaign, by_campaign[campaign.pk], progress)
        for campaign in campaigns
    }


def attach_figures(campaigns: Iterable[Any]) -> None:
    """Give each campaign its `figures`, for lists and serializers."""
    shown = list(campaigns)
    figures = figures_of(shown)
    for campaign in shown:
        campaign.figures = figures[campaign.pk]


def _figures(
    campaign: Campaign, runs: list[CampaignRun], progress: dict[uuid.UUID, Progress]
) -> Figures:
    reached = [progress[run.send_run_id] for run in runs]
    states = {state: sum(p.states[state] for p in reached) for state in MessageState.values}
    is_over = campaign.status in (CampaignStatus.SENT, CampaignStatus.CANCELLED)
    return Figures(
        audience=sum(states.values()) or campaign.estimated_recipients,
        states=states,
        sent=sum(p.sent for p in reached),
        delivered=sum(p.delivered for p in reached),
        read=sum(p.read for p in reached),
        failed=sum(p.failed for p in reached),
        cost=sum((p.cost for p in reached), Decimal(0)),
        started_at=runs[0].send_run.created_at if runs else None,
        completed_at=runs[-1].send_run.finished_at if runs and is_over else None,
        latest=reached[-1] if reached else None,
        next_at=min((p.goes_on_at for p in reached if p.goes_on_at), default=None),
        runs=runs,
    )


def engagement_with(runs: Iterable[CampaignRun]) -> EngagementFigures:
    """Clicks and openings of all these runs; a person counts once a run."""
    return engagement_of([run.send_run_id for run in runs])


def campaign_metrics(campaign: Campaign) -> dict[str, Any]:
    """Module 11's `metrics`: counts, and rates as shares of one (null at nothing)."""
    figures = figures_of([campaign])[campaign.pk]
    return {
        "totalRecipients": figures.audience,
        "sentCount": figures.sent,
        "deliveredCount": figures.delivered,
        "readCount": figures.read,
        "failedCount": figures.failed,
        "deliveryRate": figures.delivery_rate,
        "readRate": figures.read_rate,
    }
