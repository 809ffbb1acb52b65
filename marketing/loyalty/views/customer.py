"""One customer's points: her statement, and correcting it by hand."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from customers.models import Customer
from customers.selectors import get_customer_for_actor, person_behind_link
from marketing.core.errors import DomainError
from marketing.core.htmx import StaffRequest
from marketing.core.models import Tenant
from marketing.core.pages import staff_view
from marketing.core.sent_again import Made, make_once
from marketing.core.tenancy import current_tenant, know_tenant, tenant_scope
from marketing.loyalty import links, rules, selectors, services
from marketing.loyalty.forms import AdjustForm
from marketing.loyalty.services import Source

ROWS = 100
PUBLIC_ROWS = 20
SAVED_BEFORE = gettext_lazy(
    "You saved the same %(when)s. Save again to give or take as many once more."
)


@staff_view("loyalty.view")
@require_safe
def statement(request: StaffRequest, customer: uuid.UUID) -> HttpResponse:
    """Balance, what expires when, and the latest entries; to be printed in her language."""
    person = get_customer_for_actor(request.actor, customer)
    in_her_words = request.GET.get("print") is not None
    context = _account(person, ROWS) | {
        "link": links.statement_url(current_tenant().pk, person.pk),
        "may_adjust": request.actor.can("loyalty.adjust"),
        "printed": in_her_words,
    }
    if not in_her_words:
        return render(request, "loyalty/statement.html", context)
    with translation.override(_spoken(person)):
        return render(request, "loyalty/statement_print.html", context)


@staff_view("loyalty.adjust")
@require_http_methods(["GET", "POST"])
def adjust(request: StaffRequest, customer: uuid.UUID) -> HttpResponse:
    """Give or take points by hand, with a reason."""
    person = get_customer_for_actor(request.actor, customer)
    form = AdjustForm(request.POST or None)
    if form.is_valid():
        try:
            made = _adjust(request, person, form)
        except DomainError as error:
            form.refuse(error)
        else:
            if made.is_new:
                messages.success(request, _("The points are corrected."))
                return redirect("points-customer", person.pk)
            form = AdjustForm.once_more(request.POST, made, SAVED_BEFORE)
    limit = services.adjust_limit(request.actor)
    context = {
        "form": form,
        "customer": person,
        "points": selectors.balance(person.pk),
        "limit": None if limit == rules.MAX_POINTS else limit,
    }
    status = 422 if form.errors else 200
    return render(request, "loyalty/adjust.html", context, status=status)


def _adjust(request: StaffRequest, customer: Customer, form: AdjustForm) -> Made:
    data = form.cleaned_data
    return make_once(
        actor=request.actor,
        operation="points-adjust",
        content={"customer": customer.pk, **data},
        make=lambda: (
            services.adjust_points(
                actor=request.actor,
                customer=customer,
                points=data["points"],
                reason=data["reason"],
                source=Source("adjustment", str(uuid.uuid4())),
            ).pk
        ),
    )


@require_safe
def public_statement(request: HttpRequest, token: str) -> HttpResponse:
    """What the signed link shows: balance, tier, what expires, the latest entries."""
    try:
        tenant_id, customer_id = links.read_statement_token(token)
        chain = Tenant.objects.get(pk=tenant_id, is_active=True)
    except (ValueError, Tenant.DoesNotExist):
        return render(request, "loyalty/public_closed.html", status=404)
    with tenant_scope(chain.pk), timezone.override(chain.time_zone):
        know_tenant(chain)
        person = person_behind_link(customer_id)
        if person is None:
            return render(request, "loyalty/public_closed.html", status=404)
        with translation.override(_spoken(person)):
            context = _account(person, PUBLIC_ROWS) | {"chain": chain}
            response = render(request, "loyalty/public.html", context)
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _account(person: Customer, rows: int) -> dict[str, Any]:
    points = selectors.balance(person.pk)
    programme = selectors.programme()
    return {
        "customer": person,
        "points": points,
        "programme": programme,
        "worth": selectors.rupees(points.available * programme.point_value_paise),
        "expiring": list(selectors.expiring_lots(person.pk)),
        "entries": list(selectors.statement(person).select_related("branch")[:rows]),
    }


def _spoken(person: Customer) -> str:
    """Her language where Parlour speaks it, else the page's own."""
    known = [code for code, _name in settings.LANGUAGES]
    return person.language if person.language in known else settings.LANGUAGE_CODE
