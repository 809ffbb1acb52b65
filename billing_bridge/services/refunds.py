"""A bill comes back, in part or whole: offers, points, rewards and the purchase with it."""

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from billing_bridge.bills import OF_BILL
from billing_bridge.reading import OLDEST
from customers.models import Purchase, PurchaseRefund
from customers.rules import bill_key
from customers.services import refund_purchase, void_purchase
from marketing.core import clock, events
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, NotFound, ValidationFailed
from marketing.core.sentences import gettext
from marketing.core.whole import whole
from marketing.coupons import services as coupons
from marketing.coupons.models import Reservation, Reversal
from marketing.coupons.pricing.units import unit_totals
from marketing.coupons.rules import CLOCKS_APART
from marketing.coupons.selectors.replay import kept_bill

VOID = "void"
REFUND = "refund:"
Worth = dict[str, list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """`worth` is paise of each returned unit, by line; of a bill without a customer it is all."""

    reservation: Reservation
    reversal: Reversal
    worth: Worth
    purchase: Purchase | None
    refund: PurchaseRefund | None
    is_new: bool

    @property
    def refund_id(self) -> str | None:
        """The counter's name of the refund that brought it, which may be a former one."""
        named = self.reversal.operation.partition(REFUND)
        return named[2] or None

    @property
    def amount(self) -> Decimal:
        """What came back is worth, in rupees; a void brings all that was billed and is left."""
        if self.refund is not None:
            return self.refund.amount
        if self.purchase is not None:
            return self.purchase.total - self.purchase.refunded
        if not self.worth:
            return Decimal(0)
        return _of_nobody(self.reservation, self.reversal)

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


@whole()
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
    _require_time(refunded_at)
    with coupons.counter_call(), events.together():
        bill, reversals = _redeemed(actor, branch_id, invoice_id)
        operation = f"{REFUND}{refund_id}"
        former = {each.operation for each in reversals}
        if VOID in former and operation not in former:
            raise BillVoided()
        reversal = coupons.reverse(
            actor=actor,
            branch_id=branch_id,
            invoice_id=invoice_id,
            operation=operation,
            lines=lines,
            found=(bill, reversals),
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
        reservation=bill,
        reversal=reversal,
        worth=worth,
        purchase=purchase,
        refund=refund,
        is_new=reversal.operation not in former,
    )


@whole()
def void_invoice(*, actor: Actor, branch_id: uuid.UUID, invoice_id: str) -> Refunded:
    """The bill was a mistake: all of it is taken back, and neither it nor its visit counts.

    Voided already is the same answer. Raises `BillUnknown`, `Busy`.
    """
    with coupons.counter_call(), events.together():
        bill, reversals = _redeemed(actor, branch_id, invoice_id)
        former = {each.operation for each in reversals}
        reversal = coupons.reverse(
            actor=actor,
            branch_id=branch_id,
            invoice_id=invoice_id,
            operation=VOID,
            found=(bill, reversals),
            is_mistake=True,
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
        is_new=reversal.operation not in former,
    )


def return_late(*, actor: Actor, bill: Reservation, purchase: Purchase) -> None:
    """The sale of a bill that was redeemed, and came back, before it was sent: what came back of
    it does not count. `purchase` was just recorded."""
    if not any(line["back"] for line in bill.sold.values()):
        return
    reversals = Reversal.objects.filter(reservation=bill).order_by("pk")
    for each, amount in _amounts(bill, reversals, purchase.total):
        if each.operation == VOID:
            void_purchase(actor=actor, purchase=purchase)
            continue
        refund_purchase(
            actor=actor,
            purchase=purchase,
            operation=each.operation,
            lines={int(line): len(places) for line, places in each.lines.items()},
            amount=amount,
            refunded_at=each.made_at,
        )


def _redeemed(
    actor: Actor, branch_id: uuid.UUID, invoice_id: str
) -> tuple[Reservation, list[Reversal]]:
    actor.require("coupon.redeem")
    # An address may say what no column holds.
    is_name = "\0" not in invoice_id
    if is_name and actor.has_branch(branch_id):
        found = coupons.lock_redeemed(branch_id, invoice_id)
        if found is not None:
            return found
    raise BillUnknown(details={"invoiceId": invoice_id, "post": "billing/invoices"})


def _require_time(at: dt.datetime | None) -> None:
    """Raises `ValidationFailed` for what lies ahead, or before any bill."""
    if at is not None and at > clock.now() + CLOCKS_APART:
        message = gettext("The refund's time is more than a quarter of an hour from ours.")
        raise ValidationFailed(fields={"refundedAt": [message]})
    if at is not None and at < OLDEST:
        raise ValidationFailed(fields={"refundedAt": [gettext("This lies too far back.")]})


def _worth(bill: Reservation, reversal: Reversal) -> Worth:
    kept = kept_bill(bill)
    units = unit_totals(kept.cart, kept.quote)
    return {
        line: [units[int(line)][place] for place in places]
        for line, places in reversal.lines.items()
    }


def _purchase(branch_id: uuid.UUID, invoice_id: str) -> Purchase | None:
    """The customer's own record of the bill, locked."""
    known = Purchase.objects.filter(external_id=bill_key(branch_id, invoice_id))
    return known.select_for_update().first()


def _of_nobody(bill: Reservation, reversal: Reversal) -> Decimal:
    """Rupees of this return of a bill without a customer; its last one brings the rest."""
    told = bill.effects.get(OF_BILL, {}).get("total")
    total = None if told is None else Decimal(told)
    made = Reversal.objects.filter(reservation=bill, pk__lte=reversal.pk).order_by("pk")
    return [amount for _each, amount in _amounts(bill, made, total)][-1]


def _amounts(
    bill: Reservation, reversals: Iterable[Reversal], total: Decimal | None
) -> Iterator[tuple[Reversal, Decimal]]:
    """Rupees of each of all returns of a bill over `total`, in their order; as `_amount`."""
    left = total
    units = {line: sold["units"] for line, sold in bill.sold.items()}
    for each in reversals:
        amount = Decimal(sum(map(sum, _worth(bill, each).values()))) / 100
        for line, places in each.lines.items():
            units[line] -= len(places)
        if left is not None:
            amount = min(left, amount) if any(units.values()) else left
            left -= amount
        yield each, amount


def _amount(bill: Reservation, purchase: Purchase, worth: Worth) -> Decimal:
    """Rupees; the last units of a bill bring the rest of it, what was rounded included."""
    left = purchase.total - purchase.refunded
    if all(len(line["back"]) == line["units"] for line in bill.sold.values()):
        return left
    return min(left, Decimal(sum(map(sum, worth.values()))) / 100)
