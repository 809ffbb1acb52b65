"""Festivals that are suggested, and the campaign that a suggestion begins."""

import datetime as dt

import pytest
import time_machine
from django.urls import reverse

from marketing.campaigns import services
from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors.suggestions import suggestions
from marketing.campaigns.services.festivals import keep_festival
from tests.campaigns.test_calendar import at, planned, ran, repeating
from tests.campaigns.test_pages import page, text_of
from tests.factories.campaigns import FestivalFactory, make_ground
from tests.factories.content import TemplateFactory

# Diwali is on 8 November 2026, Guru Nanak Jayanti on the 24th.
NOW = dt.datetime(2026, 10, 27, 6, 30, tzinfo=dt.UTC)
NEW = reverse("campaign-new")
DIWALI = {"festival": "diwali", "on": "2026-11-08"}


@pytest.fixture(autouse=True)
def ground(chain):
    make_ground(chain.north, people=1)
    with time_machine.travel(NOW, tick=False):
        yield


def suggested(chain, who="manager", now=NOW):
    found = suggestions(chain.actor(getattr(chain, who)), now)
    return {each.festival.name: each.days for each in found}


def test_the_coming_six_weeks_are_suggested(chain):
    found = suggested(chain)
    assert list(found.items()) == [
        ("Karva Chauth", 2),
        ("Diwali", 12),
        ("Bhai Dooj", 15),
        ("Chhath Puja", 19),
        ("Guru Nanak Jayanti", 28),
    ]
    assert suggested(chain, "receptionist") == {}
    FestivalFactory(name="Our sale", day=dt.date(2026, 12, 8))
    FestivalFactory(name="Too far", day=dt.date(2026, 12, 9))
    FestivalFactory(name="Today", day=dt.date(2026, 10, 27))
    keep_festival(actor=chain.actor(chain.owner), known="diwali", is_kept=False)
    assert {"Our sale"} == suggested(chain).keys() - found.keys()
    assert "Diwali" not in suggested(chain)


def test_days_are_counted_in_the_chains_zone(chain):
    late = dt.datetime(2026, 10, 27, 18, 29, tzinfo=dt.UTC)
    assert suggested(chain, now=late)["Diwali"] == 12
    assert suggested(chain, now=late + dt.timedelta(minutes=1))["Diwali"] == 11


@pytest.mark.parametrize(
    ("when", "status", "is_left"),
    [
        ("2026-11-08T20:00", "scheduled", False),
        ("2026-10-29T00:00", "draft", False),
        ("2026-10-28T23:59", "draft", True),
        ("2026-11-09T00:00", "scheduled", True),
        ("2026-11-03T11:00", "cancelled", True),
        ("2026-11-03T11:00", "paused", False),
    ],
)
def test_a_campaign_near_it_is_enough(chain, when, status, is_left):
    planned(chain.manager, "Glow", when, status=status)
    assert ("Diwali" in suggested(chain)) == is_left


def test_what_went_out_near_it_is_enough_too(chain):
    ran(planned(chain.manager, "Glow", status="sent"), "2026-10-26T11:00")
    assert "Karva Chauth" not in suggested(chain)
    assert "Diwali" in suggested(chain)


def test_a_draft_that_bears_its_name_is_enough(chain):
    planned(chain.manager, "A happy DIWALI", status="draft")
    found = suggested(chain)
    assert "Diwali" not in found
    assert "Bhai Dooj" in found


def test_a_weekly_campaign_is_for_no_festival(chain):
    repeating(chain.manager, "FREQ=WEEKLY;BYDAY=MO;BYHOUR=10;BYMINUTE=0;BYSECOND=0")
    assert "Diwali" in suggested(chain)


def test_whose_campaigns_count(chain):
    planned(chain.owner, "Of West", "2026-11-03T11:00", branch_ids=[chain.west.pk])
    assert "Diwali" in suggested(chain)
    assert "Diwali" not in suggested(chain, "owner")
    planned(chain.owner, "Of all", "2026-11-03T11:00", branch_ids=None)
    assert "Diwali" not in suggested(chain)


def test_it_is_offered_at_home_and_on_the_calendar(chain, login):
    for name in ("home", "campaign-calendar"):
        shown = login("manager").get(reverse(name))
        assert "Diwali is in 12 days." in text_of(shown)
        assert f"{NEW}?festival=diwali&amp;on=2026-11-08" in shown.content.decode()
        assert "Plan a campaign" not in text_of(login("receptionist").get(reverse(name)))
    assert not Campaign.objects.exists()


def test_a_suggestion_begins_a_campaign_with_name_message_and_day(chain, login):
    any_festival = TemplateFactory(name="Festive greetings", category="festival")
    TemplateFactory(name="Diwali", whatsapp_status="pending")
    TemplateFactory(name="Aarti", category="offer")
    client = login("manager")
    address = f"{NEW}?festival=diwali&on=2026-11-08"
    shown = client.get(address)
    assert 'value="Diwali 2026"' in shown.content.decode()
    assert "It will be planned for 3 November, 11:00 a.m." in text_of(shown)
    assert not Campaign.objects.exists()

    entered = {"name": "Diwali 2026", "channel": "whatsapp"}
    assert client.post(address, entered | {"name": ""}).status_code == 422
    assert not Campaign.objects.exists()
    assert client.post(address, entered).status_code == 302
    campaign = Campaign.objects.get()
    assert campaign.scheduled_at == at("2026-11-03T11:00")
    assert (campaign.status, campaign.template) == ("draft", any_festival)
    assert (
        'value="2026-11-03"'
        in client.get(page(campaign, "campaign-edit", "schedule")).content.decode()
    )
    assert "Diwali" not in suggested(chain)

    named = TemplateFactory(name="Happy Diwali")
    client.post(address, entered)
    assert Campaign.objects.latest("id").template == named
    sms = TemplateFactory(sms=True, name="Festive", category="Festival")
    client.post(address, entered | {"channel": "sms"})
    assert Campaign.objects.latest("id").template == sms
    client.post(address, entered | {"channel": "email"})
    assert Campaign.objects.latest("id").template is None


def test_a_day_too_near_for_the_usual_lead_is_planned_for_tomorrow(chain, login):
    login("manager").post(
        f"{NEW}?festival=karva-chauth&on=2026-10-29", {"name": "x", "channel": "sms"}
    )
    assert Campaign.objects.get().scheduled_at == at("2026-10-28T11:00")


@pytest.mark.parametrize(
    "asked",
    [
        {"festival": "diwali"},
        {"festival": "diwali", "on": "soon"},
        {"festival": "diwali", "on": "2026-11-09"},
        {"festival": "nonsense", "on": "2026-11-08"},
        {"festival": "dussehra", "on": "2026-10-20"},
        {"festival": "", "on": "2026-11-08"},
    ],
)
def test_what_is_no_coming_festival_is_an_ordinary_campaign(chain, login, asked):
    shown = login("manager").get(NEW, asked)
    assert shown.status_code == 200
    assert "It will be planned" not in text_of(shown)


def test_a_day_of_the_chains_own_is_planned_for(chain, login):
    own = FestivalFactory(name="Our sale", day=dt.date(2026, 12, 5))
    shown = login("manager").get(NEW, {"festival": str(own.pk), "on": "2026-12-05"})
    assert 'value="Our sale 2026"' in shown.content.decode()


def test_the_plan_is_edited_as_any_other(chain, login):
    client = login("manager")
    client.post(f"{NEW}?festival=diwali&on=2026-11-08", {"name": "x", "channel": "sms"})
    campaign = Campaign.objects.get()
    client.post(page(campaign, "campaign-edit", "schedule"), {"when": "now"})
    assert Campaign.objects.get().scheduled_at is None
    services.delete_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    assert "Diwali" in suggested(chain)
