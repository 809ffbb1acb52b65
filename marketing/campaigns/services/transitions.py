"""The one place where a campaign's state changes."""

import uuid
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from marketing.campaigns import rules
from marketing.campaigns.models import Campaign
from marketing.campaigns.rules import Action
from marketing.core import clock
from marketing.core.errors import Conflict, InvalidCampaignStatus
from marketing.policy import services as policy


def lock(campaign: Campaign, *, version: int | None = None) -> Campaign:
    """The campaign as it stands now, locked until the transaction ends.

    Raises `Conflict` when `version` is given and somebody changed the campaign since.
    """
    current = (
        Campaign.objects.select_for_update(of=("self",))
        .select_related("template", "segment")
        .get(pk=campaign.pk)
    )
    if version is not None and version != current.version:
        raise Conflict(details={"current": current.version})
    return current


def require_allowed(campaign: Campaign, action: Action) -> None:
    """Raises `InvalidCampaignStatus` when the campaign's state does not allow the action."""
    if not rules.is_allowed(action, campaign.status):
        raise not_allowed(campaign, action)


def move(campaign: Campaign, action: Action, to: str, **values: Any) -> Campaign:
    """Bring the campaign to state `to` in one conditional UPDATE, so that of two only one wins.

    Where it ends there, the money held for it is given back. Raises `InvalidCampaignStatus` when
    the stored state does not allow it; `campaign` is brought up to date.
    """
    moved = Campaign.objects.filter(pk=campaign.pk, status__in=rules.sources(action, to)).update(
        status=to, version=F("version") + 1, updated_at=clock.now(), **values
    )
    campaign.refresh_from_db()
    if not moved:
        raise not_allowed(campaign, action)
    if to in rules.HOLDING_NOTHING:
        policy.release_hold(holder_id=campaign.pk)
    return campaign


def not_allowed(campaign: Campaign, action: Action) -> InvalidCampaignStatus:
    allowed = sorted(rules.sources(action))
    return InvalidCampaignStatus(
        _("This is not possible while the campaign is: %(status)s.")
        % {"status": campaign.get_status_display()},
        details={"status": campaign.status, "action": str(action), "allowedIn": allowed},
    )


def event_payload(campaign: Campaign, user_id: uuid.UUID | None = None) -> dict[str, Any]:
    """The campaign as Module 11's events carry it."""
    payload = {
        "campaign": {
            "id": str(campaign.pk),
            "name": campaign.name,
            "channel": campaign.channel,
            "status": campaign.status,
        }
    }
    return payload | {"userId": str(user_id)} if user_id else payload
