"""Notes about a customer."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from customers import selectors, services
from customers.forms import NoteForm
from customers.models import CustomerNote
from marketing.core.errors import DomainError
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view


@require_http_methods(["GET", "POST"])
@staff_view("customer.change")
def note_edit(request: StaffRequest, pk: uuid.UUID, note: uuid.UUID) -> HttpResponse:
    """Mend one's own note."""
    known = _note(request, pk, note)
    form = NoteForm(request.POST or None, initial={"text": known.text})
    if form.is_valid():
        try:
            services.change_note(actor=request.actor, note=known, text=form.cleaned_data["text"])
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Saved."))
            return redirect("customer-detail", known.customer_id)
    context = {"form": form, "note": known, "customer": known.customer}
    status = 422 if form.errors else 200
    return render(request, "customers/note_form.html", context, status=status)


@require_POST
@staff_view("customer.change")
def note_delete(request: StaffRequest, pk: uuid.UUID, note: uuid.UUID) -> HttpResponse:
    """Take one's own note away."""
    known = _note(request, pk, note)
    services.delete_note(actor=request.actor, note=known)
    messages.success(request, _("The note is deleted."))
    return redirect("customer-detail", pk)


def _note(request: StaffRequest, pk: uuid.UUID, note: uuid.UUID) -> CustomerNote:
    customer = selectors.get_customer_for_actor(request.actor, pk)
    return get_object_or_404(customer.notes.select_related("customer"), pk=note)
