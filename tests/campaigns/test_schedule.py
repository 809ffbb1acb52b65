"""The schedule step, its live dates, the campaign's page and the API say and refuse the same."""

import datetime as dt
import re

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from django.utils.dates import MONTHS_3, WEEKDAYS_ABBR

from marketing.campaigns import services, wording
from marketing.campaigns.models import Campaign
from marketing.campaigns.recurrence import Fault, Silence
from marketing.campaigns.tasks import run_due_campaigns
from marketing.core import errors
from marketing.core.models import AuditEntry
from tests.campaigns.test_api import LIST, body, failed, url
from tests.campaigns.test_pages import page, text_of
from tests.factories.campaigns import approved, make_campaign, make_ground

# A Monday, half past eleven in Mumbai.
NOW = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)
MONDAYS = "FREQ=WEEKLY;BYDAY=MO;BYHOUR=10;BYMINUTE=0;BYSECOND=0"
WEEKLY = {"when": "repeat", "pattern": "weekly", "weekday": ["1", "4"], "time": "10:00"}
LAST_FRIDAY = "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=10;BYMINUTE=0;BYSECOND=0"


@pytest.fixture(autouse=True)
def ground(chain):
    make_ground(chain.north, people=3)


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def draft(chain):
    return make_campaign(chain.manager)


def stored():
    return Campaign.objects.get()


def save(login, campaign, **data):
    return login("manager").post(page(campaign, "campaign-edit", "schedule"), WEEKLY | data)


def live(login, campaign, **data):
    return login("manager").get(page(campaign, "campaign-dates"), WEEKLY | data)


def dates_in(answer):
    """The dates shown, with a star where one is skipped."""
    row = re.compile(r'<li( class="is-skipped")?>.*?<time[^>]*>(.*?) <span', re.DOTALL)
    rows = row.findall(answer.content.decode())
    return [shown.split(" 2026")[0] + ("*" if skipped else "") for skipped, shown in rows]


def test_it_is_stored_and_shown_again(login, draft):
    answer = save(
        login, draft, interval="2", start="2026-11-09", times="6", skipped=["2026-11-12", ""]
    )
    assert answer.status_code == 302, text_of(answer)
    campaign = stored()
    assert campaign.recurrence_rule == (
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;BYHOUR=10;BYMINUTE=0;BYSECOND=0;COUNT=6\n"
        "EXDATE;VALUE=DATE:20261112"
    )
    assert campaign.scheduled_at == dt.datetime(2026, 11, 8, 18, 30, tzinfo=dt.UTC)
    shown = login("manager").get(answer.url.replace("review", "schedule"))
    assert dates_in(shown) == [
        "Mon, 9 Nov", "Thu, 12 Nov*", "Mon, 23 Nov", "Thu, 26 Nov", "Mon, 7 Dec", "Thu, 10 Dec",
    ]  # fmt: skip
    html = shown.content.decode()
    for value in ("2026-11-09", "6", "2"):
        assert f'value="{value}"' in html
    assert len(re.findall(r'name="weekday"[^>]* checked', html)) == 2
    review = text_of(login("manager").get(answer.url))
    assert "Every 2 weeks · Monday, Thursday · 10:00 a.m. (Asia/Kolkata) · 6 times" in review
    assert "Thu, 10 Dec 2026" in review
    assert "Skipped: Thu, 12 Nov 2026" in review


def test_saving_it_unchanged_changes_nothing(login, draft):
    data = {"start": "2026-11-09", "until": "2026-12-31", "skipped": ["2026-11-12"]}
    save(login, draft, **data)
    before = stored()
    entries = AuditEntry.objects.count()
    assert save(login, draft, **data, version=before.version).status_code == 302
    assert (stored().version, AuditEntry.objects.count()) == (before.version, entries)


def test_the_live_dates_are_of_what_is_not_saved_yet(login, draft):
    assert dates_in(live(login, draft)) == [
        "Thu, 5 Nov", "Mon, 9 Nov", "Thu, 12 Nov", "Mon, 16 Nov", "Thu, 19 Nov",
    ]  # fmt: skip
    skipping = live(login, draft, skipped=["2026-11-09"])
    assert dates_in(skipping)[:3] == ["Thu, 5 Nov", "Mon, 9 Nov*", "Thu, 12 Nov"]
    assert len(dates_in(skipping)) == 6
    assert 'id="skip-2026-11-09" checked' in skipping.content.decode()
    assert stored().recurrence_rule == ""


def test_the_live_dates_wait_for_what_is_missing_and_tell_what_is_wrong(login, draft):
    waiting = live(login, draft, time="")
    assert waiting.status_code == 200
    assert "Say how often and at what time" in text_of(waiting)
    assert "Please fill this in." not in text_of(waiting)
    wrong = live(login, draft, until="2026-11-01")
    assert "This recurrence is over" in text_of(wrong)
    assert dates_in(wrong) == []


def test_skipped_dates_are_not_lost_while_something_is_wrong(login, draft):
    wrong = live(login, draft, times="3", until="2026-12-31", skipped=["2026-11-09"])
    assert "not both" in text_of(wrong)
    assert '<input type="hidden" name="skipped" value="2026-11-09">' in wrong.content.decode()


def test_the_dates_are_in_the_readers_language(login, draft):
    client = login("manager")
    answer = client.get(page(draft, "campaign-dates"), WEEKLY, headers={"accept-language": "hi"})
    with translation.override("hi"):
        thursday, november = str(WEEKDAYS_ABBR[3]), str(MONTHS_3[11])
    assert dates_in(answer)[0] == f"{thursday}, 5 {november.title()}"
    assert thursday != "Thu"


def test_past_skipped_dates_are_kept_unseen(login, draft, now):
    save(login, draft, times="3", skipped=["2026-11-05"])
    now.shift(dt.timedelta(days=5))
    shown = login("manager").get(page(draft, "campaign-edit", "schedule"))
    assert dates_in(shown) == ["Mon, 9 Nov", "Thu, 12 Nov", "Mon, 16 Nov"]
    assert '<input type="hidden" name="skipped" value="2026-11-05">' in shown.content.decode()


@pytest.mark.parametrize(
    ("data", "field", "words"),
    [
        ({"weekday": []}, "weekday", "Please fill this in."),
        ({"time": ""}, "time", "Please fill this in."),
        ({"pattern": "monthly", "day": ""}, "day", "Please fill this in."),
        ({"pattern": "monthly", "day": "32"}, "day", "At most 31, please."),
        ({"pattern": "hourly"}, "pattern", "Choose one of the list."),
        ({"interval": "0"}, "interval", "At least 1, please."),
        ({"times": "100000"}, "times", "At most 999, please."),
        ({"times": "3", "until": "2026-12-31"}, "times", "not both"),
        ({"until": "2026-11-01"}, "until", wording.SILENCES[Silence.OVER]),
        ({"until": "2026-11-03"}, "until", wording.SILENCES[Silence.OVER]),
        ({"times": "2", "start": "2026-10-01"}, "times", wording.SILENCES[Silence.OVER]),
        ({"start": "2040-01-01"}, "start", wording.SILENCES[Silence.NEVER]),
        ({"start": "1990-01-01"}, "start", wording.RECURRENCE_FAULTS[Fault.TOO_OLD]),
        (
            {"until": "2026-11-05", "skipped": ["2026-11-05"]},
            "skipped",
            wording.SILENCES[Silence.ALL_SKIPPED],
        ),
        ({"skipped": ["soon"]}, "skipped", "A date, please."),
        (
            {"skipped": [f"2027-{n // 28 + 1:02}-{n % 28 + 1:02}" for n in range(101)]},
            "skipped",
            wording.RECURRENCE_FAULTS[Fault.TOO_LONG],
        ),
    ],
)
def test_what_the_step_refuses_it_refuses_at_the_field(login, draft, data, field, words):
    answer = save(login, draft, **data)
    assert answer.status_code == 422
    found = answer.context["form"].errors
    assert list(found) == [field]
    assert str(words) in str(found[field][0])
    assert str(words) in text_of(answer)
    assert stored().version == draft.version


def test_a_rule_that_says_more_than_the_step_stays(login, draft, manager):
    services.update_campaign(
        actor=manager,
        campaign=draft,
        values={"campaign_type": "recurring", "recurrence_rule": LAST_FRIDAY},
    )
    shown = login("manager").get(page(draft, "campaign-edit", "schedule"))
    assert "As it was set up: FREQ=MONTHLY;BYDAY=-1FR" in text_of(shown)
    assert dates_in(shown)[:2] == ["Fri, 27 Nov", "Fri, 25 Dec"]
    answer = save(login, draft, pattern="kept", time="", skipped=["2026-11-27"])
    assert answer.status_code == 302
    assert stored().recurrence_rule == f"{LAST_FRIDAY}\nEXDATE;VALUE=DATE:20261127"


def test_the_dates_of_another_branchs_campaign_are_not_found(chain, login):
    other = make_campaign(chain.owner, branch_ids=[chain.south.pk])
    assert live(login, other).status_code == 404
    receptionist = login("receptionist").get(page(other, "campaign-dates"), WEEKLY)
    assert receptionist.status_code == 403


def test_live_dates_take_few_queries(login, draft):
    client = login("manager")
    client.get(page(draft, "campaign-dates"), WEEKLY)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(page(draft, "campaign-dates"), WEEKLY)
    with CaptureQueriesContext(connection) as many:
        client.get(page(draft, "campaign-dates"), WEEKLY | {"skipped": ["2026-11-09"] * 50})
    assert len(many) == len(few)


def recurring(chain, rule=MONDAYS):
    return approved(chain.manager, chain.regional, campaign_type="recurring", recurrence_rule=rule)


def test_the_campaigns_page_shows_the_next_five(chain, login):
    campaign = recurring(chain, f"{MONDAYS}\nEXDATE;VALUE=DATE:20261116")
    shown = text_of(login("manager").get(page(campaign)))
    assert "Every week · Monday" in shown
    for day in ("9 Nov", "23 Nov", "30 Nov", "7 Dec", "14 Dec"):
        assert f"Mon, {day} 2026" in shown
    assert "21 Dec" not in shown
    assert "Skipped: Mon, 16 Nov 2026" in shown
    services.update_campaign(
        actor=chain.actor(chain.manager), campaign=campaign, values={"description": "x"}
    )
    Campaign.objects.update(status="cancelled")
    assert "9 Nov" not in text_of(login("manager").get(page(campaign)))


def missed(chain, now, rule=MONDAYS):
    campaign = recurring(chain, rule)
    run_due_campaigns()
    now.move_to(dt.datetime(2026, 11, 9, 8, 0, tzinfo=dt.UTC))
    run_due_campaigns()
    paused = stored()
    assert (paused.status, paused.pause_reason) == ("paused", "missed_schedule")
    return campaign


@pytest.mark.parametrize(
    ("data", "next_run"),
    [
        ({}, dt.datetime(2026, 11, 16, 4, 30, tzinfo=dt.UTC)),
        ({"now": "1"}, dt.datetime(2026, 11, 9, 8, 0, tzinfo=dt.UTC)),
    ],
)
def test_a_missed_date_is_made_up_for_or_let_go(chain, login, now, data, next_run):
    campaign = missed(chain, now)
    shown = text_of(login("manager").get(page(campaign)))
    assert "Send now" in shown
    assert "Wait for Mon, 16 Nov" in shown
    assert login("manager").post(page(campaign, "campaign-resume"), data).status_code == 302
    assert (stored().status, stored().next_run_at) == ("scheduled", next_run)


def test_a_missed_last_date_is_sent_late_or_cancelled(chain, login, now):
    campaign = missed(chain, now, f"{MONDAYS};COUNT=1")
    shown = text_of(login("manager").get(page(campaign)))
    assert "Send now" in shown
    assert "Wait for" not in shown
    refused = login("manager").post(page(campaign, "campaign-resume"))
    assert refused.status_code == 422
    assert "This recurrence is over" in text_of(refused)
    assert stored().status == "paused"
    login("manager").post(page(campaign, "campaign-resume"), {"now": "1"})
    run_due_campaigns()
    assert stored().status == "sending"


def test_a_number_of_times_that_is_used_up_while_paused(chain, manager, now):
    campaign = recurring(chain, f"{MONDAYS};COUNT=2")
    run_due_campaigns()
    services.pause_campaign(actor=manager, campaign=campaign)
    now.shift(dt.timedelta(days=8))
    services.resume_campaign(actor=manager, campaign=campaign)
    assert stored().next_run_at == dt.datetime(2026, 11, 16, 4, 30, tzinfo=dt.UTC)
    services.pause_campaign(actor=manager, campaign=campaign)
    now.shift(dt.timedelta(days=8))
    before = stored()
    with pytest.raises(errors.ValidationFailed, match="over"):
        services.resume_campaign(actor=manager, campaign=campaign)
    assert (stored().status, stored().version) == ("paused", before.version)


def test_the_api_reads_and_writes_the_same_rule(api):
    rule = f"{MONDAYS};COUNT=4\nEXDATE;VALUE=DATE:20261109"
    wanted = body(campaignType="recurring", recurrenceRule=f"RRULE:{rule}")
    shown = api("manager", "post", LIST, wanted).json()["data"]["campaign"]
    assert shown["recurrenceRule"] == rule
    assert (shown["recurrencePattern"], shown["recurrenceDay"]) == ("weekly", 1)
    # What was read can be written as it is.
    names = ("recurrenceRule", "recurrencePattern", "recurrenceDay", "recurrenceTime")
    same = {name: shown[name] for name in names}
    again = api("manager", "patch", url(stored()), same).json()["data"]["campaign"]
    assert (again["recurrenceRule"], again["version"]) == (rule, shown["version"])
    # Another time of the day leaves the end and the skipped dates.
    later = api("manager", "patch", url(stored()), {"recurrenceTime": "11:00"})
    assert later.json()["data"]["campaign"]["recurrenceRule"] == rule.replace("=10", "=11")
    richer = {"recurrenceRule": LAST_FRIDAY} | dict.fromkeys(names[1:])
    shown = api("manager", "patch", url(stored()), richer).json()["data"]["campaign"]
    assert {name: shown[name] for name in names} == richer


@pytest.mark.parametrize(
    ("values", "field", "says"),
    [
        ({"recurrenceRule": "FREQ=SECONDLY"}, "recurrenceRule", "once a day at most"),
        ({"recurrenceRule": "FREQ=DAILY;BYHOUR=9,10"}, "recurrenceRule", "once a day at most"),
        ({"recurrenceRule": "every day"}, "recurrenceRule", "RFC 5545"),
        ({"recurrenceRule": "FREQ=DAILY;" * 200}, "recurrenceRule", "1500"),
        (
            {"recurrenceRule": "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30"},
            "recurrenceRule",
            "no such date",
        ),
        ({"recurrenceRule": "FREQ=DAILY;UNTIL=20200101"}, "recurrenceRule", "is over"),
        (
            {"recurrenceRule": "FREQ=DAILY;UNTIL=20261102\nEXDATE:20261102"},
            "recurrenceRule",
            "is over|Every date is skipped",
        ),
        (
            {"recurrenceRule": MONDAYS, "scheduledAt": "1990-01-01T00:00:00Z"},
            "scheduledAt",
            "too long ago",
        ),
        (
            {"recurrenceRule": MONDAYS, "scheduledAt": "9998-01-01T00:00:00Z"},
            "recurrenceRule",
            "no such date",
        ),
        ({}, "recurrencePattern", "how often"),
        ({"recurrencePattern": "weekly", "recurrenceTime": "10:00"}, "recurrenceDay", "Sunday"),
        ({"recurrencePattern": "weekly", "recurrenceDay": 1}, "recurrenceTime", "what time"),
    ],
)
def test_what_the_api_refuses(api, values, field, says):
    wanted = body(campaignType="recurring", **values)
    error = failed(api("manager", "post", LIST, wanted), 400, "MARKETING_400", field)
    assert re.search(says, error["fields"][field][0])
    assert not Campaign.objects.exists()


def test_a_past_time_of_a_one_time_campaign_is_refused_by_the_api(api):
    wanted = body(scheduledAt="2026-11-02T05:59:00Z")
    failed(api("manager", "post", LIST, wanted), 400, "MARKETING_400", "scheduledAt", "past")


def test_a_missed_date_is_made_up_for_over_the_api(chain, api, now):
    campaign = missed(chain, now)
    shown = api("manager", "post", url(campaign, "resume"), {"sendNow": True}).json()["data"]
    assert shown["campaign"]["nextRunAt"].startswith("2026-11-09T08:00")


def test_an_edit_of_the_skipped_dates_takes_the_approval_away(chain, login):
    campaign = recurring(chain)
    answer = save(login, campaign, weekday=["1"], skipped=["2026-11-16"])
    assert answer.status_code == 302
    assert (stored().status, stored().approved_hash) == ("draft", "")
