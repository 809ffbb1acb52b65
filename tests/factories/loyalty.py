"""Points of the open tenant scope, through the services: `earn(asha, 100)` gives 100 points."""

import datetime as dt
import itertools
from typing import Any

from customers.models import Customer
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id
from marketing.loyalty import services
from marketing.loyalty.models import LoyaltyProgramme, PointsHold, PointsTransaction, Tier
from marketing.loyalty.services import BillLine, Source

_numbers = itertools.count(1)


def make_programme(**settings: Any) -> LoyaltyProgramme:
    """One that is on: 100 points for ₹100 (a point a rupee), which never expire, unless said."""
    defaults = {"is_enabled": True, "points_per_100": 100, "expiry_months": None}
    programme, _made = LoyaltyProgramme.objects.update_or_create(
        tenant_id=current_tenant_id(), defaults=defaults | settings
    )
    return programme


def make_tiers(*tiers: tuple[str, int, int]) -> list[Tier]:
    """Name, threshold and multiplier of each, the lowest first."""
    return [
        Tier.objects.create(name=name, level=level, threshold=threshold, multiplier=multiplier)
        for level, (name, threshold, multiplier) in enumerate(tiers, 1)
    ]


def system() -> Actor:
    return Actor.system(current_tenant_id())


def bill(name: str = "") -> Source:
    return Source("invoice", name or f"INV-{next(_numbers)}")


def earn(
    customer: Customer,
    rupees: int,
    source: Source | None = None,
    *,
    at: dt.datetime | None = None,
    **more: Any,
) -> PointsTransaction:
    """A bill of one line over so many rupees."""
    made = services.earn_points(
        actor=system(),
        customer=customer,
        source=source or bill(),
        lines=[BillLine("1", rupees * 100)],
        at=at or clock.now(),
        **more,
    )
    assert made
    return made


def hold(customer: Customer, points: int, source: Source | None = None) -> PointsHold:
    return services.hold_points(
        actor=system(), customer=customer, points=points, source=source or bill()
    )


def spend(customer: Customer, points: int, source: Source | None = None) -> PointsTransaction:
    """Held and used at once."""
    source = source or bill()
    return services.post_hold(actor=system(), hold=hold(customer, points, source), source=source)
