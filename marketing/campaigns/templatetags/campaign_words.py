"""Filters that put campaigns' codes into words."""

from django import template
from django.utils.functional import Promise

from marketing.campaigns import wording
from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors import plan
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
def can(actor: Actor, permission: str) -> bool:
    """Whether the actor holds the permission."""
    return actor.can(permission)
