"""Every transition from every state, who must approve, and when a recurring campaign is due."""

import datetime as dt
from decimal import Decimal

import pytest

from marketing.campaigns import rules
from marketing.campaigns.models import CampaignStatus
from marketing.campaigns.rules import Action

UTC = dt.UTC
# Decisions 4, written out once more as one line per state and action.
ALLOWED = {
    ("draft", "edit"): {"draft"},
    ("pending_approval", "edit"): {"draft"},
    ("approved", "edit"): {"draft"},
    ("scheduled", "edit"): {"draft"},
    ("draft", "delete"): {"draft"},
    ("draft", "submit"): {"pending_approval", "approved"},
    ("pending_approval", "approve"): {"approved"},
    ("pending_approval", "reject"): {"draft"},
    ("pending_approval", "ask_for_changes"): {"draft"},
    ("approved", "schedule"): {"scheduled"},
    ("approved", "send"): {"sending"},
    ("scheduled", "send"): {"sending"},
    ("scheduled", "pause"): {"paused"},
    ("sending", "pause"): {"paused"},
    ("scheduled", "stop"): {"paused"},
    ("sending", "stop"): {"paused"},
    ("sent", "stop"): {"paused"},
    ("paused", "resume"): {"scheduled", "sending"},
    ("sent", "retry"): {"sending"},
    ("scheduled", "retry"): {"sending"},
    ("scheduled", "cancel"): {"cancelled"},
    ("sending", "cancel"): {"cancelled"},
    ("paused", "cancel"): {"cancelled"},
    ("sending", "finish"): {"sent", "scheduled"},
    ("draft", "comment"): {"draft"},
    ("pending_approval", "comment"): {"pending_approval"},
    ("approved", "comment"): {"approved"},
    ("scheduled", "comment"): {"scheduled"},
    ("sending", "comment"): {"sending"},
    ("paused", "comment"): {"paused"},
}


def test_the_states_are_module_11s():
    assert set(rules.STATUSES) == set(CampaignStatus.values)


@pytest.mark.parametrize("status", rules.STATUSES)
@pytest.mark.parametrize("action", list(Action))
def test_every_action_in_every_state(status, action):
    expected = ALLOWED.get((status, action.value), set())
    assert rules.is_allowed(action, status) == bool(expected)
    assert (action in rules.actions_in(status)) == bool(expected)
    for target in rules.STATUSES:
        assert (status in rules.sources(action, target)) == (target in expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ["recipients"]),
        ({"recipients": 99}, []),
        ({"approval_required": False}, []),
        ({"cost_threshold": Decimal("50.00")}, ["recipients", "cost"]),
        ({"recipients": 99, "cost_threshold": Decimal("50.00")}, ["cost"]),
        ({"cost_threshold": Decimal("50.01")}, ["recipients"]),
    ],
)
def test_who_must_approve(values, expected):
    facts = {
        "approval_required": True,
        "recipients": 100,
        "cost": Decimal("50.00"),
        "recipient_threshold": 100,
        "cost_threshold": None,
    }
    assert rules.approval_reasons(**facts | values) == expected


@pytest.mark.parametrize(
    ("now", "approved", "grown"),
    [(110, 100, False), (111, 100, True), (1, 0, True), (0, 0, False), (90, 100, False)],
)
def test_growth_beyond_a_tenth(now, approved, grown):
    assert rules.has_grown(now, approved) is grown


def test_a_schedule_is_stale_after_the_set_minutes():
    due = dt.datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert not rules.is_stale(due, due + dt.timedelta(minutes=60), 60)
    assert rules.is_stale(due, due + dt.timedelta(minutes=60, seconds=1), 60)


@pytest.mark.parametrize(
    ("pattern", "day", "expected"),
    [
        ("daily", None, ["01-01 10:30", "01-02 10:30", "01-03 10:30"]),
        ("weekly", 0, ["01-04 10:30", "01-11 10:30", "01-18 10:30"]),
        ("weekly", 6, ["01-03 10:30", "01-10 10:30", "01-17 10:30"]),
        ("monthly", 5, ["01-05 10:30", "02-05 10:30", "03-05 10:30"]),
        ("monthly", 30, ["01-30 10:30", "02-28 10:30", "03-30 10:30"]),
        ("monthly", 31, ["01-31 10:30", "02-28 10:30", "03-31 10:30"]),
    ],
)
def test_recurrence_of_module_11_in_local_time(pattern, day, expected):
    rule = rules.recurrence_rule(pattern, day, dt.time(10, 30))
    assert rules.recurrence_parts(rule) == {"pattern": pattern, "day": day, "time": dt.time(10, 30)}
    start = moment = dt.datetime(2026, 1, 1, tzinfo=UTC)
    found = []
    for _ in expected:
        moment = rules.next_occurrence(rule, start=start, after=moment, zone="Asia/Kolkata")
        assert moment.utcoffset() == dt.timedelta(0)
        found.append(f"{moment + dt.timedelta(hours=5, minutes=30):%m-%d %H:%M}")
    assert found == expected


@pytest.mark.parametrize(("pattern", "day"), [("weekly", 7), ("weekly", None), ("monthly", 0)])
def test_a_day_that_does_not_fit_its_pattern(pattern, day):
    with pytest.raises(ValueError, match="weekly"):
        rules.recurrence_rule(pattern, day, dt.time(10))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("", "Begin with"),
        ("every day", "Begin with"),
        ("FREQ=SECONDLY", "Begin with"),
        ("FREQ=DAILY;BYHOUR=99", "hour"),
        ("FREQ=DAILY;BYHOUR", "RFC 5545|unpack"),
    ],
)
def test_a_rule_that_cannot_be_used(rule, words):
    now = dt.datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match=words):
        rules.next_occurrence(rule, start=now, after=now, zone="Asia/Kolkata")


def test_a_rule_that_is_over():
    now = dt.datetime(2026, 1, 1, tzinfo=UTC)
    rule = "FREQ=DAILY;UNTIL=20200101T000000"
    assert rules.next_occurrence(rule, start=now, after=now, zone="Asia/Kolkata") is None


def test_clock_time_stays_over_a_change_to_summer_time():
    rule = rules.recurrence_rule("daily", None, dt.time(10))
    start = dt.datetime(2026, 3, 27, tzinfo=UTC)
    before = rules.next_occurrence(rule, start=start, after=start, zone="Europe/Berlin")
    after = rules.next_occurrence(
        rule, start=start, after=dt.datetime(2026, 3, 29, tzinfo=UTC), zone="Europe/Berlin"
    )
    assert (before.hour, after.hour) == (9, 8)


def test_a_rule_richer_than_module_11_has_no_parts():
    assert rules.recurrence_parts("FREQ=DAILY;INTERVAL=2")["pattern"] is None
    assert rules.recurrence_parts("")["pattern"] is None
