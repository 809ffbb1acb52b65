"""What points offer to the customer's page, her timeline, and her right to see what is kept."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import ngettext

from customers.models import Customer
from customers.timeline import TimelineEntry
from marketing.core.actor import Actor
from marketing.core.templatetags.formats import format_number
from marketing.loyalty import selectors
from marketing.loyalty.models import PointsLot

CHUNK = 100
PANEL_ROWS = 4
KEPT = ("at", "kind", "points", "source_type", "source_id", "reason")
KEPT_LOTS = ("points", "remaining", "earned_at", "active_at", "expires_on")


def points_of_customer(actor: Actor, customer: Customer) -> dict[str, Any]:
    """The card on the customer's page."""
    return {
        "customer": customer,
        "points": selectors.balance(customer.pk),
        "entries": list(selectors.statement(customer)[:PANEL_ROWS]),
        "may_adjust": actor.can("loyalty.adjust"),
    }


def points_timeline(customer: Customer, actor: Actor) -> Iterator[TimelineEntry]:
    """What moved her points, newest first."""
    rows = selectors.statement(customer).select_related("branch").order_by("-at", "-id")
    for row in rows.iterator(chunk_size=CHUNK):
        sign = "+" if row.points > 0 else "−"
        yield TimelineEntry(
            id=row.pk,
            at=row.at,
            type="points",
            title=ngettext(
                "%(what)s: %(points)s point", "%(what)s: %(points)s points", abs(row.points)
            )
            % {
                "what": row.get_kind_display(),
                "points": f"{sign}{format_number(abs(row.points))}",
            },
            status=row.kind,
            branch_name=row.branch.name if row.branch else "",
            by=row.actor_label,
        )


def export_points(customer: Customer) -> dict[str, Any]:
    """Her entries and lots, oldest first."""
    lots = PointsLot.objects.filter(customer=customer)
    return {
        "entries": list(selectors.entries_of(customer).order_by("pk").values(*KEPT)),
        "lots": list(lots.order_by("pk").values(*KEPT_LOTS)),
    }
