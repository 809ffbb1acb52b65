"""Parts of a campaign's page that it fetches after it stands."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from marketing.campaigns.models import Campaign
from marketing.core.htmx import StaffRequest
from marketing.core.pages import part


def campaign_part(
    request: StaffRequest,
    campaign: Campaign,
    template: str,
    context: Mapping[str, Any],
    *,
    title: str,
) -> HttpResponse:
    """The part, or, where scripts are off, a page that leads back to the campaign."""
    within = [
        (_("Campaigns"), reverse("campaign-list")),
        (campaign.name, reverse("campaign-detail", args=[campaign.pk])),
    ]
    return part(request, template, {"campaign": campaign, **context}, title=title, within=within)
