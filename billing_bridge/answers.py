"""What the counter is told, as it travels: camelCase, rupees as text, every reason with numbers."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from billing_bridge.bills import OF_BILL, rupees
from billing_bridge.services.invoices import Taken
from billing_bridge.services.refunds import Refunded
from marketing.core.tenancy import current_tenant
from marketing.coupons.models import Reservation
from marketing.coupons.pricing.answer import (
    Applied,
    CodeDecision,
    Decision,
    PricedLine,
    Quote,
    Share,
    Unlock,
)
from marketing.coupons.pricing.compiled import Catalogue
from marketing.coupons.pricing.wire_reasons import reason_on_wire
from marketing.coupons.selectors import Priced

Wire = dict[str, Any]


def priced_bill(priced: Priced) -> Wire:
    """A quote and what modules told beside it, each under its name."""
    return {"quote": _quote(priced.quote, priced.quote_hash, priced.catalogue), **priced.told}


def _quote(quote: Quote, quote_hash: str, catalogue: Catalogue) -> Wire:
    return {
        "quoteHash": quote_hash,
        "engine": quote.engine,
        "optimality": quote.optimality,
        "comparedSets": quote.compared_sets,
        "currency": current_tenant().currency,
        "listed": rupees(quote.listed),
        "manualDiscount": rupees(quote.manual_discount),
        "discount": rupees(quote.discount),
        "pointsDiscount": rupees(quote.points),
        "net": rupees(quote.net),
        "tax": rupees(quote.tax),
        "total": rupees(quote.total),
        "tender": rupees(quote.tender),
        "payable": rupees(quote.payable),
        "lines": [_line(line) for line in quote.lines],
        "taxes": [
            {
                "taxRate": rupees(total.tax_rate_bp),
                "taxable": rupees(total.taxable),
                "cgst": rupees(total.cgst),
                "sgst": rupees(total.sgst),
            }
            for total in quote.taxes
        ],
        "applied": [_applied(one, catalogue) for one in quote.applied],
        "candidates": [_candidate(one, catalogue) for one in quote.decisions],
        "codes": [_code(one, catalogue) for one in quote.codes],
    }


def _line(line: PricedLine) -> Wire:
    return {
        "number": line.number,
        "listed": rupees(line.listed),
        "manualDiscount": rupees(line.manual_discount),
        "discount": rupees(line.discount),
        "pointsDiscount": rupees(line.points),
        "net": rupees(line.net),
        "taxRate": None if line.tax_rate_bp is None else rupees(line.tax_rate_bp),
        "taxable": rupees(line.taxable),
        "cgst": rupees(line.cgst),
        "sgst": rupees(line.sgst),
        "total": rupees(line.total),
    }


def _applied(one: Applied, catalogue: Catalogue) -> Wire:
    return {
        "offerId": one.offer,
        "name": _name(one.offer, catalogue),
        "code": one.code or None,
        "amount": rupees(one.amount),
        "lines": [_share(share) for share in one.shares],
    }


def _share(share: Share) -> Wire:
    return {
        "number": share.line,
        "amount": rupees(share.amount),
        "units": [rupees(unit) for unit in share.units],
    }


def _candidate(one: Decision, catalogue: Catalogue) -> Wire:
    return {
        "offerId": one.offer,
        "name": _name(one.offer, catalogue),
        "code": one.code or None,
        "verdict": one.verdict,
        "saving": rupees(one.saving),
        "reasons": [reason_on_wire(why) for why in one.reasons],
        "beatenBy": list(one.beaten_by),
        "behindBy": rupees(one.behind_by),
        "unlock": [_unlock(step) for step in one.unlock],
    }


def _code(one: CodeDecision, catalogue: Catalogue) -> Wire:
    return {
        "code": one.code,
        "verdict": one.verdict,
        "offerId": one.offer or None,
        "name": _name(one.offer, catalogue),
        "reasons": [reason_on_wire(why) for why in one.reasons],
    }


def _name(offer: str, catalogue: Catalogue) -> str:
    found = catalogue.by_id.get(offer)
    return found.terms.name if found else ""


def _unlock(step: Unlock) -> Wire:
    told: Wire = {"kind": step.kind}
    if step.amount:
        told["amount"] = rupees(step.amount)
    if step.quantity:
        told["quantity"] = step.quantity
    if step.services:
        told["serviceIds"] = list(step.services)
    if step.categories:
        told["categoryIds"] = list(step.categories)
    if step.at:
        told["at"] = step.at
    return told


def reservation_of(reservation: Reservation) -> Wire:
    return {
        "id": str(reservation.pk),
        "key": reservation.key,
        "state": reservation.state,
        "quoteHash": reservation.quote_hash,
        "invoiceId": reservation.invoice_id or None,
        "discount": rupees(reservation.discount),
        "payable": rupees(reservation.payable),
        "reservedAt": _moment(reservation.reserved_at),
        "expiresAt": _moment(reservation.expires_at),
    }


def _moment(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def redemption_of(reservation: Reservation) -> Wire:
    """A redeemed bill: what it was given, frozen by line and unit."""
    return {
        "reservation": reservation_of(reservation),
        "offers": offers_of(reservation),
        **told_of(reservation.effects),
    }


def offers_of(reservation: Reservation) -> list[Wire]:
    return [
        {
            "offerId": entry["offer"],
            "code": entry["code"] or None,
            "amount": rupees(entry["amount"]),
            "lines": [
                {
                    "number": share["line"],
                    "amount": rupees(share["amount"]),
                    "units": [rupees(unit) for unit in share["units"]],
                }
                for share in entry["shares"]
            ],
        }
        for entry in reservation.applied
    ]


def told_of(effects: Mapping[str, Any]) -> Wire:
    """What modules told of a paid bill, each under its name."""
    return {name: kept["told"] for name, kept in effects.items() if kept.get("told")}


def invoice_of(taken: Taken) -> Wire:
    """A bill that was taken in; without a customer there is no purchase of hers."""
    reservation, purchase = taken.reservation, taken.purchase
    customer_id = purchase.customer_id if purchase else reservation.customer_id
    return {
        "invoice": {
            "invoiceId": reservation.invoice_id,
            "branchId": str(reservation.branch_id),
            "reservationId": str(reservation.pk),
            "purchaseId": str(purchase.pk) if purchase else None,
            "customerId": str(customer_id) if customer_id else None,
            "total": str(purchase.total) if purchase else reservation.effects[OF_BILL]["total"],
            "offersDiscount": rupees(reservation.discount) if reservation.applied else "0.00",
            "offers": offers_of(reservation),
            "warnings": taken.warnings,
        },
        **told_of(reservation.effects),
    }


def refund_of(done: Refunded) -> Wire:
    """`amount` is what came back is worth; `money` what of it is to be paid out."""
    reservation, reversal, units = done.reservation, done.reversal, done.worth
    amount = done.amount
    paid_back = sum(
        (Decimal(told.get("paidBack", "0")) for told in reversal.effects.values()), Decimal(0)
    )
    return {
        "refund": {
            "invoiceId": reservation.invoice_id,
            "branchId": str(reservation.branch_id),
            "refundId": done.refund_id,
            "amount": f"{amount:.2f}",
            "money": f"{max(Decimal(0), amount - paid_back):.2f}",
            "lines": [
                {"number": int(line), "quantity": len(amounts), "amount": rupees(sum(amounts))}
                for line, amounts in units.items()
            ],
            "offers": [
                {"offerId": offer, "givenBack": rupees(given)}
                for offer, given in reversal.given_back.items()
            ],
        },
        **reversal.effects,
    }
