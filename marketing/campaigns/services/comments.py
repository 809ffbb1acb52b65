"""The conversation about a campaign: what author and approvers say between the decisions."""

from django.db import transaction
from django.utils.translation import gettext as _

from marketing.campaigns.models import Campaign
from marketing.campaigns.rules import Action
from marketing.campaigns.selectors.campaigns import get_campaign_in_sight
from marketing.campaigns.services import notices
from marketing.campaigns.services.transitions import lock, require_allowed
from marketing.campaigns.services.words import require_words
from marketing.core import audit
from marketing.core.actor import Actor


@transaction.atomic
def comment_on_campaign(*, actor: Actor, campaign: Campaign, text: str) -> None:
    """Say something to whoever works or decides on the campaign, until it has ended.

    The words are kept in the audit log alone, where nothing changes or deletes them. Raises
    `InvalidCampaignStatus`, `ValidationFailed` on `text`, `NotFound` for another branch's.
    """
    actor.require("campaign.create")
    get_campaign_in_sight(actor, campaign.pk)
    campaign = lock(campaign)
    require_allowed(campaign, Action.COMMENT)
    said = require_words(text, "text", _("Write something."))
    audit.record(actor, "campaign.comment", campaign, {"text": said})
    notices.tell_of_comment(actor, campaign, said)
