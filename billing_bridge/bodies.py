"""Checked bodies of finished bills in the terms of the services that take them in."""

import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from billing_bridge.bills import CounterBill, branch_of
from billing_bridge.services.invoices import Invoice
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed
from marketing.core.models import Staff
from marketing.core.sentences import gettext as _


def natural_key(branch_id: uuid.UUID, invoice_id: str, refund_id: str = "") -> str:
    """What the sender calls a bill, or a refund of it."""
    return f"{branch_id}:{invoice_id}" + (f":{refund_id}" if refund_id else "")


def unchecked_key(
    actor: Actor, body: object, *names: str, of: str = ""
) -> tuple[str, uuid.UUID | None]:
    """What a body that may be refused calls itself, and its branch; empty where it does not say.

    `names` are the fields that name it, behind the bill `of` the address.
    """
    said: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    told = [of] * bool(of) + [said.get(name) for name in names]
    parts = [part for part in told if part and isinstance(part, str)]
    if len(parts) < len(told):
        return "", None
    try:
        named = {"branch_id": uuid.UUID(said["branchId"])} if "branchId" in said else {}
        branch_id = branch_of(actor, named)
    except (ValueError, TypeError, AttributeError, ValidationFailed):
        return "", None
    return natural_key(branch_id, *parts), branch_id


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
