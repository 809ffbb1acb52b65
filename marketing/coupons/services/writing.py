"""A bill's row, what goes with it, and who did so: written in one statement."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from marketing.core import audit
from marketing.core.actor import Actor
from marketing.core.prepared import bigints, kept_cursor
from marketing.core.tenancy import current_tenant_id
from marketing.coupons.models import Reservation
from marketing.coupons.services.bills import OnBill, encoded

WRITTEN = (
    "branch_id", "customer_id", "key", "state", "quote_hash", "engine", "catalogue", "trace",
    "applied", "sold", "effects", "discount", "payable", "local_day", "reserved_at",
    "first_reserved_at", "expires_at", "invoice_id",
)  # fmt: skip
# To the rows that go with it.
_PASSED_ON = "id, tenant_id, branch_id, customer_id, invoice_id, local_day, redeemed_at"
_OFFERS = """
FROM bill, unnest(%(offers)s::uuid[], %(codes)s::uuid[], %(revisions)s::bigint[],
                  %(amounts)s::bigint[], %(shares)s::jsonb[])
    AS given (offer_id, code_id, revision, amount, shares)
"""
_HOLDS = f"""
INSERT INTO coupons_hold (tenant_id, reservation_id, offer_id, code_id, branch_id, customer_id,
    revision, amount, shares, local_day)
SELECT bill.tenant_id, bill.id, given.offer_id, given.code_id, bill.branch_id, bill.customer_id,
       given.revision, given.amount, given.shares, bill.local_day
{_OFFERS}"""
_NEW = f"""
INSERT INTO coupons_reservation (id, tenant_id, redeemed_at, {", ".join(WRITTEN)})
VALUES (%(id)s, %(tenant)s, %(redeemed_at)s, {", ".join(f"%({name})s" for name in WRITTEN)})
RETURNING {_PASSED_ON}
"""  # noqa: S608  names of our own columns
INSERT = f"WITH bill AS ({_NEW}), audited AS ({audit.WRITE}) {_HOLDS}"
UPDATE = f"""
WITH bill AS (
    UPDATE coupons_reservation SET {", ".join(f"{name} = %({name})s" for name in WRITTEN)}
    WHERE id = %(id)s AND tenant_id = %(tenant)s
    RETURNING {_PASSED_ON}
), audited AS ({audit.WRITE})
{_HOLDS}"""  # noqa: S608  names of our own columns
PAID = f"""
WITH bill AS ({_NEW}), audited AS ({audit.WRITE})
INSERT INTO coupons_redemption (tenant_id, reservation_id, offer_id, code_id, branch_id,
    customer_id, invoice_id, revision, amount, shares, state, local_day, redeemed_at)
SELECT bill.tenant_id, bill.id, given.offer_id, given.code_id, bill.branch_id, bill.customer_id,
       bill.invoice_id, given.revision, given.amount, given.shares, 'redeemed', bill.local_day,
       bill.redeemed_at
{_OFFERS}
RETURNING offer_id, id
"""


def write_reserved(
    actor: Actor, bill: Reservation, held: Sequence[OnBill], *, is_new: bool
) -> None:
    """The bill with what it holds."""
    told = {"key": bill.key, "quoteHash": bill.quote_hash}
    values = _values(bill, held) | audit.entry(actor, "coupon.reserve", bill, told)
    with kept_cursor() as cursor:
        cursor.execute(INSERT if is_new else UPDATE, values)
    _is_kept(bill)


def write_paid(
    actor: Actor, action: str, bill: Reservation, used: Sequence[OnBill]
) -> dict[uuid.UUID, uuid.UUID]:
    """The bill that nothing was held for, with what it used: redemptions by their offers."""
    told = {"invoiceId": bill.invoice_id}
    values = _values(bill, used) | audit.entry(actor, action, bill, told)
    with kept_cursor() as cursor:
        cursor.execute(PAID, values)
        redemptions = dict(cursor.fetchall())
    _is_kept(bill)
    return redemptions


def _is_kept(bill: Reservation) -> None:
    """For Django, which would insert it when it is saved."""
    bill._state.adding, bill._state.db = False, DEFAULT_DB_ALIAS


def _values(bill: Reservation, given: Sequence[OnBill]) -> dict[str, Any]:
    values = {name: getattr(bill, name) for name in WRITTEN}
    for name in ("applied", "sold", "effects"):
        values[name] = encoded(values[name])
    # Numbers as text, whose type does not go by their size.
    for name in ("catalogue", "discount", "payable"):
        values[name] = str(values[name])
    return values | {
        "id": bill.pk,
        "tenant": current_tenant_id(),
        "redeemed_at": bill.redeemed_at,
        "offers": [each.use.offer_id for each in given],
        "codes": [each.use.code_id for each in given],
        "revisions": bigints(each.revision for each in given),
        "amounts": bigints(each.use.amount for each in given),
        "shares": [encoded(each.shares) for each in given],
    }
