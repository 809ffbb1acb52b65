"""What becomes of campaigns when WhatsApp stops the message that they will send."""

import uuid
from collections.abc import Collection

from django.db import transaction
from django.db.models import Q, QuerySet

from marketing.campaigns import rules
from marketing.campaigns.models import Campaign, CampaignStatus
from marketing.campaigns.services.sending import halt
from marketing.campaigns.services.transitions import lock
from marketing.content.models import STOPPED, MessageTemplate, TemplateVersion
from marketing.content.selectors import current_version


def pause_for_stopped_templates(*, version_ids: Collection[uuid.UUID]) -> None:
    """Pause what is scheduled with one of these versions, if WhatsApp stops it now.

    Runs that are under way keep their versions, and delivery pauses those. Nothing goes on by
    itself: somebody who may send resumes it when the template is approved again.
    """
    stopped = TemplateVersion.objects.filter(pk__in=version_ids, whatsapp_status__in=STOPPED)
    for version in stopped.select_related("template").order_by("pk"):
        if version.number == version.template.version:
            _pause(version)


def _pause(version: TemplateVersion) -> None:
    for campaign_id in _scheduled(version.template).values_list("pk", flat=True):
        with transaction.atomic():
            campaign = lock(Campaign(pk=campaign_id))
            # It may have been edited, or the template approved, while we waited for the lock.
            is_waiting = _scheduled(version.template).filter(pk=campaign_id).exists()
            if is_waiting and current_version(version.template).whatsapp_status in STOPPED:
                halt(campaign, rules.TEMPLATE_STOPPED, why_stopped(version))


def why_stopped(version: TemplateVersion) -> str:
    """The template's name, and WhatsApp's reasons."""
    reasons = {
        entry["reason"]: None
        for entry in version.whatsapp.values()
        if entry.get("status") in STOPPED and entry.get("reason")
    }
    return ": ".join([version.template.name, *reasons])


def _scheduled(template: MessageTemplate) -> QuerySet[Campaign]:
    further = Q(further_steps__contains=[{"templateId": str(template.pk)}])
    waiting = Campaign.objects.filter(
        Q(template=template) | further, status=CampaignStatus.SCHEDULED
    )
    return waiting.order_by("pk")
