"""Filters that put campaigns' codes into words."""

import datetime as dt

from django import template
from django.utils import timezone
from django.utils.functional import Promise

from marketing.campaigns import wording
from marketing.campaigns.models import Campaign, CampaignStatus
from marketing.campaigns.recurrence import RecurrenceError, parse
from marketing.campaigns.selectors import dates, plan
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.delivery.wording import REASONS

register = template.Library()


def _readable(code: str) -> str:
    return code.replace("_", " ").capitalize()


@register.filter
def skip_reason(code: str) -> str | Promise:
    """Why somebody gets nothing."""
    return REASONS.get(code) or _readable(code)


@register.filter
def pause_reason(code: str) -> str | Promise:
    """Why a campaign stands still."""
    return wording.pause_reason(code)


@register.filter
def pause_prospects(code: str) -> str | Promise:
    """What becomes of a campaign that stands still for this, if there is more to say."""
    return wording.PAUSE_PROSPECTS.get(code, "")


@register.filter
def act(action: str) -> wording.Act:
    """Title, icon and tone of an audited action such as "campaign.approve"."""
    return wording.ACTS.get(action.split(".", 1)[-1], wording.UNKNOWN_ACT)


@register.filter
def channel_steps(campaign: Campaign) -> list[plan.ChannelStep]:
    """The campaign's channels in their order, each with its message."""
    return plan.channel_steps(campaign)


@register.filter
def repetition(campaign: Campaign) -> str:
    """How a recurring campaign repeats."""
    return wording.repetition(campaign.recurrence_rule)


@register.filter
def next_dates(campaign: Campaign) -> list[dt.datetime]:
    """When a recurring campaign would go next; none once it is through or cancelled."""
    if campaign.status in (CampaignStatus.SENT, CampaignStatus.CANCELLED):
        return []
    try:
        return dates.upcoming(campaign, clock.now())
    except RecurrenceError:
        return []


@register.filter
def skipped_dates(campaign: Campaign) -> list[dt.date]:
    """The days from today on that a recurring campaign skips."""
    if not campaign.recurrence_rule:
        return []
    today = timezone.localdate(clock.now())
    return [day for day in parse(campaign.recurrence_rule).skipped if day >= today]


@register.filter
def can(actor: Actor, permission: str) -> bool:
    """Whether the actor holds the permission."""
    return actor.can(permission)
