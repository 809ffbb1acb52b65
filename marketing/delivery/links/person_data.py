"""What links know of a person, for the right to see it and to have it erased."""

from customers.models import Customer
from marketing.delivery.models import Engagement, TrackedLink


def export_engagement(customer: Customer) -> list[dict[str, str]]:
    """Every click and opening of the person's messages, oldest first."""
    rows = list(Engagement.objects.filter(customer=customer).order_by("pk"))
    sources = TrackedLink.objects.in_bulk({row.link_id for row in rows})
    return [
        {
            "did": row.kind,
            "link": sources[row.link_id].source if row.link_id in sources else "",
            "messageId": str(row.message_id),
            "browser": row.agent,
            "takenForMachine": row.machine,
            "at": row.at.isoformat(),
        }
        for row in rows
    ]


def erase_engagement(customer: Customer) -> None:
    """Forget them; the counts of runs, which name nobody, stay."""
    Engagement.objects.filter(customer=customer).delete()
