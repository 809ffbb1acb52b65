"""What somebody should see first: what needs them, what is running, what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Max, Q

from marketing.campaigns.models import Campaign, CampaignStatus
from marketing.campaigns.selectors.campaigns import campaigns_for_actor, waiting_for_approval
from marketing.campaigns.selectors.progress import attach_figures
from marketing.campaigns.selectors.suggestions import Suggestion, suggestions
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.delivery.operations.alerts import Alert, kept_alerts
from marketing.policy.selectors import MonthSpend, spend_of_month

FEW = 8
SUGGESTED = 2


@dataclass(frozen=True)
class Home:
    """`running` and `recent` campaigns carry their `figures`."""

    approvals: list[Campaign]
    sent_back: list[Campaign]
    paused: list[Campaign]
    ready: list[Campaign]
    running: list[Campaign]
    scheduled: list[Campaign]
    recent: Sequence[Campaign]
    spend: list[MonthSpend]
    alerts: list[Alert]
    suggestions: list[Suggestion]

    @property
    def needs_me(self) -> int:
        return len(self.approvals) + len(self.sent_back) + len(self.paused) + len(self.ready)

    @property
    def short_of_money(self) -> list[MonthSpend]:
        """Those who used so much of their limit that somebody should know."""
        return [row for row in self.spend if row.is_alarming]

    @property
    def is_sending(self) -> bool:
        return any(campaign.status == CampaignStatus.SENDING for campaign in self.running)


def home(actor: Actor) -> Home:
    """The actor's start page; receptionists are shown no spend and nothing to decide."""
    by_status = _open_campaigns(actor)
    acts = actor.can("campaign.create")
    running = by_status["sending"]
    sent = campaigns_for_actor(actor).filter(status="sent")
    recent = list(sent.annotate(sent_at=Max("runs__created_at")).order_by("-sent_at")[:3])
    attach_figures([*running, *recent])
    return Home(
        approvals=list(waiting_for_approval(actor)[:FEW]),
        sent_back=by_status["draft"] if acts else [],
        paused=by_status["paused"] if acts else [],
        ready=by_status["approved"] if acts else [],
        running=running,
        scheduled=by_status["scheduled"],
        recent=recent,
        spend=_spend(actor) if actor.can("analytics.view") else [],
        alerts=kept_alerts(actor),
        suggestions=suggestions(actor, clock.now())[:SUGGESTED],
    )


def _open_campaigns(actor: Actor) -> dict[str, list[Campaign]]:
    """The newest few campaigns of each state that is under way, and drafts that came back."""
    came_back = Q(status="draft", created_by=actor.user_id) & ~Q(rejection_reason="")
    moving = Q(status__in=["paused", "approved", "sending", "scheduled"])
    found: dict[str, list[Campaign]] = {
        status: [] for status in ("draft", "paused", "approved", "sending", "scheduled")
    }
    campaigns = campaigns_for_actor(actor).filter(came_back | moving)
    for campaign in campaigns.select_related("rejected_by__staff").order_by("next_run_at", "-pk"):
        if len(found[campaign.status]) < FEW:
            found[campaign.status].append(campaign)
    return found


def _spend(actor: Actor) -> list[MonthSpend]:
    """The actor's branches, and the chain for whoever has all; idle ones without limit left out."""
    months = spend_of_month()
    if actor.branch_ids is not None:
        months = [m for m in months if m.branch is not None and m.branch.pk in actor.branch_ids]
    return [
        month
        for month in months
        if month.branch is None or month.limit is not None or month.reserved + month.spent > 0
    ]
