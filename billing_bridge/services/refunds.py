"""A bill comes back, in part or whole: offers, points, rewards and the purchase with it."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing_bridge.services.invoices import external_id
from customers.models import Purchase, PurchaseRefund
from customers.services import refund_purchase, void_purchase
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, NotFound
from marketing.coupons import services as coupons
from marketing.coupons.models import Reservation, Reversal
from marketing.coupons.pricing.units import unit_totals
from marketing.coupons.selectors.replay import kept_bill

VOID = "void"
Worth = dict[str, list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """`worth` is paise of each returned unit, by line; of a bill without a customer it is all."""

    reservation: Reservation
    reversal: Reversal
    worth: Worth
    purchase: Purchase | None
    refund: PurchaseRefund | None

    @property
    def made(self) -> dict[str, Any]:
        """What the raw row keeps of it."""
        purchase_id = str(self.purchase.pk) if self.purchase else None
        return {"reversalId": str(self.reversal.pk), "purchaseId": purchase_id}

    @property
    def customer_ids(self) -> list[uuid.UUID]:
        return [self.purchase.customer_id] if self.purchase else []


class BillUnknown(NotFound):
    default_message = _("This bill is not known here: send it to billing/invoices first.")


class BillVoided(Conflict):
    default_message = _("This bill was voided; nothing is left to be refunded.")


@transaction.atomic
def refund_invoice(
    *,
    actor: Actor,
    branch_id: uuid.UUID,
    invoice_id: str,
    refund_id: str,
    lines: Mapping[int, int] | None = None,
    refunded_at: dt.datetime | None = None,
) -> Refunded:
    """Take back so many units of lines, or all that is left, at what they cost her.

    The same `refund_id` again, and the whole bill once more, give the same answer. Raises
    `BillUnknown`, `BillVoided`, `MoreThanSold`, `IdempotencyMismatch` for a used `refund_id` with
    other lines, `Busy` with nothing done.
    """
    with coupons.counter_call():
        bill = _redeemed(actor, branch_id, invoice_id)
        if Reversal.objects.filter(reservation=bill, operation=VOID).exists():
            raise BillVoided()
        reversal = coupons.reverse(
            actor=actor,
            branch_id=branch_id,
            invoice_id=invoice_id,
            operation=f"refund:{refund_id}",
            lines=lines,
        )
        worth = _worth(bill, reversal)
        purchase = _purchase(branch_id, invoice_id)
        refund = None
        if purchase is not None:
            refund = refund_purchase(
                actor=actor,
                purchase=purchase,
                operation=reversal.operation,
                lines={int(line): len(units) for line, units in worth.items()},
                amount=_amount(bill, purchase, worth),
                refunded_at=refunded_at or clock.now(),
            )
    return Refunded(
        reservation=bill, reversal=reversal, worth=worth, purchase=purchase, refund=refund
    )


@transaction.atomic
def void_invoice(*, actor: Actor, branch_id: uuid.UUID, invoice_id: str) -> Refunded:
    """The bill was a mistake: all of it is taken back, and neither it nor its visit counts.

    Voided already is the same answer. Raises `BillUnknown`, `Busy`.
    """
    with coupons.counter_call():
        bill = _redeemed(actor, branch_id, invoice_id)
        reversal = coupons.reverse(
            actor=actor, branch_id=branch_id, invoice_id=invoice_id, operation=VOID
        )
        purchase = _purchase(branch_id, invoice_id)
        if purchase is not None:
            purchase = void_purchase(actor=actor, purchase=purchase)
    return Refunded(
        reservation=bill,
        reversal=reversal,
        worth=_worth(bill, reversal) if reversal.operation == VOID else {},
        purchase=purchase,
        refund=None,
    )


def _redeemed(actor: Actor, branch_id: uuid.UUID, invoice_id: str) -> Reservation:
    actor.require("coupon.redeem")
    bill = Reservation.objects.select_for_update().filter(
        branch=branch_id, invoice_id=invoice_id, state=Reservation.State.REDEEMED
    )
    found = bill.first() if actor.has_branch(branch_id) else None
    if found is None:
        raise BillUnknown(details={"invoiceId": invoice_id, "post": "billing/invoices"})
    return found


def _worth(bill: Reservation, reversal: Reversal) -> Worth:
    kept = kept_bill(bill)
    units = unit_totals(kept.cart, kept.quote)
    return {
        line: [units[int(line)][place] for place in places]
        for line, places in reversal.lines.items()
    }


def _purchase(branch_id: uuid.UUID, invoice_id: str) -> Purchase | None:
    return Purchase.objects.filter(external_id=external_id(branch_id, invoice_id)).first()


def _amount(bill: Reservation, purchase: Purchase, worth: Worth) -> Decimal:
    """Rupees; the last units of a bill bring the rest of it, what was rounded included."""
    left = purchase.total - purchase.refunded
    sold = Reservation.objects.values_list("sold", flat=True).get(pk=bill.pk)
    if all(len(line["back"]) == line["units"] for line in sold.values()):
        return left
    return min(left, Decimal(sum(map(sum, worth.values()))) / 100)
