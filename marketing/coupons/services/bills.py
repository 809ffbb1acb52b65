"""What calls on one bill share: whom it is for, what it holds, how it answers."""

import json
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connection

from customers.services.standing import standing_ids
from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.core.tenancy import current_tenant_id
from marketing.coupons.models import Reservation
from marketing.coupons.pricing.terms import Limits, Period
from marketing.coupons.services.counters import Use

# An offer on a bill with the limits it has now; `amount` may be what is left of it.
HELD = """
SELECT held.offer_id, held.branch_id, held.customer_id, held.code_id, code.max_uses, held.amount,
       held.local_day, held.revision, held.shares,
       offer.max_total_uses, offer.max_uses_per_customer, offer.max_uses_per_branch,
       offer.max_uses_per_period, offer.use_period, offer.budget
FROM coupons_hold held
JOIN coupons_offer offer ON offer.id = held.offer_id
LEFT JOIN coupons_couponcode code ON code.id = held.code_id
WHERE held.tenant_id = %s AND held.reservation_id = ANY(%s)
"""
OF_APPLIED = """
SELECT applied.offer_id, code.id, code.max_uses,
       offer.max_total_uses, offer.max_uses_per_customer, offer.max_uses_per_branch,
       offer.max_uses_per_period, offer.use_period, offer.budget
FROM unnest(%s::uuid[], %s::uuid[]) AS applied (offer_id, code_id)
JOIN coupons_offer offer ON offer.id = applied.offer_id
LEFT JOIN coupons_couponcode code ON code.id = applied.code_id
WHERE offer.tenant_id = %s
"""


class OnBill(NamedTuple):
    """A `Use` with the frozen amounts that go with it."""

    use: Use
    revision: int
    shares: list[dict[str, Any]]


def require_branch(actor: Actor, branch_id: uuid.UUID) -> None:
    """Raises `NotFound` for a branch that is not the actor's."""
    actor.require("coupon.redeem")
    if not actor.has_branch(branch_id):
        raise NotFound()


def stand_for(customer_id: uuid.UUID | None) -> uuid.UUID | None:
    """Who stands for the customer until the transaction ends; a merge waits for it."""
    return None if customer_id is None else standing_ids([customer_id])[customer_id]


def held_by(reservation_ids: Iterable[uuid.UUID]) -> list[OnBill]:
    """What live reservations hold."""
    with connection.cursor() as cursor:
        cursor.execute(HELD, [current_tenant_id(), list(reservation_ids)])
        rows = cursor.fetchall()
    return [
        OnBill(
            Use(
                offer_id=offer,
                branch_id=branch,
                customer_id=customer,
                code_id=code,
                code_limit=most,
                amount=amount,
                day=day,
                limits=limits(columns),
            ),
            revision,
            decoded(shares),
        )
        for offer, branch, customer, code, most, amount, day, revision, shares, *columns in rows
    ]


def applied_of(reservation: Reservation) -> list[OnBill]:
    """What a reservation that is over was promised, with the limits of now."""
    applied = {uuid.UUID(entry["offer"]): entry for entry in reservation.applied}
    codes = [entry["codeId"] and uuid.UUID(entry["codeId"]) for entry in applied.values()]
    with connection.cursor() as cursor:
        cursor.execute(OF_APPLIED, [list(applied), codes, current_tenant_id()])
        rows = cursor.fetchall()
    return [
        OnBill(
            Use(
                offer_id=offer,
                branch_id=reservation.branch_id,
                customer_id=reservation.customer_id,
                code_id=code,
                code_limit=most,
                amount=applied[offer]["amount"],
                day=reservation.local_day,
                limits=limits(columns),
            ),
            applied[offer]["revision"],
            applied[offer]["shares"],
        )
        for offer, code, most, *columns in rows
    ]


def limits(columns: Sequence[Any]) -> Limits:
    """Limits from an offer's columns, in the order of the statements above."""
    total, customer, branch, in_period, period, budget = columns
    return Limits(
        total=total,
        per_customer=customer,
        per_branch=branch,
        per_period=in_period,
        period=Period(period),
        budget=budget,
    )


def decoded(value: Any) -> Any:
    """JSON as a plain cursor gives it."""
    return json.loads(value) if isinstance(value, str) else value
