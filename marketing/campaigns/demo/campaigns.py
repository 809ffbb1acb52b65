"""Example campaigns: a draft, one that waits for approval, and one that was sent."""

import datetime as dt
from zoneinfo import ZoneInfo

from marketing.campaigns import services
from marketing.campaigns.demo.organisation import Organisation
from marketing.campaigns.demo.past_campaign import make_past_campaign
from marketing.content.models import MessageTemplate
from marketing.core.actor import Actor
from marketing.segments.models import Segment

HOME = "BOM1"  # the branch whose manager the demo's visitor plays
SENT_DAYS_AGO, SENT_AT = 20, dt.time(11, 30)


def make_campaigns(organisation: Organisation, now: dt.datetime) -> None:
    """The campaigns that a visitor finds; what was sent is backed by a message a person."""
    branch = next(each for each in organisation.branches if each.code == HOME)
    manager = Actor.for_staff(organisation.managers[HOME])
    regional = Actor.for_staff(organisation.regionals["West"])
    services.create_campaign(
        actor=manager,
        values={
            "name": "Quiet afternoons",
            "description": "Fill Tuesday and Wednesday afternoons.",
            "channel": "sms",
            "template_id": _template("Flash sale", "sms").pk,
            "segment_id": Segment.objects.get(name="Inactive Customers (30+ days)").pk,
        },
    )
    waiting = services.create_campaign(
        actor=manager,
        values={
            "name": "December bookings for regular guests",
            "description": "Before the weddings begin, the good hours go to those who come often.",
            "channel": "whatsapp",
            "template_id": _template("Festival greetings", "whatsapp").pk,
            "segment_id": Segment.objects.get(name="Repeat Customers").pk,
        },
    )
    services.submit_campaign(actor=manager, campaign=waiting)
    sent_at = dt.datetime.combine(
        now.date() - dt.timedelta(days=SENT_DAYS_AGO), SENT_AT, ZoneInfo(branch.time_zone)
    )
    make_past_campaign(
        author=manager,
        approver=regional,
        branch=branch,
        template=_template("Festival greetings", "whatsapp"),
        sent_at=sent_at,
    )


def _template(name: str, channel: str) -> MessageTemplate:
    return MessageTemplate.objects.get(name=name, channel=channel, is_system=True)
