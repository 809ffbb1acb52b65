"""What a campaign may do in which state, and when people must approve it.

Nothing here reads the database or the clock.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum

DRAFT, PENDING_APPROVAL, APPROVED, SCHEDULED = "draft", "pending_approval", "approved", "scheduled"
SENDING, SENT, PAUSED, CANCELLED = "sending", "sent", "paused", "cancelled"
STATUSES = (DRAFT, PENDING_APPROVAL, APPROVED, SCHEDULED, SENDING, SENT, PAUSED, CANCELLED)

# How long what was counted may be shown in the place of a count; what it decides is counted anew.
COUNT_HOLDS = dt.timedelta(minutes=10)

# Where no money is held for what is yet to go.
HOLDING_NOTHING = frozenset({DRAFT, SENT, CANCELLED})


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
    COMMENT = "comment"
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
    Action.COMMENT: {
        status: frozenset({status}) for status in STATUSES if status not in (SENT, CANCELLED)
    },
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
    discount: Decimal = Decimal(0),
    discount_threshold: int | None = None,
) -> list[str]:
    """Why somebody else must approve: `recipients`, `cost`, `discount`, or nothing.

    `discount` is the most of a bill that the offer gives, in per cent. A null threshold is off.
    """
    if not approval_required:
        return []
    reasons = ["recipients"] if recipients >= recipient_threshold else []
    if cost_threshold is not None and cost >= cost_threshold:
        reasons.append("cost")
    if discount_threshold is not None and discount and discount >= discount_threshold:
        reasons.append("discount")
    return reasons


def has_grown(now: int | Decimal, approved: int | Decimal) -> bool:
    """Whether a count or a cost is more than 10 % above what was approved."""
    return Decimal(now) > Decimal(approved) * GROWTH_LIMIT


def is_stale(due_at: dt.datetime, now: dt.datetime, stale_minutes: int) -> bool:
    """Whether a schedule was missed by more than the chain allows."""
    return now - due_at > dt.timedelta(minutes=stale_minutes)


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
