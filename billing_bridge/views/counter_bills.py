"""Bills of the counter that are held or paid: pay, renew, give up, print, refund, void."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from billing_bridge import answers
from billing_bridge.counter import writes
from billing_bridge.counter.bill import (
    SHOWN,
    Bill,
    BillLine,
    bill_of,
    bills_of_today,
    get_reservation,
    invoice_number,
)
from billing_bridge.counter.faults import Faults, explained
from billing_bridge.counter.sheet import Sheet
from billing_bridge.patience import patiently
from billing_bridge.services.refunds import VOID, Refunded
from customers.selectors import customers_for_actor
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.core.selectors import branches_for_actor
from marketing.core.tenancy import current_tenant
from marketing.coupons import services
from marketing.coupons.models import Reservation, Reversal
from marketing.coupons.wording.amounts import rupees
from marketing.referrals.selectors import code_of

State = Reservation.State
METHODS = {
    "cash": gettext_lazy("Cash"),
    "upi": gettext_lazy("UPI"),
    "card": gettext_lazy("Card"),
}


@dataclass(frozen=True, slots=True)
class Returnable:
    """A line of which something is left, with what was typed to come back and what is wrong."""

    each: BillLine
    typed: str
    fault: str


@require_safe
@staff_view("coupon.redeem")
def counter_bills(request: StaffRequest) -> HttpResponse:
    """Today's bills of a branch; `?q=` is the number of a bill of any day."""
    branches = list(branches_for_actor(request.actor).order_by("name"))
    asked = request.GET.get("branch", "")
    branch = next((each for each in branches if str(each.pk) == asked), None)
    branch = branch or next(iter(branches), None)
    search = request.GET.get("q", "").replace("\0", "").strip()[:60]
    rows: list[Reservation] = []
    if branch is not None and search:
        named = Reservation.objects.filter(
            branch=branch, invoice_id=search, state=State.REDEEMED
        ).defer("trace", "applied")
        rows = list(named)
    elif branch is not None:
        rows = list(bills_of_today(branch)[:SHOWN])
    voided = set(
        Reversal.objects.filter(
            reservation__in=[row.pk for row in rows], operation=VOID
        ).values_list("reservation", flat=True)
    )
    whose = {row.customer_id for row in rows if row.customer_id}
    people = customers_for_actor(request.actor).in_bulk(whose)
    context = {
        "branch": branch,
        "branches": branches,
        "search": search,
        "may_see_customer": request.actor.can("customer.view"),
        "rows": [
            {
                "bill": row,
                "customer": people.get(row.customer_id),
                "back": sum(len(line["back"]) for line in row.sold.values()),
                "is_void": row.pk in voided,
                "units": sum(line["units"] for line in row.sold.values()),
            }
            for row in rows
        ],
    }
    return render(request, "counter/bills.html", context)


@require_safe
@staff_view("coupon.redeem")
def counter_bill(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    return _page(request, get_reservation(request.actor, pk))


@require_safe
@staff_view("coupon.redeem")
def counter_print(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """The bill by itself, for paper."""
    reservation = get_reservation(request.actor, pk)
    if reservation.state != State.REDEEMED:
        return redirect("counter-bill", pk)
    bill = bill_of(request.actor, reservation)
    code = code_of(bill.customer) if bill.customer else None
    context = {"bill": bill, "code": code, "chain": current_tenant().name}
    return render(request, "counter/print.html", context)


@require_POST
@staff_view("coupon.redeem")
def counter_pay(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """The bill is paid; asked twice it is paid once."""
    reservation = get_reservation(request.actor, pk)
    number = request.POST.get("invoice", "").replace("\0", "").strip()
    method = request.POST.get("method", "")

    def work() -> None:
        if reservation.state == State.REDEEMED and not number:
            return
        writes.pay(
            actor=request.actor,
            reservation=reservation,
            invoice_id=number or invoice_number(reservation),
            method=method if method in METHODS else "cash",
        )

    return _done(request, reservation, work, _("Paid. Thank her."))


@require_POST
@staff_view("coupon.redeem")
def counter_renew(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    reservation = get_reservation(request.actor, pk)
    return _done(
        request,
        reservation,
        lambda: services.renew(actor=request.actor, reservation_id=pk),
        _("It is held for ten minutes more, but for thirty altogether at most."),
    )


@require_POST
@staff_view("coupon.redeem")
def counter_release(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Nothing is held any more; the bill stands on the counter again."""
    reservation = get_reservation(request.actor, pk)
    try:
        patiently(lambda: services.release(actor=request.actor, reservation_id=pk))
    except Exception as error:
        return _page(request, get_reservation(request.actor, pk), explained(error))
    return redirect(f"{reverse('counter')}?{Sheet.of_reservation(reservation).query()}")


@require_POST
@staff_view("coupon.redeem")
def counter_refund(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Units of lines come back, or with `all` whatever is left; `refund` is its name."""
    reservation = get_reservation(request.actor, pk)

    def work() -> Refunded:
        units = _typed_back(request, reservation)
        return writes.refund(
            actor=request.actor,
            reservation=reservation,
            refund_id=request.POST.get("refund", "")[:90],
            units=None if "all" in request.POST else units,
        )

    return _done(request, reservation, work, _("%(amount)s came back; pay out %(money)s."))


@require_POST
@staff_view("coupon.redeem")
def counter_void(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    reservation = get_reservation(request.actor, pk)
    return _done(
        request,
        reservation,
        lambda: writes.void(actor=request.actor, reservation=reservation),
        _("The bill is void: neither it nor the visit counts. To be given back: %(money)s."),
    )


def _done(
    request: StaffRequest, reservation: Reservation, work: Callable[[], Any], said: str
) -> HttpResponse:
    """The bill's page after `work`, or with why it was refused; `said` may name the money."""
    try:
        done = patiently(work)
    except Exception as error:
        return _page(request, get_reservation(request.actor, reservation.pk), explained(error))
    if isinstance(done, Refunded):
        told = answers.refund_of(done)["refund"]
        said %= {"amount": _money(told["amount"]), "money": _money(told["money"])}
    messages.success(request, said)
    return redirect("counter-bill", reservation.pk)


def _typed_back(request: StaffRequest, reservation: Reservation) -> dict[str, str]:
    """What was typed at the lines to come back, by number; always in one order."""
    return {
        number: text
        for number in reservation.sold
        if (text := request.POST.get(f"back_{number}", "").strip()) not in ("", "0")
    }


def _returnable(
    request: StaffRequest, reservation: Reservation, bill: Bill, faults: Faults | None
) -> list[Returnable]:
    """The lines of which something is left, with the faults of a refund at those they are of."""
    typed = _typed_back(request, reservation)
    places = {number: place for place, number in enumerate(typed)}
    at_lines = faults.at_lines if faults else {}
    rows = []
    for each in bill.lines:
        number = str(each.line.number)
        text = typed.get(number, "")
        fault = " ".join(at_lines.get(places.get(number, -1), {}).values())
        if faults and not fault and text.isdecimal() and int(text) > each.left:
            fault = faults.message
        if each.left:
            rows.append(Returnable(each, request.POST.get(f"back_{number}", ""), fault))
    return rows


def _page(
    request: StaffRequest, reservation: Reservation, faults: Faults | None = None
) -> HttpResponse:
    bill = bill_of(request.actor, reservation)
    context = {
        "bill": bill,
        "may_see_customer": request.actor.can("customer.view"),
        "faults": faults,
        "number": invoice_number(reservation),
        "typed": request.POST.get("invoice", ""),
        "returnable": _returnable(request, reservation, bill, faults),
        "methods": METHODS.items(),
        "method": request.POST.get("method", "cash"),
        "refund_id": request.POST.get("refund") or uuid.uuid4().hex,
        "again": Sheet.of_reservation(reservation).query()
        if reservation.state != State.REDEEMED
        else "",
    }
    return render(request, "counter/bill.html", context, status=422 if faults else 200)


def _money(text: str) -> str:
    whole, _point, rest = text.partition(".")
    return rupees(int(whole) * 100 + int(rest or 0))
