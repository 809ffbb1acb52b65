"""Festivals that come soon and have no campaign yet, and what a campaign for one begins with."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import translation

from customers.models import Channel
from marketing.campaigns.festivals import BY_KEY
from marketing.campaigns.models import Campaign, CampaignType
from marketing.campaigns.selectors.campaigns import campaigns_touching
from marketing.campaigns.selectors.festivals import FestivalDay, festivals_between
from marketing.content.models import MessageTemplate, TemplateType, WhatsAppStatus
from marketing.content.selectors import templates_to_send
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant

AHEAD = dt.timedelta(weeks=6)
# A campaign so long before a festival, or on it, is taken for one for it.
NEAR = dt.timedelta(days=10)
# People book for a festival some days before it; eleven is within every send window.
LEAD, HOUR = dt.timedelta(days=5), dt.time(11)
UNDECIDED = ("draft", "pending_approval", "approved")


@dataclass(frozen=True)
class Suggestion:
    """A festival, in how many days it comes, and when its campaign could go."""

    festival: FestivalDay
    days: int
    send_at: dt.datetime

    @property
    def campaign_name(self) -> str:
        return f"{self.festival.name} {self.festival.day.year}"


def suggestions(actor: Actor, now: dt.datetime) -> list[Suggestion]:
    """The festivals of the coming weeks without a campaign near them, the next first; two queries.

    Nothing for whoever may not write campaigns. Recurring campaigns are for no festival.
    """
    if not actor.can("campaign.create"):
        return []
    today = _today(now)
    coming = festivals_between(today + dt.timedelta(days=1), today + AHEAD)
    planned = _planned_days(actor, now) if coming else []
    return [
        _suggestion(festival, now)
        for festival in coming
        if not any(_is_for(festival, name, day) for name, day in planned)
    ]


def suggestion_for(key: str, day: dt.date, now: dt.datetime) -> Suggestion | None:
    """The festival of this key on this coming day, whether or not something is planned."""
    if not _today(now) < day:
        return None
    found = [each for each in festivals_between(day, day) if each.key == key]
    return _suggestion(found[0], now) if found else None


def fitting_template(actor: Actor, festival: FestivalDay, channel: str) -> MessageTemplate | None:
    """The message of this channel to begin with: one named after the festival, else for any."""
    usable = templates_to_send(actor).filter(
        channel=channel, template_type=TemplateType.PROMOTIONAL
    )
    if channel == Channel.WHATSAPP:
        usable = usable.filter(
            versions__number=F("version"), versions__whatsapp_status=WhatsAppStatus.APPROVED
        )
    named = _named_after(festival)
    return (
        usable.filter(named | Q(category__iexact="festival"))
        .order_by(Case(When(named, then=Value(0)), default=Value(1)), "name", "pk")
        .first()
    )


def _today(now: dt.datetime) -> dt.date:
    return now.astimezone(ZoneInfo(current_tenant().time_zone)).date()


def _suggestion(festival: FestivalDay, now: dt.datetime) -> Suggestion:
    today = _today(now)
    day = max(festival.day - LEAD, today + dt.timedelta(days=1))
    send_at = dt.datetime.combine(day, HOUR, ZoneInfo(current_tenant().time_zone))
    return Suggestion(festival, (festival.day - today).days, send_at)


def _planned_days(actor: Actor, now: dt.datetime) -> Collection[tuple[str, dt.date | None]]:
    """Name and day of each campaign that may be for a festival; of some drafts no day."""
    zone = ZoneInfo(current_tenant().time_zone)
    window = (now - NEAR - dt.timedelta(days=1), now + AHEAD + dt.timedelta(days=1))
    campaigns: QuerySet[Campaign] = campaigns_touching(actor)
    found = (
        campaigns.filter(campaign_type=CampaignType.ONE_TIME)
        .exclude(status="cancelled")
        .filter(
            Q(scheduled_at__range=window)
            | Q(runs__due_at__range=window)
            | Q(status__in=UNDECIDED, scheduled_at=None, updated_at__gte=now - AHEAD)
        )
        .values_list("name", "scheduled_at", "runs__due_at")
    )
    return {
        (name, (at or went).astimezone(zone).date() if at or went else None)
        for name, at, went in found
    }


def _is_for(festival: FestivalDay, name: str, day: dt.date | None) -> bool:
    if day is None:
        return any(each.casefold() in name.casefold() for each in _names(festival))
    return festival.day - NEAR <= day <= festival.day


def _named_after(festival: FestivalDay) -> Q:
    named = Q()
    for name in _names(festival):
        named |= Q(name__icontains=name)
    return named


def _names(festival: FestivalDay) -> set[str]:
    """As the reader calls it, and in English."""
    if not festival.known:
        return {festival.name}
    with translation.override("en"):
        return {festival.name, str(BY_KEY[festival.known].name)}
