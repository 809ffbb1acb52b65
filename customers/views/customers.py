"""Looking customers up, and their page."""

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers import selectors, services, timeline
from customers.columns import shown_to
from customers.forms import ConsentForm, CustomerForm, NoteForm
from customers.models import Channel, ConsentState, Customer
from customers.panels import render_panels
from customers.rules import ASSUMED, CHANNELS
from customers.timeline_sources import author_of, describe_consent
from marketing.core.errors import Conflict, DomainError, ValidationFailed
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.core.tenancy import current_tenant

ROWS = 50
TIMELINE_ROWS = 15
HISTORY_ROWS = 20
NOTES = 10


@require_safe
@staff_view("customer.view")
def customer_list(request: StaffRequest) -> HttpResponse:
    """Everybody of the actor's branches, newest first, or whom the search finds in the chain."""
    query = request.GET.get("q", "").strip()
    if query:
        customers = selectors.search_customers(request.actor, query)
    else:
        customers = selectors.branch_customers(request.actor)
    rows, older, newer = _page(customers, request.GET)
    columns = shown_to(request.actor, [customer.pk for customer in rows])
    context = {
        "query": query,
        "customers": rows,
        "columns": columns,
        "rows": [
            (customer, [(column.label, column.numbers[place]) for column in columns])
            for place, customer in enumerate(rows)
        ],
        "older": older,
        "newer": newer,
        "currency": current_tenant().currency,
        "can_import": request.actor.can("customer.import"),
    }
    return render(request, "customers/customer_list.html", context)


@require_safe
@staff_view("customer.view")
def customer_detail(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    customer = selectors.get_customer_for_actor(request.actor, pk)
    if customer.pk != pk:
        return redirect("customer-detail", customer.pk)
    return render(request, "customers/customer_detail.html", _detail(request, customer))


@require_safe
@staff_view("customer.view")
def customer_timeline(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """The timeline, or older entries to be put under those that stand."""
    customer = selectors.get_customer_for_actor(request.actor, pk)
    context = {
        "customer": customer,
        "currency": current_tenant().currency,
        "timeline": _timeline(request, customer),
    }
    part = "customers/_timeline.html" if "cursor" in request.GET else "customers/_history.html"
    return render(request, part, context)


@require_http_methods(["GET", "POST"])
@staff_view("customer.change")
def customer_new(request: StaffRequest) -> HttpResponse:
    form = CustomerForm(request.POST or None, actor=request.actor)
    if form.is_valid():
        try:
            customer = services.create_customer(
                actor=request.actor, values=form.values, source="staff"
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("%(name)s is entered.") % {"name": customer.name})
            return redirect("customer-detail", customer.pk)
    return _form_page(request, form, None)


@require_http_methods(["GET", "POST"])
@staff_view("customer.change")
def customer_edit(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    customer = selectors.get_customer_for_actor(request.actor, pk)
    form = CustomerForm(request.POST or None, actor=request.actor, customer=customer)
    if form.is_valid():
        try:
            services.update_customer(
                actor=request.actor,
                customer=customer,
                values=form.values,
                version=form.cleaned_data["version"],
            )
        except Conflict:
            form.add_error(
                None,
                _("Somebody changed this customer in the meantime. Reload the page to see it."),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Saved."))
            return redirect("customer-detail", customer.pk)
    return _form_page(request, form, customer)


@require_POST
@staff_view("consent.update")
def customer_consent(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Record what the customer said."""
    customer = selectors.get_customer_for_actor(request.actor, pk)
    form = ConsentForm(request.POST, state=_consent(customer))
    if form.is_valid():
        try:
            services.record_consent(
                actor=request.actor,
                customer=customer,
                changes=form.changes,
                source=form.cleaned_data["source"],
                reason=form.cleaned_data["reason"],
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Consent is recorded."))
            return redirect("customer-detail", customer.pk)
    context = _detail(request, customer) | {"consent_form": form}
    return render(request, "customers/customer_detail.html", context, status=422)


@require_POST
@staff_view("customer.change")
def customer_note(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Add a note."""
    customer = selectors.get_customer_for_actor(request.actor, pk)
    form = NoteForm(request.POST)
    if form.is_valid():
        try:
            services.add_note(
                actor=request.actor, customer=customer, text=form.cleaned_data["text"]
            )
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect("customer-detail", customer.pk)
    context = _detail(request, customer) | {"note_form": form}
    return render(request, "customers/customer_detail.html", context, status=422)


@require_POST
@staff_view("customer.export")
def customer_export(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Everything kept about the customer, as a file to hand over."""
    customer = selectors.get_customer_for_actor(request.actor, pk)
    data = services.export_customer(actor=request.actor, customer=customer)
    response = JsonResponse(data, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="customer-{customer.pk}.json"'
    return response


@require_POST
@staff_view("customer.erase")
def customer_erase(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Blank the customer's personal data for good."""
    customer = selectors.get_customer_for_actor(request.actor, pk)
    services.erase_customer(actor=request.actor, customer=customer)
    messages.success(request, _("The customer's personal data is erased."))
    return redirect("customer-list")


def _form_page(
    request: StaffRequest, form: CustomerForm, customer: Customer | None
) -> HttpResponse:
    context = {"form": form, "customer": customer}
    status = 422 if form.errors else 200
    return render(request, "customers/customer_form.html", context, status=status)


def _detail(request: StaffRequest, customer: Customer) -> dict[str, Any]:
    actor, state = request.actor, _consent(customer)
    shows_history = not request.GET.keys().isdisjoint({"history", "cursor"})
    records = customer.consent_records.select_related("user__staff").order_by("-id")
    return {
        "customer": customer,
        "currency": current_tenant().currency,
        "preferred_channel": dict(Channel.choices).get(customer.preferred_channel, ""),
        "facts": getattr(customer, "facts", None),
        "consent": state,
        "consent_channels": _channels(state),
        "is_assumed": any(getattr(state, f"{channel}_basis") == ASSUMED for channel in CHANNELS),
        "consent_history": [
            {"title": describe_consent(record), "by": author_of(record), "record": record}
            for record in records[:HISTORY_ROWS]
        ],
        "consent_form": ConsentForm(state=state) if actor.can("consent.update") else None,
        "attributes": _attributes(customer),
        "rhythms": selectors.rhythms_of(customer),
        "memberships": customer.memberships.order_by("-expires_on")[:5],
        "packages": customer.packages.order_by("-expires_on")[:5],
        "notes": customer.notes.select_related("author")[:NOTES],
        "note_form": NoteForm() if actor.can("customer.change") else None,
        "panels": render_panels(request, customer),
        # Fetched once it is scrolled to: each app has a part in it.
        "timeline": _timeline(request, customer) if shows_history else None,
    }


def _timeline(request: StaffRequest, customer: Customer) -> timeline.Page:
    return timeline.read_page(
        actor=request.actor,
        customer=customer,
        cursor=request.GET.get("cursor", ""),
        limit=TIMELINE_ROWS,
    )


def _consent(customer: Customer) -> ConsentState:
    """Her consent; nothing is known of somebody who came in without one."""
    return getattr(customer, "consent", None) or ConsentState(customer=customer)


def _channels(state: ConsentState) -> list[dict[str, Any]]:
    form = ConsentForm(state=state)
    answers = {ASSUMED: _("Assumed")} | ConsentForm.ANSWERS
    return [
        {
            "label": form.fields[channel].label,
            "answer": answers[form.initial[channel]],
            "is_granted": form.initial[channel] != ConsentForm.NO,
            "basis": getattr(state, f"{channel}_basis"),
        }
        for channel in CHANNELS
    ]


def _attributes(customer: Customer) -> list[tuple[str, Any]]:
    labels = selectors.attribute_labels()
    return [(labels.get(key, key), _shown(value)) for key, value in customer.attributes.items()]


def _shown(value: Any) -> Any:
    """A value of an attribute in words."""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return value


def _page(
    customers: QuerySet[Customer], asked: Any
) -> tuple[list[Customer], uuid.UUID | None, uuid.UUID | None]:
    """One page by time-ordered id, newest first, and the ids that older and newer ones begin at."""
    older_than, newer_than = _id(asked.get("before")), _id(asked.get("after"))
    if newer_than:
        found = selectors.first_of(customers.filter(pk__gt=newer_than).order_by("pk"), ROWS + 1)
        rows = found[:ROWS][::-1]
        has_newer, has_older = len(found) > ROWS, True
    else:
        if older_than:
            customers = customers.filter(pk__lt=older_than)
        found = selectors.first_of(customers.order_by("-pk"), ROWS + 1)
        rows = found[:ROWS]
        has_newer, has_older = older_than is not None, len(found) > ROWS
    if not rows:
        return [], None, None
    return rows, rows[-1].pk if has_older else None, rows[0].pk if has_newer else None


def _id(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError as error:
        raise ValidationFailed(_("This is not a page of the list.")) from error
