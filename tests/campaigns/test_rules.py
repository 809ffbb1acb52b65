"""Every transition from every state, and who must approve."""

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
