"""A finished bill is taken in: purchase, offers, points and referrals in one transaction."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from billing_bridge.bills import OF_BILL, CounterBill, get_customer, no_such_branch, paise
from billing_bridge.promises import differing_discounts, is_same_sale
from billing_bridge.reading import OLDEST
from billing_bridge.services.refunds import return_late
from billing_bridge.warnings import fewer_points, refused, warning
from customers.models import Customer, Purchase
from customers.rules import bill_key
from customers.services import BillLine, record_purchase
from marketing.core import clock, events
from marketing.core.actor import Actor
from marketing.core.errors import DomainError, IdempotencyMismatch, ValidationFailed
from marketing.core.models import Branch, Staff
from marketing.core.sentences import gettext as _
from marketing.core.templatetags.formats import money
from marketing.core.whole import whole
from marketing.coupons import services as coupons
from marketing.coupons.code_symbols import normalise
from marketing.coupons.errors import Busy
from marketing.coupons.models import Reservation
from marketing.coupons.pricing.bill import Cart, CodesPolicy
from marketing.coupons.rules import CLOCKS_APART
from marketing.coupons.selectors.replay import KeptBill, kept_bill

State = Reservation.State
# A way to pay that earns no points.
WALLET = "wallet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """`bill` as it was priced for the customer; `discounts` is what else came off each line.

    Amounts in rupees. `at` is when it was closed, which may be long ago.
    """

    bill: CounterBill
    invoice_id: str
    invoice_number: str
    at: dt.datetime
    discounts: Mapping[int, Decimal]
    staff: Mapping[int, Staff]
    total: Decimal
    tax: Decimal | None
    rounding: Decimal
    payments: Sequence[Mapping[str, str]] = ()
    reservation_id: uuid.UUID | None = None


@dataclass(slots=True, kw_only=True)
class Taken:
    """`warnings` say what of the bill could no longer be given; `is_new` that it was not known.

    `bill` is it as it was priced, where that was read.
    """

    reservation: Reservation
    purchase: Purchase | None
    is_new: bool
    bill: KeptBill | None = None
    warnings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def made(self) -> dict[str, Any]:
        """What the raw row keeps of it."""
        purchase_id = str(self.purchase.pk) if self.purchase else None
        return {"reservationId": str(self.reservation.pk), "purchaseId": purchase_id}

    @property
    def customer_ids(self) -> list[uuid.UUID]:
        return [self.purchase.customer_id] if self.purchase else []


@whole()
def take_invoice(*, actor: Actor, invoice: Invoice) -> Taken:
    """Record the sale, and redeem, earn and convert what goes with it.

    Only a bill that contradicts itself is refused. What was promised and cannot be given any more
    (the reservation is over and its limits used, a code that does not hold) becomes a warning, for
    the sale took place. The same bill again is answered with what was done; with another total or
    other lines it is `IdempotencyMismatch`. `Busy` leaves all as it was.
    """
    actor.require("coupon.redeem")
    bill = invoice.bill
    with coupons.counter_call(), events.together():
        branch = Branch.objects.kept(bill.branch_id)
        if branch is None or not actor.has_branch(branch.pk):
            raise no_such_branch()
        _require_sound(invoice)
        named = None if bill.customer_id is None else get_customer(bill.customer_id)
        taken = _settled(actor, invoice, branch)
        customer = named or _still_there(taken.reservation.customer_id)
        if customer is not None:
            _record(actor, invoice, branch, customer, taken)
        _keep(invoice, taken)
    return taken


def _keep(invoice: Invoice, taken: Taken) -> None:
    """Warnings, for the same bill's next time; and of a sale to nobody known its total."""
    reservation = taken.reservation
    known = reservation.effects.get(OF_BILL, {})
    kept = dict(known)
    if taken.is_new and taken.warnings:
        kept["warnings"] = taken.warnings
    if taken.purchase is None and kept.setdefault("total", f"{invoice.total:.2f}") != (
        f"{invoice.total:.2f}"
    ):
        raise IdempotencyMismatch(fields={"total": [_("This bill was sent with another total.")]})
    if kept != known:
        reservation.effects = reservation.effects | {OF_BILL: kept}
        reservation.save(update_fields=["effects"])
    taken.warnings = kept.get("warnings", [])


def _require_sound(invoice: Invoice) -> None:
    """Raises `ValidationFailed` where amounts or times contradict each other."""
    if invoice.at > clock.now() + CLOCKS_APART:
        message = _("The bill's time is more than a quarter of an hour from ours.")
        raise ValidationFailed(fields={"finalizedAt": [message]})
    if invoice.at < OLDEST:
        raise ValidationFailed(fields={"finalizedAt": [_("This lies too far back.")]})
    faults: dict[str, list[str]] = {}
    lines = invoice.bill.cart.lines
    if not lines:
        faults["lines"] = [_("A bill has a line.")]
    if len({line.number for line in lines}) < len(lines):
        faults["lines"] = [_("Each line's number once.")]
    for place, line in enumerate(lines):
        off = line.manual_discount + paise(invoice.discounts[line.number])
        if off > line.list_amount:
            faults[f"lines.{place}.discount"] = [_("More than the line costs.")]
    expected = _total(invoice)
    if not faults and invoice.total != expected:
        faults["total"] = [_("The lines come to %s.") % money(expected)]
    paid = sum((Decimal(payment["amount"]) for payment in invoice.payments), Decimal(0))
    if invoice.payments and paid != invoice.total:
        faults["payments"] = [_("They come to %s.") % money(paid)]
    if faults:
        raise ValidationFailed(fields=faults)


def _still_there(reserved_for: uuid.UUID | None) -> Customer | None:
    """Who a bill without a name was reserved for, unless she was erased since."""
    if reserved_for is None:
        return None
    known = Customer.objects.kept(reserved_for)
    return None if known is None or known.status == Customer.Status.ERASED else known


def _amounts(invoice: Invoice) -> dict[int, Decimal]:
    """What each line came to, in rupees."""
    return {
        line.number: Decimal(line.list_amount - line.manual_discount) / 100
        - invoice.discounts[line.number]
        for line in invoice.bill.cart.lines
    }


def _wallet(invoice: Invoice) -> int:
    """Paise that were paid out of a wallet: they were paid in before."""
    return sum(
        paise(Decimal(payment["amount"]))
        for payment in invoice.payments
        if payment["method"].strip().lower() == WALLET
    )


def _total(invoice: Invoice) -> Decimal:
    lines = sum(_amounts(invoice).values(), Decimal(0))
    tax = Decimal(0) if invoice.bill.cart.prices_include_tax else invoice.tax or Decimal(0)
    return lines + tax + invoice.rounding


def _settled(actor: Actor, invoice: Invoice, branch: Branch) -> Taken:
    """The bill redeemed: by its reservation, by what it asked for, or as one without offers."""
    bill = invoice.bill
    done, held = coupons.find_bills(branch.pk, invoice.invoice_id, invoice.reservation_id)
    if done is not None:
        told: list[dict[str, Any]] = []
        if _units(done.sold) != _units(coupons.sold_of(bill.cart)):
            raise IdempotencyMismatch(fields={"lines": [_("This bill was sent with other lines.")]})
        whose = coupons.stand_for(bill.customer_id)
        if whose is not None and done.customer_id not in (None, whose):
            raise IdempotencyMismatch(
                fields={"customerId": [_("This bill was sent for another customer.")]}
            )
        priced = kept_bill(done)
        told += differing_discounts(priced, bill.cart, invoice.discounts)
        if done.customer_id is None and whose is not None:
            done = _named(actor, invoice, done, whose)
            told.append(warning("customer_added", _("She was named after the bill had come.")))
        return Taken(reservation=done, purchase=None, is_new=False, bill=priced, warnings=told)
    warnings: list[dict[str, Any]] = []
    kept = None if held is None else kept_bill(held)
    found = _by_reservation(actor, invoice, held, kept, warnings)
    if found is None:
        kept, found = None, _by_request(actor, invoice, warnings)
    if found is None:
        found = coupons.record_bill(
            actor=actor,
            branch_id=branch.pk,
            customer_id=bill.customer_id,
            cart=_plain(invoice, branch),
            invoice_id=invoice.invoice_id,
            asked=bill.asked,
            wallet=_wallet(invoice),
        ).reservation
    else:
        kept = kept or kept_bill(found)
        warnings += differing_discounts(kept, bill.cart, invoice.discounts)
    return Taken(reservation=found, purchase=None, is_new=True, bill=kept, warnings=warnings)


def _named(
    actor: Actor, invoice: Invoice, done: Reservation, customer_id: uuid.UUID
) -> Reservation:
    """A bill of nobody is hers: its points follow. Raises `IdempotencyMismatch` where it cannot."""
    total = f"{invoice.total:.2f}"
    if done.effects.get(OF_BILL, {}).get("total", total) != total:
        raise IdempotencyMismatch(fields={"total": [_("This bill was sent with another total.")]})
    named = coupons.name_customer(
        actor=actor, reservation=done, customer_id=customer_id, wallet=_wallet(invoice)
    )
    if named is None:
        message = _("Some of this bill came back before she was named: it stays nobody's.")
        raise IdempotencyMismatch(fields={"customerId": [message]})
    if named.customer_id != customer_id:
        raise IdempotencyMismatch(
            fields={"customerId": [_("This bill was sent for another customer.")]}
        )
    return named


def _by_reservation(
    actor: Actor,
    invoice: Invoice,
    held: Reservation | None,
    kept: KeptBill | None,
    warnings: list[dict[str, Any]],
) -> Reservation | None:
    bill = invoice.bill
    if invoice.reservation_id is None:
        return None
    if held is None or kept is None:
        warnings.append(warning("reservation_unknown", _("There is no such reservation here.")))
        return None
    whose = bill.customer_id
    if whose is not None and coupons.stand_for(whose) != held.customer_id:
        warnings.append(warning("customer_differs", _("It was reserved for somebody else.")))
    elif not is_same_sale(kept, bill.cart, invoice.discounts):
        warnings.append(warning("lines_differ", _("Other lines were reserved.")))
    else:
        try:
            with transaction.atomic():
                return coupons.redeem_found(
                    actor=actor,
                    found=held,
                    bill=kept,
                    invoice_id=invoice.invoice_id,
                    wallet=_wallet(invoice),
                ).reservation
        except Busy:
            raise
        except DomainError as error:
            warnings.append(refused(error))
    # What it holds is free for the bill as it is.
    if held.state == State.RESERVED:
        coupons.release(actor=actor, reservation_id=held.pk)
    return None


def _by_request(
    actor: Actor, invoice: Invoice, warnings: list[dict[str, Any]]
) -> Reservation | None:
    """Priced now, where the bill names codes, or asks for points or a referral.

    A code that is refused is left out, unless the bill wants all of its codes or none.
    """
    bill = invoice.bill
    cart, asked = bill.cart, dict(bill.asked)
    while cart.codes or asked:
        try:
            with transaction.atomic():
                found = coupons.redeem_bill(
                    actor=actor,
                    branch_id=bill.branch_id,
                    customer_id=bill.customer_id,
                    cart=cart,
                    invoice_id=invoice.invoice_id,
                    asked=asked,
                    wallet=_wallet(invoice),
                ).reservation
            warnings += fewer_points(asked, found)
            return found
        except Busy:
            raise
        except DomainError as error:
            warnings.append(refused(error))
            code = error.details.get("code")
            if code is None or cart.codes_policy is CodesPolicy.ALL:
                return None
            typed = [normalise(each.code) for each in cart.codes]
            if code in typed:
                last = len(typed) - 1 - typed[::-1].index(code)
                cart = replace(cart, codes=cart.codes[:last] + cart.codes[last + 1 :])
            elif asked.pop("referral", None) is None:
                return None
    return None


def _plain(invoice: Invoice, branch: Branch) -> Cart:
    """The bill with all that came off its lines given by hand: no offer is asked about it."""
    cart = invoice.bill.cart
    return replace(
        cart,
        branch=str(branch.pk),
        timezone=branch.time_zone,
        codes=(),
        lines=tuple(
            replace(
                line,
                manual_discount=line.manual_discount + paise(invoice.discounts[line.number]),
            )
            for line in cart.lines
        ),
    )


def _record(
    actor: Actor, invoice: Invoice, branch: Branch, customer: Customer, taken: Taken
) -> None:
    """The purchase of the customer; raises `IdempotencyMismatch` for one of another total."""
    bill, amounts = invoice.bill, _amounts(invoice)
    lines = list(zip(bill.cart.lines, bill.services, strict=True))
    key = bill_key(branch.pk, invoice.invoice_id)
    is_late = not taken.is_new and not Purchase.objects.filter(external_id=key).exists()
    taken.is_new = taken.is_new or is_late
    taken.purchase = record_purchase(
        actor=actor,
        customer=customer,
        branch=branch,
        purchased_at=invoice.at.astimezone(ZoneInfo(branch.time_zone)),
        lines=[
            BillLine(
                service=service,
                unit_price=Decimal(line.unit_price) / 100,
                amount=amounts[line.number],
                quantity=line.quantity,
                staff=invoice.staff.get(line.number),
                number=line.number,
                discount=Decimal(line.list_amount) / 100 - amounts[line.number],
            )
            for line, service in lines
        ],
        subtotal=Decimal(sum(line.list_amount for line in bill.cart.lines)) / 100,
        discount=Decimal(sum(line.list_amount for line in bill.cart.lines)) / 100
        - sum(amounts.values(), Decimal(0)),
        tax=_tax(taken) if invoice.tax is None else invoice.tax,
        total=invoice.total,
        external_id=key,
        invoice_number=invoice.invoice_number or invoice.invoice_id[:50],
        payments=invoice.payments,
    )
    if taken.purchase.total != invoice.total:
        raise IdempotencyMismatch(fields={"total": [_("This bill was sent with another total.")]})
    if is_late:
        return_late(actor=actor, bill=taken.reservation, purchase=taken.purchase)


def _tax(taken: Taken) -> Decimal:
    bill = taken.bill or kept_bill(taken.reservation)
    return Decimal(bill.quote.tax) / 100


def _units(sold: Mapping[str, Any]) -> dict[str, int]:
    return {line: each["units"] for line, each in sold.items()}
