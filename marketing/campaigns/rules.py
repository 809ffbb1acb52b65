"""What a campaign may do in which state, when people must approve it, and when it is next due.

Nothing here reads the database or the clock.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

DRAFT, PENDING_APPROVAL, APPROVED, SCHEDULED = "draft", "pending_approval", "approved", "scheduled"
SENDING, SENT, PAUSED, CANCELLED = "sending", "sent", "paused", "cancelled"
STATUSES = (DRAFT, PENDING_APPROVAL, APPROVED, SCHEDULED, SENDING, SENT, PAUSED, CANCELLED)


class ChannelFault(StrEnum):
    """What can be wrong with a channel plan."""

    NO_MODE = "no_mode"
    NO_SECOND = "no_second"
    USED_TWICE = "used_twice"
    WAIT = "wait"


class Action(StrEnum):
    """What people do to a campaign, and (`STOP`, `FINISH`) what the engine does to it."""

    EDIT = "edit"
    DELETE = "delete"
    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    ASK_FOR_CHANGES = "ask_for_changes"
    SCHEDULE = "schedule"
    SEND = "send"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"
    STOP = "stop"
    FINISH = "finish"


# For each action: from which state, to which states. What is not listed is refused.
TRANSITIONS: Mapping[Action, Mapping[str, frozenset[str]]] = {
    Action.EDIT: {
        status: frozenset({DRAFT}) for status in (DRAFT, PENDING_APPROVAL, APPROVED, SCHEDULED)
    },
    Action.DELETE: {DRAFT: frozenset({DRAFT})},
    Action.SUBMIT: {DRAFT: frozenset({PENDING_APPROVAL, APPROVED})},
    Action.APPROVE: {PENDING_APPROVAL: frozenset({APPROVED})},
    Action.REJECT: {PENDING_APPROVAL: frozenset({DRAFT})},
    Action.ASK_FOR_CHANGES: {PENDING_APPROVAL: frozenset({DRAFT})},
    Action.SCHEDULE: {APPROVED: frozenset({SCHEDULED})},
    Action.SEND: {status: frozenset({SENDING}) for status in (APPROVED, SCHEDULED)},
    Action.PAUSE: {status: frozenset({PAUSED}) for status in (SCHEDULED, SENDING)},
    Action.RESUME: {PAUSED: frozenset({SCHEDULED, SENDING})},
    Action.CANCEL: {status: frozenset({CANCELLED}) for status in (SCHEDULED, SENDING, PAUSED)},
    Action.RETRY: {status: frozenset({SENDING}) for status in (SENT, SCHEDULED)},
    # What is tried again later may stop after everything else went.
    Action.STOP: {status: frozenset({PAUSED}) for status in (SCHEDULED, SENDING, SENT)},
    Action.FINISH: {SENDING: frozenset({SENT, SCHEDULED})},
}

# The engine's pause reasons that only an approver can lift: what would go is not what was approved.
REAPPROVAL_REASONS = frozenset(
    {"changed_since_approval", "audience_grown", "cost_grown", "approval_required"}
)
# What was paused for its template goes on only with an approved one.
TEMPLATE_STOPPED = "template_stopped"
TEMPLATE_REASONS = frozenset({TEMPLATE_STOPPED, "whatsapp_template_not_approved"})
MISSED_SCHEDULE = "missed_schedule"
PAUSED_BY_PERSON = "paused_by_person"
GROWTH_LIMIT = Decimal("1.1")


def sources(action: Action, target: str = "") -> frozenset[str]:
    """The states in which `action` is allowed (and leads to `target`, when given)."""
    return frozenset(
        status for status, to in TRANSITIONS[action].items() if not target or target in to
    )


def is_allowed(action: Action, status: str) -> bool:
    return status in TRANSITIONS[action]


def actions_in(status: str) -> tuple[Action, ...]:
    """Everything that may be done in this state."""
    return tuple(action for action in Action if is_allowed(action, status))


def approval_reasons(
    *,
    approval_required: bool,
    recipients: int,
    cost: Decimal,
    recipient_threshold: int,
    cost_threshold: Decimal | None,
) -> list[str]:
    """Why somebody else must approve: `recipients`, `cost`, or nothing. A null threshold is off."""
    if not approval_required:
        return []
    reasons = ["recipients"] if recipients >= recipient_threshold else []
    if cost_threshold is not None and cost >= cost_threshold:
        reasons.append("cost")
    return reasons


def has_grown(now: int | Decimal, approved: int | Decimal) -> bool:
    """Whether a count or a cost is more than 10 % above what was approved."""
    return Decimal(now) > Decimal(approved) * GROWTH_LIMIT


def is_stale(due_at: dt.datetime, now: dt.datetime, stale_minutes: int) -> bool:
    """Whether a schedule was missed by more than the chain allows."""
    return now - due_at > dt.timedelta(minutes=stale_minutes)


WEEKDAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")


def recurrence_rule(pattern: str, day: int | None, at: dt.time) -> str:
    """Module 11's pattern, day and time as an RFC 5545 rule.

    Weekly: day 0 is Sunday. Monthly: 29-31 mean the last day of a shorter month. Raises
    ValueError when the day does not fit the pattern.
    """
    clock = f"BYHOUR={at.hour};BYMINUTE={at.minute};BYSECOND=0"
    if pattern == "daily":
        return f"FREQ=DAILY;{clock}"
    if pattern == "weekly" and day is not None and 0 <= day <= 6:
        return f"FREQ=WEEKLY;BYDAY={WEEKDAYS[day]};{clock}"
    if pattern == "monthly" and day is not None and 1 <= day <= 31:
        days = ",".join(str(number) for number in range(min(day, 28), day + 1))
        last = ";BYSETPOS=-1" if day > 28 else ""
        return f"FREQ=MONTHLY;BYMONTHDAY={days}{last};{clock}"
    raise ValueError("0 (Sunday) to 6 for weekly, 1 to 31 for monthly.")


def recurrence_parts(rule: str) -> dict[str, Any]:
    """The rule as Module 11's `pattern`, `day` and `time`; all None where it says more."""
    day = None
    try:
        parts = dict(part.split("=", 1) for part in rule.split(";"))
        at = dt.time(int(parts["BYHOUR"]), int(parts["BYMINUTE"]))
        pattern = parts["FREQ"].lower()
        if pattern == "weekly":
            day = WEEKDAYS.index(parts["BYDAY"])
        elif pattern == "monthly":
            day = int(parts["BYMONTHDAY"].split(",")[-1])
        if recurrence_rule(pattern, day, at) == rule:
            return {"pattern": pattern, "day": day, "time": at}
    except (KeyError, ValueError):
        pass
    return {"pattern": None, "day": None, "time": None}


def next_occurrence(
    rule: str, *, start: dt.datetime, after: dt.datetime, zone: str
) -> dt.datetime | None:
    """The rule's first moment later than `after`, counted from `start`, in UTC; None when over.

    The rule is expanded in local time of `zone`, so that ten o'clock stays ten o'clock.
    Raises ValueError for a rule that RFC 5545 does not know, or that repeats more than daily.
    """
    if not rule.startswith(tuple(f"FREQ={name}" for name in ("DAILY", "WEEKLY", "MONTHLY"))):
        raise ValueError("Begin with FREQ=DAILY, FREQ=WEEKLY or FREQ=MONTHLY.")
    local = ZoneInfo(zone)
    naive_start = start.astimezone(local).replace(tzinfo=None, microsecond=0)
    naive_after = after.astimezone(local).replace(tzinfo=None)
    try:
        found = rrulestr(rule, dtstart=naive_start).after(naive_after)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError("This is not a recurrence rule of RFC 5545.") from error
    return found.replace(tzinfo=local).astimezone(dt.UTC) if found else None


LONGEST_WAIT_MINUTES = 7 * 24 * 60


def falls_back_to_sms(channels: Sequence[str]) -> bool:
    """Whether WhatsApp comes first and an SMS after it."""
    return channels[0] == "whatsapp" and "sms" in channels[1:]


def channel_faults(
    mode: str, channels: Sequence[str], after_minutes: Sequence[int]
) -> dict[str, ChannelFault]:
    """What is wrong with a channel plan, by the contract's field."""
    if mode == "single" and len(channels) > 1:
        return {"channelMode": ChannelFault.NO_MODE}
    if mode != "single" and len(channels) == 1:
        return {"steps": ChannelFault.NO_SECOND}
    faults = {}
    for number, (channel, minutes) in enumerate(zip(channels, after_minutes, strict=True)):
        if channel in channels[:number]:
            faults[f"steps.{number}.channel"] = ChannelFault.USED_TWICE
        elif mode == "cascade" and number and not 1 <= minutes <= LONGEST_WAIT_MINUTES:
            faults[f"steps.{number}.afterMinutes"] = ChannelFault.WAIT
    return faults
