"""Accounts at the vendors: managers see how they are, super owners change them."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketing.core.errors import DomainError, NotFound
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.policy import selectors, services
from marketing.policy.forms import AccountForm
from marketing.policy.vendors import VENDORS
from marketing.policy.views.refusals import accepted, in_words
from marketing.policy.views.tabs import tabs_for


@staff_view("config.view")
@require_safe
def account_list(request: StaffRequest) -> HttpResponse:
    return render(
        request,
        "policy/accounts.html",
        {
            "tabs": tabs_for(request.actor, "account-list"),
            "accounts": selectors.accounts(),
            "vendors": VENDORS.values(),
            "may_change": request.actor.can("config.change"),
        },
    )


@staff_view("config.change")
@require_http_methods(["GET", "POST"])
def account_new(request: StaffRequest, provider: str) -> HttpResponse:
    vendor = VENDORS.get(provider)
    if vendor is None:
        raise NotFound()
    form = AccountForm(request.POST or None, vendor=vendor)
    if request.method == "POST" and accepted(
        form,
        lambda: services.create_account(actor=request.actor, provider=provider, values=form.values),
    ):
        opened = _("The account is open. Now enter its callback address.")
        messages.success(request, opened if vendor.callbacks else _("The account is open."))
        account = selectors.accounts().get(name=form.cleaned_data["name"])
        return redirect("account-edit", account.pk)
    status = 422 if form.is_bound else 200
    return render(
        request, "policy/account_form.html", {"form": form, "vendor": vendor}, status=status
    )


@staff_view("config.change")
@require_http_methods(["GET", "POST"])
def account_edit(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    account = selectors.get_account_for_actor(request.actor, pk)
    vendor = VENDORS[account.provider]
    stored = selectors.get_account_for_actor(request.actor, pk)
    form = AccountForm(request.POST or None, vendor=vendor, instance=stored)
    if request.method == "POST" and accepted(
        form,
        lambda: services.update_account(actor=request.actor, account=account, values=form.values),
    ):
        messages.success(request, _("Saved."))
        return redirect("account-list")
    return render(
        request,
        "policy/account_form.html",
        {
            "form": form,
            "vendor": vendor,
            "account": account,
            "webhook_url": selectors.webhook_url(account) if vendor.callbacks else "",
        },
        status=422 if form.is_bound else 200,
    )


@staff_view("config.change")
@require_http_methods(["GET", "POST"])
def account_test(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for a test of the connection (POST), or look what came of it (GET)."""
    account = selectors.get_account_for_actor(request.actor, pk)
    fault = ""
    if request.method == "POST":
        try:
            services.ask_connection_test(actor=request.actor, account=account)
        except DomainError as error:
            fault = in_words(error)
        account.refresh_from_db()
    if request.htmx:
        context = {"account": account, "fault": fault}
        return render(request, "policy/account_form.html#connection", context)
    if fault:
        messages.error(request, fault)
    return redirect("account-edit", pk)


@staff_view("config.change")
@require_POST
def account_default(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    account = selectors.get_account_for_actor(request.actor, pk)
    try:
        services.set_default_account(actor=request.actor, account=account)
    except DomainError as error:
        messages.error(request, in_words(error))
    else:
        messages.success(request, _("%(account)s sends from now on.") % {"account": account.name})
    return redirect("account-list")


@staff_view("config.change")
@require_POST
def account_close_circuit(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    account = selectors.get_account_for_actor(request.actor, pk)
    services.close_circuit(actor=request.actor, account=account)
    messages.success(request, _("%(account)s may send again.") % {"account": account.name})
    return redirect("account-list")
