"""What the counter's page writes: the bodies that a billing system would send, kept like those."""

from contextlib import AbstractContextManager
from typing import Any

import orjson
from django.db import transaction
from django.utils.translation import gettext_noop

from billing_bridge.api import shapes
from billing_bridge.bills import read_bill, rupees
from billing_bridge.bodies import invoice_of, lines_of, natural_key
from billing_bridge.counter.sheet import Sheet
from billing_bridge.models import RawRow
from billing_bridge.services import Coming, recording
from billing_bridge.services.invoices import Taken, take_invoice
from billing_bridge.services.refunds import Refunded, refund_invoice, void_invoice
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed
from marketing.core.sentences import gettext as _
from marketing.coupons import services
from marketing.coupons.models import Reservation
from marketing.coupons.selectors.replay import kept_bill

TAKEN = gettext_noop("Another bill of this branch has this number. Leave it empty for a new one.")


def pay(*, actor: Actor, reservation: Reservation, invoice_id: str, method: str) -> Taken:
    """Redeem the reservation, and record the sale as the billing system would: both or neither.

    Raises `ReservationExpired`, `ReservationOver` as `redeem` does, and `ValidationFailed` at
    `invoiceId` for the number of another bill: nothing is done then.
    """
    body = _invoice_body(reservation, invoice_id, method)
    with _recording(actor, "invoice", body) as came:
        key = natural_key(reservation.branch_id, invoice_id)
        came.about(natural_key=key, branch_id=reservation.branch_id)
        _checked(shapes.InvoiceInput, body)
        with transaction.atomic():
            done = services.redeem(
                actor=actor, reservation_id=reservation.pk, invoice_id=invoice_id
            ).reservation
            if done.pk != reservation.pk:
                raise ValidationFailed(fields={"invoiceId": [_(TAKEN)]})
            # Another window may have held something else since: what is redeemed counts.
            body = _invoice_body(done, invoice_id, method)
            came.said(orjson.dumps(body))
            data = _checked(shapes.InvoiceInput, body)
            bill = read_bill(actor, data, at=done.redeemed_at)
            taken = take_invoice(actor=actor, invoice=invoice_of(bill, data))
            came.applied(made=taken.made, customer_ids=taken.customer_ids)
    return taken


def refund(
    *, actor: Actor, reservation: Reservation, refund_id: str, units: dict[str, str] | None
) -> Refunded:
    """Units of lines come back, by their numbers as typed; None: all that is left."""
    body: dict[str, Any] = {"branchId": str(reservation.branch_id), "refundId": refund_id}
    if units is not None:
        body["lines"] = [
            {"number": number, "quantity": quantity} for number, quantity in units.items()
        ]
    with _recording(actor, "refund", body, reservation.invoice_id) as came:
        key = natural_key(reservation.branch_id, reservation.invoice_id, refund_id)
        came.about(natural_key=key, branch_id=reservation.branch_id)
        data = _checked(shapes.RefundInput, body)
        with transaction.atomic():
            done = refund_invoice(
                actor=actor,
                branch_id=reservation.branch_id,
                invoice_id=reservation.invoice_id,
                refund_id=data["refund_id"],
                lines=lines_of(data),
            )
            came.applied(made=done.made, customer_ids=done.customer_ids)
    return done


def void(*, actor: Actor, reservation: Reservation) -> Refunded:
    """The whole bill was a mistake."""
    body = {"branchId": str(reservation.branch_id)}
    with _recording(actor, "void", body, reservation.invoice_id) as came:
        key = natural_key(reservation.branch_id, reservation.invoice_id)
        came.about(natural_key=key, branch_id=reservation.branch_id)
        with transaction.atomic():
            done = void_invoice(
                actor=actor,
                branch_id=reservation.branch_id,
                invoice_id=reservation.invoice_id,
            )
            came.applied(made=done.made, customer_ids=done.customer_ids)
    return done


def _recording(
    actor: Actor, operation: str, body: dict[str, Any], target: str = ""
) -> AbstractContextManager[Coming]:
    return recording(
        actor=actor,
        operation=operation,
        body=orjson.dumps(body),
        target=target,
        source=RawRow.Source.COUNTER,
    )


def _checked(shape: type[shapes.InvoiceInput | shapes.RefundInput], body: Any) -> dict[str, Any]:
    form = shape(data=body)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def _invoice_body(reservation: Reservation, invoice_id: str, method: str) -> dict[str, Any]:
    kept = kept_bill(reservation)
    quote = kept.quote
    body = Sheet.of_reservation(reservation).body()
    for line, entry, priced in zip(body["lines"], kept.cart.lines, quote.lines, strict=True):
        line |= {"number": entry.number, "discount": rupees(priced.discount + priced.points)}
    paid = {method: quote.payable, "points": quote.tender}
    return body | {
        "codes": [],
        "invoiceId": invoice_id,
        "reservationId": str(reservation.pk),
        "total": rupees(quote.total),
        "tax": rupees(quote.tax),
        "finalizedAt": reservation.redeemed_at or clock.now(),
        "payments": [
            {"method": name, "amount": rupees(amount)} for name, amount in paid.items() if amount
        ],
    }
