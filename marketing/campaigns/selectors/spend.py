"""Where a month's money went: by branch, by channel, by campaign."""

import calendar
import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from customers.models import Channel
from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors.campaigns import campaigns_for_actor
from marketing.core.actor import Actor
from marketing.core.models import Branch
from marketing.core.tenancy import current_tenant
from marketing.delivery import selectors as delivery
from marketing.policy import selectors as policy
from marketing.policy.rules import Forecast, forecast
from marketing.policy.selectors import MonthSpend

NOTHING = Decimal(0)


class Entry(NamedTuple):
    """A campaign's money (None: that of single messages) of a branch (None: of none).

    `channel` is empty for what is held before it began.
    """

    campaign_id: uuid.UUID | None
    channel: str
    branch_id: uuid.UUID | None
    reserved: Decimal
    spent: Decimal


@dataclass(frozen=True)
class Line:
    """A sum of entries under one name. `campaign_id`: the page to open, if the actor may."""

    name: str
    reserved: Decimal
    spent: Decimal
    campaign_id: uuid.UUID | None = None


@dataclass(frozen=True)
class SpendReport:
    """A month's money as far as the actor answers for it.

    `total` is the chain's (`is_chains`), one branch's, or the sum of the actor's branches. Limits
    are those of now. `outlook` is None for other months than the present, and on its first day.
    """

    month: dt.date
    earlier: dt.date | None
    later: dt.date | None
    total: MonthSpend
    is_chains: bool
    branches: list[MonthSpend]
    channels: list[Line]
    campaigns: list[Line]
    entries: list[Entry]
    names: dict[uuid.UUID, str]
    outlook: Forecast | None

    @property
    def alerts(self) -> list[MonthSpend]:
        """Those who used so much of their limit that somebody should know."""
        rows = [self.total, *self.branches] if self.is_chains else self.branches
        return [row for row in rows if row.is_alarming]

    @property
    def reached_on(self) -> dt.date | None:
        """The day on which the limit is reached at this pace."""
        day = self.outlook and self.outlook.reached_on
        return self.month.replace(day=day) if day else None


def spend_report(
    actor: Actor, month: dt.date, now: dt.datetime, branch: Branch | None = None
) -> SpendReport:
    """The month's money of one of the actor's branches, or of all of them.

    As many queries for many campaigns as for one.
    """
    chain, *rows = policy.spend_of_month(month)
    mine = [row for row in rows if row.branch and actor.has_branch(row.branch.pk)]
    mine.sort(key=lambda row: -row.used)
    scope = None if actor.branch_ids is None else list(actor.branch_ids)
    total = chain if scope is None else _sum(mine, month)
    if branch is not None:
        none = MonthSpend(branch, month, None, NOTHING, NOTHING)
        scope, total = [branch.pk], next((row for row in mine if row.branch == branch), none)
    entries = [Entry(*cost) for cost in delivery.costs_of_month(month, scope)]
    entries += [
        Entry(holder_id, "", branch_id, amount, NOTHING)
        for holder_id, branch_id, amount in policy.held_of_month(month, scope)
    ]
    ids = {entry.campaign_id for entry in entries if entry.campaign_id}
    names = dict(Campaign.objects.filter(pk__in=ids).values_list("pk", "name"))
    visible = set(campaigns_for_actor(actor).filter(pk__in=ids).values_list("pk", flat=True))
    months = policy.months_with_money()
    return SpendReport(
        month=month,
        earlier=max((m for m in months if m < month), default=None),
        later=min((m for m in months if m > month), default=None),
        total=total,
        is_chains=total is chain,
        branches=mine if branch is None else [total],
        channels=_by_channel(entries),
        campaigns=_by_campaign(entries, names, visible),
        entries=entries,
        names=names,
        outlook=_outlook(total, month, now),
    )


def _sum(rows: list[MonthSpend], month: dt.date) -> MonthSpend:
    """Several branches as one: with a limit if each of them has one."""
    limits = [row.limit for row in rows if row.limit is not None]
    return MonthSpend(
        None,
        month,
        sum(limits, NOTHING) if limits and len(limits) == len(rows) else None,
        sum((row.reserved for row in rows), NOTHING),
        sum((row.spent for row in rows), NOTHING),
        rows[0].alert_percent if rows else None,
    )


def _by_channel(entries: Iterable[Entry]) -> list[Line]:
    sums: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.channel:
            sums[entry.channel].append(entry)
    return _ordered(_line(str(Channel(channel).label), found) for channel, found in sums.items())


def _by_campaign(
    entries: Iterable[Entry], names: dict[uuid.UUID, str], visible: set[uuid.UUID]
) -> list[Line]:
    sums: dict[uuid.UUID | None, list[Entry]] = defaultdict(list)
    for entry in entries:
        sums[entry.campaign_id if entry.campaign_id in names else None].append(entry)
    return _ordered(
        _line(names[pk] if pk else "", found, pk if pk in visible else None)
        for pk, found in sums.items()
    )


def _line(name: str, entries: list[Entry], campaign_id: uuid.UUID | None = None) -> Line:
    reserved = sum((entry.reserved for entry in entries), NOTHING)
    return Line(name, reserved, sum((entry.spent for entry in entries), NOTHING), campaign_id)


def _ordered(lines: Iterable[Line]) -> list[Line]:
    """The dearest first."""
    return sorted(lines, key=lambda line: (-line.spent - line.reserved, line.name))


def _outlook(total: MonthSpend, month: dt.date, now: dt.datetime) -> Forecast | None:
    if month != policy.month_of(now):
        return None
    zone = ZoneInfo(current_tenant().time_zone)
    begun = dt.datetime.combine(month, dt.time(), tzinfo=zone)
    # By what passed: where clocks are turned, a day has 23 or 25 hours.
    gone = Decimal((now - begun.astimezone(dt.UTC)) / dt.timedelta(days=1)).quantize(
        Decimal("0.0001")
    )
    return forecast(
        spent=total.spent,
        promised=total.reserved,
        limit=total.limit,
        days_gone=gone,
        days=calendar.monthrange(month.year, month.month)[1],
    )
