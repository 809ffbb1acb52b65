"""Whose points expire soon: one question, for pages, other modules and whoever writes to them."""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet, Sum

from customers.models import Customer
from marketing.core import clock
from marketing.core.tenancy import current_tenant
from marketing.loyalty import rules
from marketing.loyalty.models import PointsLot


class Expiring(NamedTuple):
    """How many of a customer's points end within the days asked for, and when the first do."""

    customer_id: uuid.UUID
    points: int
    expires_on: dt.date

    @property
    def id(self) -> uuid.UUID:
        """By which pages of them go on."""
        return self.customer_id


@dataclass(frozen=True)
class ExpiringTotals:
    """All of them together."""

    people: int
    points: int


def find_expiring_points(
    days: int, *, branch_ids: Collection[uuid.UUID] | None = None
) -> QuerySet[Any, Expiring]:
    """Whose points expire from today to so many days on, by customer: rows like `Expiring`, to be
    iterated over or joined to; never read at once of a whole chain.

    With `branch_ids` of customers whose home these are.
    """
    lots = _lots(days, branch_ids)
    rows = lots.values("customer_id").annotate(
        points=Sum("remaining"), expires_on=Min("expires_on")
    )
    named: QuerySet[Any, Any] = rows.order_by("customer_id").values_list(
        "customer_id", "points", "expires_on", named=True
    )
    return named


def expiring_by_customer(
    rows: QuerySet[Any, Expiring],
    *,
    after: uuid.UUID | None = None,
    before: uuid.UUID | None = None,
    newest_first: bool = False,
    size: int,
) -> list[Expiring]:
    """Up to `size` of `find_expiring_points` between two customers' ids."""
    if after is not None:
        rows = rows.filter(customer_id__gt=after)
    if before is not None:
        rows = rows.filter(customer_id__lt=before)
    found = rows.order_by("-customer_id" if newest_first else "customer_id")[:size]
    return [Expiring(*row) for row in found]


def expiring_by_day(
    days: int,
    *,
    branch_ids: Collection[uuid.UUID] | None = None,
    after: tuple[dt.date, uuid.UUID] | None = None,
    size: int,
) -> list[Expiring]:
    """Up to `size` of them, whose points expire first; those that follow a day and a customer.

    Found by the lots that go first, so that few are summed up, however many expire.
    """
    lots = _lots(days, branch_ids)
    hers = _lots(days).filter(customer=OuterRef("customer"))
    same_day = Q(expires_at=OuterRef("expires_at"), pk__lt=OuterRef("pk"))
    firsts = lots.exclude(Exists(hers.filter(Q(expires_at__lt=OuterRef("expires_at")) | same_day)))
    if after is not None:
        day, customer_id = after
        end = rules.end_of(day, current_tenant().time_zone)
        later = Q(expires_at__gt=end) | Q(customer__gt=customer_id)
        firsts = firsts.filter(later, expires_at__gte=end)
    found = firsts.order_by("expires_at", "customer_id").values_list("customer_id", flat=True)
    wanted = list(found[:size])
    rows = find_expiring_points(days).filter(customer_id__in=wanted)
    by_customer = {row[0]: Expiring(*row) for row in rows}
    # Whose points were used meanwhile is not there any more.
    return [by_customer[pk] for pk in wanted if pk in by_customer]


def expiring_totals(
    days: int, *, branch_ids: Collection[uuid.UUID] | None = None
) -> ExpiringTotals:
    """How many people, and how many points in all."""
    found = _lots(days, branch_ids).aggregate(
        people=Count("customer_id", distinct=True), points=Sum("remaining")
    )
    return ExpiringTotals(found["people"], int(found["points"] or 0))


def people_of(rows: Sequence[Expiring]) -> dict[uuid.UUID, Customer]:
    """The customers of these rows with their home branches, in one query."""
    named = Customer.objects.select_related("home_branch")
    return named.in_bulk([row.customer_id for row in rows])


def _lots(days: int, branch_ids: Collection[uuid.UUID] | None = None) -> QuerySet[PointsLot]:
    now = clock.now()
    zone = current_tenant().time_zone
    last = rules.end_of(rules.local_day(now, zone) + days * rules.DAY, zone)
    lots = PointsLot.objects.filter(
        remaining__gt=0, is_pending=False, expires_at__gt=now, expires_at__lte=last
    )
    if branch_ids is not None:
        lots = lots.filter(customer__home_branch__in=branch_ids)
    return lots
