"""The calendar's month: whose campaigns stand on which day, in which state."""

import datetime as dt
import uuid
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.cache import cache
from django.urls import reverse

from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.selectors.calendar import month_of
from marketing.core.models import Tenant
from marketing.core.tenancy import current_tenant, know_tenant, tenant_scope
from marketing.delivery.models import SendRun
from tests.campaigns.test_pages import page, text_of
from tests.factories.campaigns import FestivalFactory, make_campaign, make_ground
from tests.page_queries import questions

NOVEMBER = dt.date(2031, 11, 1)
NOW = dt.datetime(2031, 11, 10, 6, 30, tzinfo=dt.UTC)
CALENDAR = reverse("campaign-calendar")


@pytest.fixture(autouse=True)
def ground(chain):
    make_ground(chain.north, people=1)
    with time_machine.travel(NOW, tick=False):
        yield


def at(text, zone="Asia/Kolkata"):
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def planned(staff, name, when=None, status="scheduled", **values):
    """A campaign in this state, however it came there."""
    moment = at(when) if when else None
    campaign = make_campaign(staff, name=name, scheduled_at=moment, **values)
    Campaign.objects.filter(pk=campaign.pk).update(
        status=status, next_run_at=moment, created_at=at("2031-01-01T00:00")
    )
    return Campaign.objects.get(pk=campaign.pk)


def ran(campaign, when, state="done", number=1):
    run = SendRun.objects.create(
        kind="campaign", purpose="promotional", campaign_id=campaign.pk, steps=[], state=state
    )
    CampaignRun.objects.create(campaign=campaign, number=number, send_run=run, due_at=at(when))


def repeating(staff, rule, name="Every time", **values):
    return planned(staff, name, campaign_type="recurring", recurrence_rule=rule, **values)


def shown(chain, who="owner", first=NOVEMBER, branch=None):
    """`(day, name, state)` of all that stands in the month."""
    month = month_of(chain.actor(getattr(chain, who)), first, NOW, branch and branch.pk)
    return [
        (day.date.day, entry.campaign.name, entry.state)
        for day in month.days
        for entry in day.entries
    ]


def test_each_state_stands_on_its_day(chain):
    sent = planned(chain.manager, "Sent", status="sent")
    ran(sent, "2031-11-03T12:00")
    ran(sent, "2031-11-03T15:00", number=2)
    stopped = planned(chain.manager, "Stopped", "2031-11-04T10:00", status="cancelled")
    ran(stopped, "2031-11-04T10:00", state="cancelled")
    going = planned(chain.manager, "Going", status="sending")
    ran(going, "2031-11-10T11:00", state="frozen")
    for day, status in ((5, "cancelled"), (6, "paused"), (7, "draft"), (20, "pending_approval")):
        planned(chain.manager, status, f"2031-11-{day:02}T10:00", status=status)
    planned(chain.manager, "To come", "2031-11-21T10:00")
    planned(chain.manager, "No day yet", status="draft")
    assert shown(chain) == [
        (3, "Sent", "sent"),
        (4, "Stopped", "cancelled"),
        (5, "cancelled", "cancelled"),
        (6, "paused", "paused"),
        (7, "draft", "draft"),
        (10, "Going", "sending"),
        (20, "pending_approval", "pending_approval"),
        (21, "To come", "scheduled"),
    ]
    assert shown(chain, first=dt.date(2031, 12, 1)) == []


def test_the_months_edges_are_those_of_the_chains_zone(chain):
    planned(chain.manager, "First minute", "2031-11-01T00:00")
    planned(chain.manager, "Last minute", "2031-11-30T23:59")
    planned(chain.manager, "Before", "2031-10-31T23:59")
    planned(chain.manager, "After", "2031-12-01T00:00")
    assert shown(chain) == [(1, "First minute", "scheduled"), (30, "Last minute", "scheduled")]
    assert shown(chain, first=dt.date(2031, 10, 1)) == [(31, "Before", "scheduled")]
    assert shown(chain, first=dt.date(2031, 12, 1)) == [(1, "After", "scheduled")]


def test_a_recurring_one_stands_on_every_day_to_come(chain):
    weekly = repeating(chain.manager, "FREQ=WEEKLY;BYDAY=MO;BYHOUR=10;BYMINUTE=0;BYSECOND=0")
    ran(weekly, "2031-11-03T10:00")
    name = weekly.name
    # Today's was due at ten and did not go; it is twelve now.
    to_come = [(day, name, "scheduled") for day in (17, 24)]
    assert shown(chain) == [(3, name, "sent"), *to_come]
    Campaign.objects.update(next_run_at=at("2031-11-10T10:00"))
    assert shown(chain) == [(3, name, "sent"), (10, name, "scheduled"), *to_come]
    Campaign.objects.update(status="sending")
    assert shown(chain)[1:] == to_come
    Campaign.objects.update(status="paused")
    assert shown(chain)[1:] == [(17, name, "paused"), (24, name, "paused")]
    Campaign.objects.update(status="cancelled")
    assert shown(chain) == [(3, name, "sent")]


def test_a_rule_that_cannot_be_read_hides_no_other(chain):
    broken = repeating(chain.manager, "FREQ=DAILY;BYHOUR=9;BYMINUTE=0;BYSECOND=0", name="Broken")
    Campaign.objects.filter(pk=broken.pk).update(recurrence_rule="FREQ=SOMETIMES")
    planned(chain.manager, "Whole", "2031-11-21T10:00")
    assert shown(chain) == [(21, "Whole", "scheduled")]


def test_ten_o_clock_stays_ten_when_the_clock_changes(chain):
    Tenant.objects.filter(pk=chain.tenant.pk).update(time_zone="America/New_York")
    know_tenant(None)
    rule = "FREQ=DAILY;BYHOUR=0;BYMINUTE=30;BYSECOND=0"
    repeating(chain.manager, rule)
    Campaign.objects.update(next_run_at=None, created_at=at("2031-11-30T00:00"))
    # Clocks go forward on 9 March 2032, a day of 23 hours, and back on 7 November.
    for month, length in ((3, 31), (11, 30)):
        first = dt.date(2032, month, 1)
        found = month_of(chain.actor(chain.owner), first, NOW)
        days = [day for day in found.days if day.entries]
        assert [day.date.day for day in days] == list(range(1, length + 1))
        zone = ZoneInfo(current_tenant().time_zone)
        local = {day.entries[0].at.astimezone(zone).strftime("%H:%M") for day in days}
        assert local == {"00:30"}


def test_whose_campaigns_stand_there(chain, login):
    planned(chain.manager, "Of North", "2031-11-20T10:00")
    planned(chain.owner, "Of West", "2031-11-20T10:00", branch_ids=[chain.west.pk])
    everywhere = planned(chain.owner, "Of all", "2031-11-20T10:00", branch_ids=None)
    planned(chain.owner, "Draft of all", "2031-11-20T10:00", status="draft", branch_ids=None)
    both = [chain.north.pk, chain.west.pk]
    planned(chain.owner, "Of North and West", "2031-11-20T10:00", branch_ids=both)

    def names(who, branch=None):
        return sorted(name for _day, name, _state in shown(chain, who, branch=branch))

    every = ["Draft of all", "Of North", "Of North and West", "Of West", "Of all"]
    assert names("owner") == every
    assert names("manager") == ["Of North", "Of North and West", "Of all"]
    assert names("regional") == names("manager")
    assert names("receptionist") == names("manager")
    assert names("regional", chain.south) == ["Of all"]
    assert names("owner", chain.west) == [
        "Draft of all", "Of North and West", "Of West", "Of all",
    ]  # fmt: skip

    answer = login("manager").get(CALENDAR, {"month": "2031-11"})
    assert "Of all" in text_of(answer)
    assert page(everywhere) not in answer.content.decode()
    assert login("manager").get(page(everywhere)).status_code == 404
    assert page(everywhere) in login("owner").get(CALENDAR).content.decode()


def test_another_branch_and_another_chain_are_not_found(chain, other_chain, login):
    client = login("manager")
    assert client.get(CALENDAR, {"branch": chain.north.pk}).status_code == 200
    for wrong in (chain.south.pk, other_chain.north.pk, uuid.uuid4(), "x"):
        assert client.get(CALENDAR, {"branch": wrong}).status_code == 404
    with tenant_scope(other_chain.tenant.pk):
        make_ground(other_chain.north)
        planned(other_chain.manager, "Theirs", "2031-11-20T10:00")
    assert "Theirs" not in text_of(login("owner").get(CALENDAR))


@pytest.mark.parametrize("month", ["", "2031-11", "2031-13", "nonsense", "0001-01", "٢٠٣١-١٢"])
def test_the_present_month_where_none_is_asked_for(chain, login, month):
    planned(chain.manager, "To come", "2031-11-21T10:00")
    answer = login("manager").get(CALENDAR, {"month": month})
    assert answer.status_code == 200
    assert "November 2031" in text_of(answer)
    assert "To come" in text_of(answer)


def test_one_month_leads_to_the_next(chain, login):
    client = login("regional")
    shown = client.get(CALENDAR, {"month": "2031-12", "branch": chain.north.pk})
    body = shown.content.decode()
    assert "month=2031-11&amp;branch" in body
    assert "month=2032-01&amp;branch" in body
    assert "No campaign goes in this month." in text_of(shown)
    assert "Christmas" in text_of(shown)
    for edge in ("2000-01", "2099-12"):
        assert client.get(CALENDAR, {"month": edge}).status_code == 200


def test_a_state_is_said_in_words(chain, login):
    planned(chain.manager, "Halted", "2031-11-20T10:00", status="paused")
    planned(chain.manager, "Gone", "2031-11-21T10:00", status="cancelled")
    words = text_of(login("manager").get(CALENDAR))
    assert "10:00 a.m. Halted Paused" in words
    assert "10:00 a.m. Gone Cancelled" in words


def fill(chain, count):
    for number in range(count):
        name = f"Campaign {number}"
        ran(planned(chain.manager, name, status="sent"), f"2031-11-{number + 1:02}T10:00")
        planned(chain.manager, f"{name} to come", f"2031-11-{number + 12:02}T10:00")
        repeating(chain.manager, "FREQ=DAILY;BYHOUR=10;BYMINUTE=0;BYSECOND=0", name=f"{name} daily")
        FestivalFactory(day=dt.date(2031, 11, number + 1))


def test_a_fuller_month_takes_no_more_statements(chain, login):
    fill(chain, 1)
    cache.clear()
    few, _parts = questions(login("manager"), CALENDAR)
    fill(chain, 5)
    cache.clear()
    many, _parts = questions(login("manager"), CALENDAR)
    assert len(many) == len(few), "\n".join(many)
