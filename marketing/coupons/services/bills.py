"""What calls on one bill share: its row, whom it is for, what it holds."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson
from django.db import DEFAULT_DB_ALIAS
from django.db.models import JSONField

from customers.services.standing import standing_ids
from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.core.prepared import kept_cursor
from marketing.core.tenancy import current_tenant_id
from marketing.coupons.models import Reservation
from marketing.coupons.pricing.terms import Limits, Period
from marketing.coupons.services.counters import Use

# An offer on a bill with the limits it has now, as `on_bill` reads it.
HELD = """
held.offer_id, held.branch_id, held.customer_id, held.code_id, code.max_uses, held.amount,
held.local_day, held.revision, held.shares,
offer.max_total_uses, offer.max_uses_per_customer, offer.max_uses_per_branch,
offer.max_uses_per_period, offer.use_period, offer.budget
"""
LIMITS = """
LEFT JOIN coupons_offer offer ON offer.id = held.offer_id
LEFT JOIN coupons_couponcode code ON code.id = held.code_id
"""
HELD_BY = f"""
SELECT {HELD} FROM coupons_hold held {LIMITS}
WHERE held.tenant_id = %s AND held.reservation_id = ANY(%s)
"""  # noqa: S608  constants
_FIELDS = Reservation._meta.concrete_fields
_NAMES = [field.attname for field in _FIELDS]
_IN_JSON = [place for place, field in enumerate(_FIELDS) if isinstance(field, JSONField)]
# A reservation's columns, read as `bill`.
RESERVATION = ", ".join(f"bill.{field.column}" for field in _FIELDS)

FIND = f"""
SELECT {RESERVATION} FROM coupons_reservation bill
WHERE bill.tenant_id = %(tenant)s AND bill.branch_id = %(branch)s AND (
    bill.id = %(reservation)s OR bill.state = 'redeemed' AND bill.invoice_id = %(invoice)s)
ORDER BY bill.id FOR UPDATE OF bill
"""  # noqa: S608  names of our own columns
# The id is of a bill that is not known yet: effects name it before its row is written.
FOUND_OR_NEW = f"""
SELECT uuidv7(), bill.*
FROM (VALUES (true)) AS always
LEFT JOIN LATERAL (
    SELECT {RESERVATION} FROM coupons_reservation bill
    WHERE bill.tenant_id = %(tenant)s AND bill.branch_id = %(branch)s AND {{found}}
) bill ON true
"""  # noqa: S608  names of our own columns


class OnBill(NamedTuple):
    """A `Use` with the frozen amounts that go with it."""

    use: Use
    revision: int
    shares: list[dict[str, Any]]


def reservation_of(row: Sequence[Any]) -> Reservation:
    """Of the columns `RESERVATION`."""
    values = list(row)
    for place in _IN_JSON:
        values[place] = decoded(values[place])
    return Reservation.from_db(DEFAULT_DB_ALIAS, _NAMES, values)


def find_bills(
    branch_id: uuid.UUID, invoice_id: str, reservation_id: uuid.UUID | None
) -> tuple[Reservation | None, Reservation | None]:
    """Of the branch: what the invoice was redeemed by, and the reservation; None where there is
    none. Both are locked."""
    with kept_cursor() as cursor:
        cursor.execute(
            FIND,
            {
                "tenant": current_tenant_id(),
                "branch": branch_id,
                "invoice": invoice_id,
                "reservation": reservation_id,
            },
        )
        found = [reservation_of(row) for row in cursor.fetchall()]
    redeemed = [
        each
        for each in found
        if each.invoice_id == invoice_id and each.state == Reservation.State.REDEEMED
    ]
    reserved = [each for each in found if each.pk == reservation_id]
    return next(iter(redeemed), None), next(iter(reserved), None)


def find_or_begin(statement: str, branch_id: uuid.UUID, *, key: str, **by: str) -> Reservation:
    """The branch's bill that `FOUND_OR_NEW` finds, else one of that key that is to be filled in."""
    with kept_cursor() as cursor:
        cursor.execute(
            statement, {"tenant": current_tenant_id(), "branch": branch_id, "key": key, **by}
        )
        new_id, *row = cursor.fetchone()
    if row[0] is not None:
        return reservation_of(row)
    return Reservation(pk=new_id, branch_id=branch_id, key=key)


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
    with kept_cursor() as cursor:
        cursor.execute(HELD_BY, [current_tenant_id(), list(reservation_ids)])
        return [on_bill(row) for row in cursor.fetchall()]


def on_bill(row: Sequence[Any]) -> OnBill:
    """Of the columns `HELD`."""
    offer, branch, customer, code, most, amount, day, revision, shares, *columns = row
    use = Use(
        offer_id=offer,
        branch_id=branch,
        customer_id=customer,
        code_id=code,
        code_limit=most,
        amount=amount,
        day=day,
        limits=limits(columns),
    )
    return OnBill(use, revision, decoded(shares))


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
    return orjson.loads(value) if isinstance(value, str) else value


def encoded(value: Any) -> str:
    """JSON as a plain cursor takes it."""
    return orjson.dumps(value).decode()
