"""Where an offer was used, as far as the actor may see it."""

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db.models import Count, F, QuerySet, Sum

from marketing.core.actor import Actor
from marketing.coupons.models import Offer, Redemption
from marketing.coupons.selectors.offers import redemptions_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of the actor's branches: customers, and paise given less what came back."""

    customers: int
    given: int


def figures_of(actor: Actor, offer: Offer) -> Figures:
    """One statement."""
    sums = (
        redemptions_of(actor, offer)
        .order_by()
        .aggregate(
            customers=Count("customer", distinct=True),
            given=Sum(F("amount") - F("returned"), default=0),
        )
    )
    return Figures(**sums)


def found(
    rows: QuerySet[Redemption],
    *,
    since: dt.date | None = None,
    until: dt.date | None = None,
    branch_id: uuid.UUID | None = None,
) -> QuerySet[Redemption]:
    """Those of the branch between two days of its own calendar, both included."""
    if since:
        rows = rows.filter(local_day__gte=since)
    if until:
        rows = rows.filter(local_day__lte=until)
    return rows.filter(branch=branch_id) if branch_id else rows
