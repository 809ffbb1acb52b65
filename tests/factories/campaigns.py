"""A campaign that could go: people, a segment, an approved message, an account with prices."""

import datetime as dt
from typing import Any

from factory.django import DjangoModelFactory

from marketing.campaigns import services
from marketing.campaigns.models import Campaign, Festival
from marketing.core.actor import Actor
from marketing.core.models import Branch, Staff
from tests.factories.content import TemplateFactory
from tests.factories.customers import make_people
from tests.factories.delivery import make_senders, open_window
from tests.factories.segments import SegmentFactory, where


def make_ground(*branches: Branch, people: int = 3, **config: Any) -> None:
    """People in each branch, accounts for each channel, and settings that ask for approval."""
    open_window(**{"campaign_approval_threshold_recipients": 1} | config)
    make_senders()
    for branch in branches:
        make_people(people, home_branch=branch)


def everybody(**values: Any) -> Any:
    return SegmentFactory(rules=where("visit_count", "gte", 0), **values)


def make_campaign(staff: Staff, **values: Any) -> Campaign:
    """A whole draft of this staff member's."""
    values = {"name": "Diwali glow", "campaign_type": "one_time", "channel": "whatsapp"} | values
    if "template_id" not in values:
        values["template_id"] = TemplateFactory(channel=values["channel"]).pk
    if "segment_id" not in values and not values.get("target_all_customers"):
        values["segment_id"] = everybody().pk
    return services.create_campaign(actor=Actor.for_staff(staff), values=values)


def submitted(staff: Staff, **values: Any) -> Campaign:
    campaign = make_campaign(staff, **values)
    return services.submit_campaign(actor=Actor.for_staff(staff), campaign=campaign)


def approved(author: Staff, approver: Staff, **values: Any) -> Campaign:
    campaign = submitted(author, **values)
    return services.approve_campaign(actor=Actor.for_staff(approver), campaign=campaign)


class FestivalFactory(DjangoModelFactory[Festival]):
    """A day of the chain's own."""

    class Meta:
        model = Festival

    name = "Anniversary sale"
    day = dt.date(2026, 12, 5)
