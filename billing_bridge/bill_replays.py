"""Bills that were refused, sent once more as they came: after a branch or a service was added."""

from typing import Any, TypeVar

import orjson

from billing_bridge.api import shapes
from billing_bridge.bills import at_its_field, branch_of, read_bill, require_size
from billing_bridge.bodies import invoice_of, lines_of
from billing_bridge.models import RawRow
from billing_bridge.services import Applied, register_replay
from billing_bridge.services.invoices import take_invoice
from billing_bridge.services.refunds import refund_invoice, void_invoice
from marketing.core.actor import Actor
from marketing.core.drf.serializers import ApiSerializer
from marketing.core.errors import ValidationFailed

Shape = TypeVar("Shape", bound=ApiSerializer)


def register() -> None:
    """Called when the app is loaded."""
    register_replay("invoice", invoice)
    register_replay("refund", refund)
    register_replay("void", void)


def invoice(actor: Actor, row: RawRow) -> Applied:
    """The bill, closed when it was sent unless it says when."""
    data = _read(shapes.InvoiceInput, row)
    data.setdefault("finalized_at", row.received_at)
    bill = read_bill(actor, data, at=data["finalized_at"])
    taken = at_its_field(lambda: take_invoice(actor=actor, invoice=invoice_of(bill, data)))
    return Applied(made=taken.made, customer_ids=taken.customer_ids)


def refund(actor: Actor, row: RawRow) -> Applied:
    data = _read(shapes.RefundInput, row)
    done = refund_invoice(
        actor=actor,
        branch_id=branch_of(actor, data),
        invoice_id=row.target,
        refund_id=data["refund_id"],
        lines=lines_of(data),
        refunded_at=data.get("refunded_at") or row.received_at,
    )
    return Applied(made=done.made, customer_ids=done.customer_ids)


def void(actor: Actor, row: RawRow) -> Applied:
    branch_id = branch_of(actor, _read(shapes.VoidInput, row))
    done = void_invoice(actor=actor, branch_id=branch_id, invoice_id=row.target)
    return Applied(made=done.made, customer_ids=done.customer_ids)


def _read(shape: type[Shape], row: RawRow) -> dict[str, Any]:
    """The body, checked as it is on its way in."""
    try:
        body = orjson.loads(bytes(row.body))
    except orjson.JSONDecodeError as error:
        raise ValidationFailed("The body is not valid JSON.") from error
    require_size(body)
    form = shape(data=body)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)
