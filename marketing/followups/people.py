"""What follow-ups offer to the customer's page, and to her right to see and erase what is kept."""

from typing import Any

from customers.models import Customer
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.followups import selectors
from marketing.followups.models import FollowupReminder

PANEL_ROWS = 5
KEPT = ("reminder_date", "reminder_time", "note", "status", "outcome", "completed_at", "created_at")


def followups_of_customer(actor: Actor, customer: Customer) -> dict[str, Any]:
    """The card on the customer's page: open ones first, then those closed last."""
    return {
        "customer": customer,
        "followups": list(selectors.followups_of(actor, customer)[:PANEL_ROWS]),
    }


def export_followups(customer: Customer) -> list[dict[str, Any]]:
    """Every reminder about the person, oldest first."""
    return list(FollowupReminder.objects.filter(customer=customer).order_by("pk").values(*KEPT))


def erase_followups(customer: Customer) -> None:
    """Keep that there were reminders, not what they said; nobody is to call any more."""
    reminders = FollowupReminder.objects.filter(customer=customer)
    reminders.update(note="")
    reminders.filter(status=FollowupReminder.Status.PENDING).update(
        status=FollowupReminder.Status.DISMISSED, completed_at=clock.now()
    )
