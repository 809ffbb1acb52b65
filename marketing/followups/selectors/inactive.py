"""Customers whom a staff member has not had in the chair for long.

Found from her visits, newest first, by `visit_by_staff`: each is the customer's last one with her
unless there is a later one. So a page costs what it shows, whatever the chain has.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from customers.models import Customer, Purchase, PurchaseLine, Visit
from marketing.core import clock
from marketing.core.models import Staff
from marketing.followups import rules
from marketing.followups.models import FollowupReminder


@dataclass(frozen=True)
class InactiveCustomer:
    """A customer as one staff member knows her; `spent` is what was charged for their services."""

    customer: Customer
    last_visit: Visit
    days: int
    visits: int
    spent: Decimal
    last_service: str
    reminder: FollowupReminder | None


def last_visits_before(staff: Staff, days: int, zone: str) -> QuerySet[Visit]:
    """The last visit with the staff member of each active customer who came longer ago."""
    later = Q(visited_at__gt=OuterRef("visited_at")) | Q(
        visited_at=OuterRef("visited_at"), pk__gt=OuterRef("pk")
    )
    again = Visit.objects.filter(later, customer=OuterRef("customer"), staff=staff)
    return (
        Visit.objects.filter(
            staff=staff,
            visited_at__lt=rules.quiet_since(days, clock.now(), zone),
            customer__status=Customer.Status.ACTIVE,
        )
        .filter(~Exists(again))
        .select_related("customer__consent", "branch")
    )


def describe_visits(
    staff: Staff, last_visits: Iterable[Visit], zone: str
) -> list[InactiveCustomer]:
    """Those of one page with what they had and spent with the staff member, in four statements."""
    visits = list(last_visits)
    people = [visit.customer_id for visit in visits]
    today = rules.local_day(clock.now(), zone)
    counts = dict(
        Visit.objects.filter(customer__in=people, staff=staff)
        .values_list("customer")
        .annotate(Count("pk"))
        .order_by()
    )
    spent, services = _spent(staff, people), _last_services(staff, people)
    reminders = _reminders(staff, people)
    return [
        InactiveCustomer(
            customer=visit.customer,
            last_visit=visit,
            days=(today - _day(visit.visited_at, zone)).days,
            visits=counts[visit.customer_id],
            spent=spent.get(visit.customer_id, Decimal(0)),
            last_service=services.get(visit.customer_id, ""),
            reminder=reminders.get(visit.customer_id),
        )
        for visit in visits
    ]


def _lines(staff: Staff, people: list[uuid.UUID]) -> QuerySet[PurchaseLine]:
    """What was charged for the staff member's services; a line without a name is the visit's."""
    theirs = Q(staff=staff) | Q(staff=None, purchase__visit__staff=staff)
    return PurchaseLine.objects.filter(
        theirs,
        purchase__customer__in=people,
        purchase__status=Purchase.Status.FINALISED,
    )


def _spent(staff: Staff, people: list[uuid.UUID]) -> dict[uuid.UUID, Decimal]:
    sums = _lines(staff, people).values_list("purchase__customer").annotate(Sum("amount"))
    return dict(sums.order_by())


def _last_services(staff: Staff, people: list[uuid.UUID]) -> dict[uuid.UUID, str]:
    lines = _lines(staff, people).order_by(
        "purchase__customer", "-purchase__purchased_at", "-amount", "-pk"
    )
    last = lines.distinct("purchase__customer")
    return dict(last.values_list("purchase__customer", "service__name"))


def _reminders(staff: Staff, people: list[uuid.UUID]) -> dict[uuid.UUID, FollowupReminder]:
    """The next pending reminder of each who has one, so that nobody is called twice."""
    pending = FollowupReminder.objects.filter(
        customer__in=people, staff=staff, status=FollowupReminder.Status.PENDING
    )
    return {each.customer_id: each for each in pending.order_by(F("reminder_date").desc(), "-pk")}


def _day(moment: dt.datetime, zone: str) -> dt.date:
    return moment.astimezone(ZoneInfo(zone)).date()
