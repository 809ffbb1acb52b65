"""A month of campaigns and festivals, day by day in the chain's time zone."""

import calendar
import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet

from marketing.campaigns import recurrence
from marketing.campaigns.models import Campaign, CampaignRun, CampaignType
from marketing.campaigns.selectors.campaigns import campaigns_touching, may_open
from marketing.campaigns.selectors.festivals import FestivalDay, festivals_between
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant

MOMENT = dt.timedelta(seconds=1)
# Weeks begin on the day that Module 11 counts as 0.
WEEKS = calendar.Calendar(calendar.SUNDAY)
RUN_STATES = {"done": "sent", "paused": "paused", "cancelled": "cancelled"}
# A recurring campaign in one of these will go again, if nothing is done against it.
STILL_TO_COME = ("draft", "pending_approval", "approved", "scheduled", "sending", "paused")


@dataclass(frozen=True)
class Entry:
    """A campaign on a day; `state` is as `c-status` takes it. Only one's own can be opened."""

    at: dt.datetime
    campaign: Campaign
    state: str
    can_open: bool

    @property
    def is_recurring(self) -> bool:
        return self.campaign.campaign_type == CampaignType.RECURRING


@dataclass(frozen=True)
class Day:
    date: dt.date
    is_today: bool
    is_outside: bool
    festivals: list[FestivalDay] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)


@dataclass(frozen=True)
class Month:
    """`weeks` of seven days, those of other months empty; `days` on which there is something."""

    first: dt.date
    weeks: list[list[Day]]

    @property
    def days(self) -> list[Day]:
        days = [day for week in self.weeks for day in week]
        return [day for day in days if day.festivals or day.entries]

    @property
    def has_campaigns(self) -> bool:
        return any(day.entries for day in self.days)


def month_of(
    actor: Actor, first: dt.date, now: dt.datetime, branch_id: uuid.UUID | None = None
) -> Month:
    """The month that begins on `first`, as the actor may see it; three queries.

    With a branch only what goes to it, be it to others too.
    """
    zone = ZoneInfo(current_tenant().time_zone)
    days_long = calendar.monthrange(first.year, first.month)[1]
    last = first + dt.timedelta(days=days_long - 1)
    start = dt.datetime.combine(first, dt.time.min, zone)
    end = dt.datetime.combine(last + dt.timedelta(days=1), dt.time.min, zone)
    visible = campaigns_touching(actor)
    if branch_id is not None:
        visible = visible.filter(Q(branch_ids=None) | Q(branch_ids__contains=[branch_id]))

    entries: dict[dt.date, dict[uuid.UUID, Entry]] = defaultdict(dict)
    for at, campaign, state in (*_runs(visible, start, end), *_planned(visible, start, end, now)):
        of_day = entries[at.astimezone(zone).date()]
        # A campaign stands once on a day: at its first time, in its last state.
        shown_at = of_day[campaign.pk].at if campaign.pk in of_day else at
        of_day[campaign.pk] = Entry(shown_at, campaign, state, may_open(actor, campaign))
    festivals: dict[dt.date, list[FestivalDay]] = defaultdict(list)
    for festival in festivals_between(first, last):
        festivals[festival.day].append(festival)

    today = now.astimezone(zone).date()
    weeks = [
        [
            Day(day, day == today, day.month != first.month)
            if day.month != first.month
            else Day(
                day,
                day == today,
                False,
                festivals[day],
                sorted(entries[day].values(), key=lambda entry: (entry.at, entry.campaign.name)),
            )
            for day in week
        ]
        for week in WEEKS.monthdatescalendar(first.year, first.month)
    ]
    return Month(first, weeks)


Found = Iterator[tuple[dt.datetime, Campaign, str]]


def _runs(visible: QuerySet[Campaign], start: dt.datetime, end: dt.datetime) -> Found:
    """What went, or goes."""
    runs = CampaignRun.objects.filter(
        campaign__in=visible.values("pk"), due_at__gte=start, due_at__lt=end
    )
    for run in runs.select_related("campaign", "send_run").order_by("due_at", "number"):
        yield run.due_at, run.campaign, RUN_STATES.get(run.send_run.state, "sending")


def _planned(
    visible: QuerySet[Campaign], start: dt.datetime, end: dt.datetime, now: dt.datetime
) -> Found:
    """What is to come, or should have: of one-time campaigns the day, of others each day."""
    runs = CampaignRun.objects.filter(campaign=OuterRef("pk"))
    once = Q(
        ~Exists(runs),
        campaign_type=CampaignType.ONE_TIME,
        scheduled_at__gte=start,
        scheduled_at__lt=end,
    )
    again = Q(campaign_type=CampaignType.RECURRING, status__in=STILL_TO_COME)
    for campaign in visible.filter(once | again & ~Q(recurrence_rule="")).order_by("pk"):
        if campaign.campaign_type == CampaignType.ONE_TIME:
            assert campaign.scheduled_at is not None
            yield campaign.scheduled_at, campaign, campaign.status
        else:
            # The next ones of a campaign that is just going are scheduled.
            state = "scheduled" if campaign.status == "sending" else campaign.status
            for at in _occurrences(campaign, start, end, now):
                yield at, campaign, state


def _occurrences(
    campaign: Campaign, start: dt.datetime, end: dt.datetime, now: dt.datetime
) -> Iterator[dt.datetime]:
    """The moments from now on; none of a rule that cannot be read."""
    zone = current_tenant().time_zone
    begins = campaign.scheduled_at or campaign.created_at
    due = campaign.next_run_at if campaign.status == "scheduled" else None
    after = max(each for each in (start - MOMENT, now, begins - MOMENT) if each)
    if due:
        # One that is due but has not gone yet is still to come.
        after = max(start, due) - MOMENT
    rule = campaign.recurrence_rule
    try:
        coming = recurrence.occurrences(rule, start=begins, after=after, zone=zone)
    except recurrence.RecurrenceError:
        return
    yield from takewhile(lambda at: at < end, coming)
