"""Reads of runs and messages, by noun."""

from marketing.delivery.selectors.costs import Cost, costs_of_month
from marketing.delivery.selectors.faults import Cause, causes_of, failures_of
from marketing.delivery.selectors.people import Verdict, explain, messages_of_customer
from marketing.delivery.selectors.progress import (
    Progress,
    progress_of,
    reasons_of,
    run_progress,
)
from marketing.delivery.selectors.recipients import (
    all_recipients,
    newest_run_with,
    recipients_among,
    recipients_called,
    recipients_page,
)
from marketing.delivery.selectors.runs import (
    get_run_for_actor,
    recent_runs,
    runs_for_actor,
)
from marketing.delivery.selectors.waiting import (
    ACCOUNT_PAUSED,
    BUDGET,
    lock_stopped_account_of,
    runs_waiting_for,
    why_stopped,
)

__all__ = [
    "ACCOUNT_PAUSED",
    "BUDGET",
    "Cause",
    "Cost",
    "Progress",
    "Verdict",
    "all_recipients",
    "causes_of",
    "costs_of_month",
    "explain",
    "failures_of",
    "get_run_for_actor",
    "lock_stopped_account_of",
    "messages_of_customer",
    "newest_run_with",
    "progress_of",
    "reasons_of",
    "recent_runs",
    "recipients_among",
    "recipients_called",
    "recipients_page",
    "run_progress",
    "runs_for_actor",
    "runs_waiting_for",
    "why_stopped",
]
