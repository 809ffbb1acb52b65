"""What people did with a campaign's messages: a part of its page that renews itself."""

import uuid

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from marketing.campaigns.selectors.campaigns import get_campaign_for_actor
from marketing.campaigns.selectors.progress import engagement_with
from marketing.campaigns.views.parts import campaign_part
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view


@staff_view("campaign.view")
@require_GET
def campaign_engagement(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    campaign = get_campaign_for_actor(request.actor, pk)
    return campaign_part(
        request,
        campaign,
        "campaigns/_engagement.html",
        {"engagement": engagement_with(campaign.runs.all())},
        title=_("Clicks and openings"),
    )
