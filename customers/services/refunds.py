"""Bills that come back, in part or whole: what is counted of them is what is left."""

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal

from django.db.models import F

from customers.facts import mark_stale
from customers.models import Purchase, PurchaseRefund, Visit
from customers.services.standing import standing_ids
from marketing.core import audit, events
from marketing.core.actor import Actor
from marketing.core.errors import Conflict
from marketing.core.prepared import bigints, kept_cursor
from marketing.core.sentences import gettext as _
from marketing.core.whole import whole

Status = Purchase.Status

RETURN = """
UPDATE customers_purchaseline line SET refunded_quantity = refunded_quantity + back.units
FROM unnest(%s::int[], %s::int[]) AS back (number, units)
WHERE line.purchase_id = %s AND line.number = back.number
  AND line.refunded_quantity + back.units <= line.quantity
"""
KEEP = """
WITH bill AS (
    UPDATE customers_purchase SET refunded = %(refunded)s, status = %(status)s
    WHERE id = %(purchase)s AND tenant_id = %(tenant)s
)
INSERT INTO customers_purchaserefund (
    tenant_id, purchase_id, operation, amount, lines, refunded_at)
VALUES (%(tenant)s, %(purchase)s, %(operation)s, %(amount)s, %(lines)s, %(refunded_at)s)
RETURNING id
"""


@whole()
def refund_purchase(
    *,
    actor: Actor,
    purchase: Purchase,
    operation: str,
    lines: Mapping[int, int],
    amount: Decimal,
    refunded_at: dt.datetime,
) -> PurchaseRefund:
    """Count so many units of lines (by number) as returned, and `amount` as given back.

    `purchase` is locked, its row just read. A bill of which nothing is left is refunded. The same
    `operation` again changes nothing. Raises `Conflict` for a bill that was voided, and for more
    than is left.
    """
    done = PurchaseRefund.objects.filter(purchase=purchase, operation=operation).first()
    if done is not None:
        return done
    if purchase.status == Status.VOID:
        raise Conflict(_("This bill was voided."))
    _return_units(purchase, lines)
    if amount > purchase.total - purchase.refunded:
        raise Conflict(_("More would be returned than was sold."))
    purchase.refunded += amount
    if not _kept_units(purchase):
        purchase.status = Status.REFUNDED
    refund = PurchaseRefund(
        purchase=purchase,
        operation=operation,
        amount=amount,
        lines={str(number): units for number, units in lines.items()},
        refunded_at=refunded_at,
    )
    _keep(refund)
    _tell(actor, purchase, operation, amount)
    return refund


@whole()
def void_purchase(*, actor: Actor, purchase: Purchase) -> Purchase:
    """The bill was a mistake: neither it nor the visit that it made counts any more.

    `purchase` is locked, its row just read. Voided already is the same answer.
    """
    if purchase.status == Status.VOID:
        return purchase
    # Another bill of her day would be of the visit, too.
    standing_ids([purchase.customer_id], alone=True)
    visit_id, purchase.visit = purchase.visit_id, None
    purchase.status = Status.VOID
    purchase.save(update_fields=["status", "visit"])
    # One that was reported by itself stays, and one with another bill.
    if visit_id is not None:
        Visit.objects.filter(pk=visit_id, external_id="", purchases=None).delete()
    _tell(actor, purchase, "void", purchase.total - purchase.refunded)
    return purchase


def _keep(refund: PurchaseRefund) -> None:
    """Write it, and what is left of its bill."""
    purchase = refund.purchase
    with kept_cursor() as cursor:
        cursor.execute(
            KEEP,
            {
                "tenant": refund.tenant_id,
                "purchase": purchase.pk,
                "refunded": purchase.refunded,
                "status": purchase.status,
                "operation": refund.operation,
                "amount": refund.amount,
                "lines": json.dumps(refund.lines),
                "refunded_at": refund.refunded_at,
            },
        )
        (refund.pk,) = cursor.fetchone()
    refund._state.adding = False


def _return_units(purchase: Purchase, lines: Mapping[int, int]) -> None:
    with kept_cursor() as cursor:
        cursor.execute(RETURN, [bigints(lines), bigints(lines.values()), purchase.pk])
        if cursor.rowcount != len(lines):
            raise Conflict(_("More would be returned than was sold."))


def _kept_units(purchase: Purchase) -> bool:
    return purchase.lines.filter(refunded_quantity__lt=F("quantity")).exists()


def _tell(actor: Actor, purchase: Purchase, operation: str, amount: Decimal) -> None:
    events.record(
        "invoice.refunded",
        {
            "customerId": str(purchase.customer_id),
            "purchaseId": str(purchase.pk),
            "branchId": str(purchase.branch_id),
            "operation": operation,
            "amount": str(amount),
            "isVoid": purchase.status == Status.VOID,
        },
        actor_id=actor.user_id,
    )
    audit.record(
        actor, "purchase.refund", purchase, {"operation": operation, "amount": str(amount)}
    )
    mark_stale([purchase.customer_id])
