"""Which segments and messages campaigns still need."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.campaigns.models import Campaign, CampaignStatus
from marketing.content import usage as content_usage
from marketing.content.models import MessageTemplate
from marketing.segments import usage as segment_usage
from marketing.segments.fields import Label, SegmentField
from marketing.segments.models import Segment
from marketing.segments.sources import Column
from marketing.segments.value_types import Choice

OVER = (CampaignStatus.SENT, CampaignStatus.CANCELLED)


def uses_of_segment(segment: Segment) -> Iterable[segment_usage.Use]:
    """Campaigns that are not over and write to the segment, or leave it out."""
    needed = Q(segment=segment) | Q(exclude_segment_ids__contains=[segment.pk])
    for name, url in _open_campaigns(needed):
        yield segment_usage.Use(_("Campaign"), name, url)


def uses_of_template(template: MessageTemplate) -> Iterable[content_usage.Use]:
    """Campaigns that are not over and send the message."""
    further = Q(further_steps__contains=[{"templateId": str(template.pk)}])
    for name, url in _open_campaigns(Q(template=template) | further):
        yield content_usage.Use(_("Campaign"), name, url)


def _open_campaigns(needed: Q) -> Iterable[tuple[str, str]]:
    campaigns: QuerySet[Campaign] = Campaign.objects.filter(needed).exclude(status__in=OVER)
    for campaign in campaigns.order_by("name"):
        yield campaign.name, reverse("campaign-detail", args=[campaign.pk])


def _campaigns() -> list[tuple[str, Label]]:
    campaigns = Campaign.objects.order_by("-pk").values_list("pk", "name")
    return [(str(pk), name) for pk, name in campaigns]


# What rules of segments may ask of a message besides what delivery knows.
CAMPAIGN_OF_MESSAGE = SegmentField(
    "campaign", gettext_lazy("Campaign"), Choice(), Column("campaign_id"), choices=_campaigns
)
