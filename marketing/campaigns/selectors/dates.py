"""When a campaign goes."""

import datetime as dt

from marketing.campaigns import recurrence
from marketing.campaigns.models import Campaign, CampaignType
from marketing.core.tenancy import current_tenant

# So many dates are shown ahead.
DATES_SHOWN = 5


def starts_at(campaign: Campaign) -> dt.datetime:
    """From when on a recurring campaign repeats; its number of times counts from then."""
    return campaign.scheduled_at or campaign.created_at


def upcoming(campaign: Campaign, now: dt.datetime, number: int = DATES_SHOWN) -> list[dt.datetime]:
    """The next moments at which a recurring campaign would go; of any other, none.

    Raises `RecurrenceError` for a rule that cannot be used.
    """
    if campaign.campaign_type != CampaignType.RECURRING or not campaign.recurrence_rule:
        return []
    return recurrence.first_occurrences(
        campaign.recurrence_rule,
        number,
        start=starts_at(campaign),
        after=now,
        zone=current_tenant().time_zone,
    )


def silence(campaign: Campaign, now: dt.datetime) -> recurrence.Silence | None:
    """Why a recurring campaign has no date any more, if so. Raises `RecurrenceError`."""
    return recurrence.silence(
        campaign.recurrence_rule,
        start=starts_at(campaign),
        after=now,
        zone=current_tenant().time_zone,
    )
