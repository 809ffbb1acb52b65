"""The counter: a customer, her bill, what offers make of it, and holding it while she pays."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from billing_bridge.api import shapes
from billing_bridge.bills import CounterBill, at_its_field, read_bill
from billing_bridge.counter.bill import paid_as, services_of
from billing_bridge.counter.faults import Faults, explained
from billing_bridge.counter.quoted import QuoteWords, changes, in_words
from billing_bridge.counter.sheet import MOST_ROWS, Row, Sheet, as_id
from billing_bridge.patience import patiently, price, wary_of_guesses
from customers.models import Customer, Service
from customers.selectors import first_of, get_customer_for_actor, search_customers
from customers.services import create_customer
from marketing.core.actor import Actor
from marketing.core.errors import DomainError, NotFound
from marketing.core.htmx import StaffRequest
from marketing.core.models import Branch
from marketing.core.pages import staff_view
from marketing.core.selectors import branches_for_actor
from marketing.core.sent_again import make_once
from marketing.coupons import services
from marketing.coupons.errors import QuoteChanged
from marketing.coupons.models import Offer
from marketing.coupons.selectors import counter_settings
from marketing.coupons.wording.amounts import rupees
from marketing.loyalty.selectors import balance
from marketing.referrals.selectors import code_of

FOUND = 8
# Where what is wrong with somebody new was typed.
ENTERED = {"first_name": "name", "last_name": "name", "phone": "phone"}


@require_safe
@staff_view("coupon.redeem")
def counter(request: StaffRequest) -> HttpResponse:
    """The bill that the address says, priced; `add` and `drop` change a line, `pick` says who."""
    asked = Sheet.read(request.GET)
    branches = list(branches_for_actor(request.actor).order_by("name"))
    sheet, note = _changed(asked, branches, request.GET)
    if sheet != replace(asked, prices=sheet.prices) and not request.htmx and not note:
        return redirect(_address(sheet))
    page = _context(request, sheet, branches)
    page["note"] = note
    if query := request.GET.get("who", "").strip():
        page |= {"query": query, "found": _find(request.actor, query, sheet.branch)}
    response = render(request, "counter/counter.html", page)
    if request.htmx:
        response["HX-Replace-Url"] = _address(sheet)
    return response


@require_safe
@staff_view("coupon.redeem")
def counter_people(request: StaffRequest) -> HttpResponse:
    """Who may be meant, while one types."""
    query = request.GET.get("who", "").strip()
    branch = request.GET.get("branch", "")
    context = {"query": query, "found": _find(request.actor, query, branch)}
    return render(request, "counter/_found.html", context)


@require_POST
@staff_view("customer.change")
def counter_customer(request: StaffRequest) -> HttpResponse:
    """Enter somebody on the spot, and go on with her bill; asked twice she is entered once."""
    sheet = Sheet.read(QueryDict(request.POST.get("sheet", "")))
    entered = {name: request.POST.get(name, "").replace("\0", "") for name in ("name", "phone")}
    first, _space, last = entered["name"].strip().partition(" ")
    values: dict[str, Any] = {
        "first_name": first,
        "last_name": last.strip(),
        "phone": entered["phone"].strip(),
    }
    try:
        if branch := branches_for_actor(request.actor).filter(pk__in=as_id(sheet.branch)).first():
            values["home_branch"] = branch
        made = patiently(
            lambda: make_once(
                actor=request.actor,
                operation="counter-customer",
                content={"bill": sheet.key, "branch": sheet.branch} | entered,
                make=lambda: (
                    create_customer(actor=request.actor, values=values, source="counter").pk
                ),
            )
        )
        customer = get_customer_for_actor(request.actor, made.pk)
    except DomainError as error:
        branches = list(branches_for_actor(request.actor).order_by("name"))
        page = _context(request, sheet, branches)
        faults: dict[str, list[str]] = {}
        for field, found in (error.fields or {"": [error.message]}).items():
            faults.setdefault(ENTERED.get(field, "others"), []).extend(found)
        page |= {"entered": entered, "entering_faults": faults}
        return render(request, "counter/counter.html", page, status=422)
    messages.success(request, _("%(name)s is entered.") % {"name": customer.name})
    return redirect(_address(replace(sheet, customer=str(customer.pk))))


@require_POST
@staff_view("coupon.redeem")
def counter_reserve(request: StaffRequest) -> HttpResponse:
    """Hold the bill as it was shown; one that has changed since is shown again, with what did."""
    sheet = Sheet.read(QueryDict(request.POST.get("sheet", "")))
    branches = list(branches_for_actor(request.actor).order_by("name"))
    try:
        bill = _read(request.actor, sheet)
        if paid := paid_as(bill.branch_id, sheet.key):
            messages.info(request, _("This bill is paid already."))
            return redirect("counter-bill", paid.pk)
        with wary_of_guesses(request.actor, bill):
            reserved = patiently(lambda: _hold(request, sheet, bill))
    except QuoteChanged:
        page = _context(request, sheet, branches)
        page["changes"] = _changes(request.POST.get("seen", ""), page["words"]) or [
            _("Something of the offers has changed. Look at the price once more.")
        ]
        return render(request, "counter/counter.html", page, status=422)
    except Exception as error:
        faults = explained(error)
        page = _context(request, sheet, branches)
        page["faults"] = page["faults"] or faults
        return render(request, "counter/counter.html", page, status=422)
    return redirect("counter-bill", reserved.reservation.pk)


def _hold(request: StaffRequest, sheet: Sheet, bill: CounterBill) -> services.Reserved:
    return at_its_field(
        lambda: services.reserve(
            actor=request.actor,
            branch_id=bill.branch_id,
            customer_id=bill.customer_id,
            cart=bill.cart,
            key=sheet.key,
            quote_hash=request.POST.get("quote", ""),
            asked=bill.asked,
        )
    )


def _changed(asked: Sheet, branches: list[Branch], query: QueryDict) -> tuple[Sheet, str]:
    """The sheet with a name, a branch of the actor's, and what the address changes on it."""
    sheet = asked
    if not (asked.key and asked.prices):
        sheet = asked.named(with_tax=counter_settings().prices_include_tax)
    if str(sheet.branch) not in {str(branch.pk) for branch in branches} and branches:
        sheet = replace(sheet, branch=str(branches[0].pk))
    if pick := query.get("pick"):
        sheet = replace(sheet, customer="" if pick == "nobody" else pick[:40])
    if (drop := query.get("drop", "")).isdecimal():
        sheet = sheet.without_line(int(drop[:4]))
    if add := query.get("add"):
        if len(sheet.rows) >= MOST_ROWS:
            return sheet, _("This page takes %d lines. Make a second bill of the rest.") % MOST_ROWS
        service = Service.objects.filter(pk__in=as_id(add), is_active=True).first()
        sheet = sheet.with_line(service) if service else sheet
    return sheet, ""


def _context(request: StaffRequest, sheet: Sheet, branches: list[Branch]) -> dict[str, Any]:
    """What the page shows of the sheet; refusals stand in `faults`, the price in `words`."""
    sheet = sheet.named()
    customer = _customer(request.actor, sheet.customer)
    if customer is not None:
        sheet = replace(sheet, customer=str(customer.pk))
    known = services_of(row.service for row in sheet.rows)
    names = {pk: service.name for pk, service in known.items()}
    words, faults = _priced(request.actor, sheet, names)
    context: dict[str, Any] = {
        "sheet": sheet,
        "address": sheet.query(),
        "branches": branches,
        "customer": customer,
        "customer_gone": bool(sheet.customer) and customer is None,
        "words": words,
        "faults": faults,
        "rows": [
            ShownRow(
                place,
                row,
                known.get(row.service),
                faults.at_lines.get(place - 1, {}) if faults else {},
            )
            for place, row in enumerate(sheet.rows, 1)
        ],
    }
    if not request.htmx:
        context["services"] = [
            {"value": str(pk), "label": f"{name} · {rupees(int(price * 100))}"}
            for pk, name, price in Service.objects.filter(is_active=True).values_list(
                "pk", "name", "price"
            )
        ]
        if customer is not None:
            context |= {"points": balance(customer.pk), "code": code_of(customer)}
    return context


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row of the sheet as it is shown; `faults` by column."""

    place: int
    row: Row
    service: Service | None
    faults: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.service.name if self.service else ""


def _priced(
    actor: Actor, sheet: Sheet, names: Mapping[str, str]
) -> tuple[QuoteWords | None, Faults | None]:
    if not sheet.rows:
        return None, None
    try:
        return in_words(price(actor, _read(actor, sheet)), names, sheet.referral), None
    except Exception as error:
        return None, explained(error)


def _read(actor: Actor, sheet: Sheet) -> CounterBill:
    form = shapes.QuoteInput(data=sheet.body())
    form.is_valid(raise_exception=True)
    return read_bill(actor, dict(form.validated_data))


def _changes(seen: str, words: QuoteWords | None) -> list[str]:
    if words is None:
        return []
    ids = [pk for text in seen.split()[1:20] for pk in as_id(text)]
    names = {
        str(pk): name for pk, name in Offer.objects.filter(pk__in=ids).values_list("pk", "name")
    }
    return changes(seen[:2000], words, names)


def _find(actor: Actor, query: str, branch: str) -> list[Customer]:
    """Who may be meant, those of the branch before all others of the chain."""
    people = search_customers(actor, query[:100])
    here = first_of(people.filter(home_branch__in=as_id(branch)), FOUND)
    others = people.exclude(pk__in=[person.pk for person in here])
    return here + first_of(others, FOUND - len(here))


def _customer(actor: Actor, named: str) -> Customer | None:
    for pk in as_id(named):
        try:
            return get_customer_for_actor(actor, pk)
        except NotFound:
            return None
    return None


def _address(sheet: Sheet) -> str:
    return f"{reverse('counter')}?{sheet.query()}"
