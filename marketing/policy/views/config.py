"""The chain's settings, a page for each matter; managers read, super owners change."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_POST

from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.policy import forms, selectors, services
from marketing.policy.views.refusals import accepted
from marketing.policy.views.tabs import tabs_for


@dataclass(frozen=True)
class Section:
    """A page over some of the settings' columns."""

    heading: str
    form: type[forms.SettingsForm]
    template: str = "policy/section.html"


SECTIONS = {
    "settings": Section(gettext_noop("Switches and channels"), forms.SwitchesForm),
    "settings-hours": Section(gettext_noop("Sending hours and limits"), forms.HoursForm),
    "settings-approval": Section(gettext_noop("Approval of campaigns"), forms.ApprovalForm),
    "settings-links": Section(gettext_noop("Links and openings"), forms.LinksForm),
    "settings-budget": Section(
        gettext_noop("Monthly budget"), forms.BudgetForm, "policy/budget.html"
    ),
}


@staff_view("config.view")
@require_http_methods(["GET", "POST"])
def switches(request: StaffRequest) -> HttpResponse:
    return _section(request, "settings")


@staff_view("config.view")
@require_http_methods(["GET", "POST"])
def hours(request: StaffRequest) -> HttpResponse:
    return _section(request, "settings-hours")


@staff_view("config.view")
@require_http_methods(["GET", "POST"])
def approval(request: StaffRequest) -> HttpResponse:
    return _section(request, "settings-approval")


@staff_view("config.view")
@require_http_methods(["GET", "POST"])
def links(request: StaffRequest) -> HttpResponse:
    return _section(request, "settings-links")


@staff_view("config.view")
@require_http_methods(["GET", "POST"])
def budget(request: StaffRequest) -> HttpResponse:
    return _section(request, "settings-budget")


@staff_view("budget.config")
@require_POST
def branch_budget(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Change one row of the budget page."""
    branch = selectors.get_branch_for_actor(request.actor, pk)
    config = selectors.branch_config(branch.pk)
    form = forms.BranchBudgetForm(request.POST, instance=config, prefix=str(pk))

    def save() -> None:
        services.update_branch_config(actor=request.actor, branch=branch, values=form.changes)

    if accepted(form, save):
        messages.success(request, _("%(branch)s is saved.") % {"branch": branch.name})
        return redirect("settings-budget")
    whole = forms.BudgetForm(instance=selectors.get_config())
    return _show(request, "settings-budget", whole, {pk: form})


def _section(request: StaffRequest, name: str) -> HttpResponse:
    form_class = SECTIONS[name].form
    config = selectors.get_config()
    if request.method == "GET":
        return _show(request, name, form_class(instance=config))
    request.actor.require("config.change")
    form = form_class(request.POST, instance=config)

    def save() -> None:
        with transaction.atomic():
            services.update_config(actor=request.actor, values=form.changes)

    if accepted(form, save):
        messages.success(request, _("Saved."))
        return redirect(name)
    return _show(request, name, form)


def _show(
    request: StaffRequest,
    name: str,
    form: forms.SettingsForm,
    refused_rows: dict[uuid.UUID, forms.SettingsForm] | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {
        "tabs": tabs_for(request.actor, name),
        "heading": _(SECTIONS[name].heading),
        "form": form,
        "may_change": request.actor.can("config.change"),
    }
    if name == "settings-budget":
        context |= _budget_rows(request, refused_rows or {})
    status = 422 if form.is_bound or refused_rows else 200
    return render(request, SECTIONS[name].template, context, status=status)


def _budget_rows(
    request: StaffRequest, refused: dict[uuid.UUID, forms.SettingsForm]
) -> dict[str, Any]:
    chain, *branches = selectors.spend_of_month()
    configs = selectors.branch_configs()
    rows = []
    for spend in branches:
        branch = spend.branch
        if branch is None or not request.actor.has_branch(branch.pk):
            continue
        config = configs.get(branch.pk) or selectors.branch_config(branch.pk)
        form = refused.get(branch.pk) or forms.BranchBudgetForm(
            instance=config, prefix=str(branch.pk)
        )
        rows.append({"spend": spend, "form": form})
    return {"chain": chain, "rows": rows}
