"""Sending a campaign's failed messages again, as one more run of it."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from marketing.campaigns.models import Campaign, CampaignRun, CampaignStatus
from marketing.campaigns.rules import Action
from marketing.campaigns.selectors import plan
from marketing.campaigns.services import checks
from marketing.campaigns.services.sending import halt_if_stopped, next_number
from marketing.campaigns.services.transitions import lock, move, require_allowed
from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, NotFound
from marketing.delivery import services as delivery
from marketing.delivery.models import SendRun
from marketing.delivery.selectors import run_progress


@transaction.atomic
def retry_failed(
    *, actor: Actor, campaign: Campaign, run_id: uuid.UUID, codes: Sequence[str] | None = None
) -> CampaignRun:
    """Send again to those of one of the campaign's send runs whose message failed.

    The campaign's approval covers it while nothing it covers has changed. Raises `Conflict`
    when the message or the audience's rule changed, when so many people need an approval that
    was never given, and as `delivery.retry_failed` does; `InvalidCampaignStatus` while the
    campaign is being sent; `BudgetExceeded`.
    """
    actor.require("campaign.send")
    campaign = lock(campaign)
    require_allowed(campaign, Action.RETRY)
    former = campaign.runs.select_related("send_run").filter(send_run_id=run_id).first()
    if former is None:
        raise NotFound()
    checks.require_content(campaign)
    _require_unchanged(campaign, former.send_run)
    send_run = delivery.retry_failed(actor=actor, run=former.send_run, codes=codes)
    _require_approved(campaign, send_run)
    # A recurring campaign's next date stays as it is: `finish` comes back to it.
    move(campaign, Action.RETRY, CampaignStatus.SENDING)
    number = next_number(campaign)
    run = CampaignRun.objects.create(
        campaign=campaign, number=number, send_run=send_run, due_at=clock.now()
    )
    audit.record(
        actor, "campaign.retry", campaign, {"run": number, "recipients": send_run.audience}
    )
    halt_if_stopped(campaign, run)
    return run


def _require_unchanged(campaign: Campaign, former: SendRun) -> None:
    is_approved = campaign.approved_by_id is not None
    if (is_approved and plan.fingerprint(campaign) != campaign.approved_hash) or (
        former.retry_of is None and _as_planned(former) != plan.steps(campaign)
    ):
        raise Conflict(
            _("The message or the audience changed since it was sent: make it a new campaign.")
        )


def _as_planned(former: SendRun) -> list[dict[str, Any]]:
    """Its steps without what each person was given: she keeps it."""
    return [
        {name: value for name, value in step.items() if name != "personal"} for step in former.steps
    ]


def _require_approved(campaign: Campaign, send_run: SendRun) -> None:
    if campaign.approved_by_id is not None:
        return
    cost = run_progress(send_run).reserved
    if checks.approval_reasons(campaign, recipients=send_run.audience, cost=cost):
        raise Conflict(_("So many people need an approval: make it a new campaign."))
