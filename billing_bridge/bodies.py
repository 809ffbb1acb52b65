"""Checked bodies of finished bills in the terms of the services that take them in."""

import uuid
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from billing_bridge.bills import CounterBill
from billing_bridge.services.invoices import Invoice
from marketing.core import clock
from marketing.core.errors import ValidationFailed
from marketing.core.models import Staff


def natural_key(branch_id: uuid.UUID, invoice_id: str, refund_id: str = "") -> str:
    """What the sender calls a bill, or a refund of it."""
    return f"{branch_id}:{invoice_id}" + (f":{refund_id}" if refund_id else "")


def invoice_of(bill: CounterBill, data: dict[str, Any]) -> Invoice:
    """The invoice of a validated body. Raises `ValidationFailed` for unknown staff."""
    numbers = [line.number for line in bill.cart.lines]
    return Invoice(
        bill=bill,
        invoice_id=data["invoice_id"],
        invoice_number=data.get("invoice_number", ""),
        at=data.get("finalized_at") or clock.now(),
        discounts={
            number: Decimal(line["discount"])
            for number, line in zip(numbers, data["lines"], strict=True)
        },
        staff=_staff(numbers, data),
        total=data["total"],
        tax=data.get("tax"),
        rounding=Decimal(data["rounding"]),
        payments=[
            {"method": payment["method"], "amount": f"{payment['amount']:.2f}"}
            for payment in data.get("payments", ())
        ],
        reservation_id=data.get("reservation_id"),
    )


def _staff(numbers: list[int], data: dict[str, Any]) -> dict[int, Staff]:
    named = {
        number: line["staff_id"]
        for number, line in zip(numbers, data["lines"], strict=True)
        if line.get("staff_id")
    }
    if not named:
        return {}
    known = Staff.objects.in_bulk(set(named.values()))
    unknown = {
        f"lines.{place}.staffId": [_("There is no such member of staff.")]
        for place, number in enumerate(numbers)
        if number in named and named[number] not in known
    }
    if unknown:
        raise ValidationFailed(fields=unknown)
    return {number: known[pk] for number, pk in named.items()}


def lines_of(data: dict[str, Any]) -> dict[int, int] | None:
    """How many units of which lines; None for all that is left."""
    if "lines" not in data:
        return None
    numbers = [line["number"] for line in data["lines"]]
    if len(set(numbers)) < len(numbers):
        raise ValidationFailed(fields={"lines": [_("Each line's number once.")]})
    return {line["number"]: line["quantity"] for line in data["lines"]}
