"""API keys: issued and rotated with one showing, revoked for good."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from marketing.core import selectors, services
from marketing.core.errors import DomainError
from marketing.core.htmx import StaffRequest
from marketing.core.models import ApiKey, Branch
from marketing.core.pages import staff_view
from marketing.core.sent_again import Made, make_once
from marketing.policy.forms import SCOPE_LABELS, KeyForm
from marketing.policy.views.refusals import accepted
from marketing.policy.views.tabs import tabs_for

ISSUED_BEFORE = gettext_lazy(
    "You issued the same key %(when)s: it is in the list, and cannot be shown again. "
    "Send again for one more."
)


@staff_view("config.change")
@require_http_methods(["GET", "POST"])
@never_cache
def key_list(request: StaffRequest) -> HttpResponse:
    """The keys and a form for a new one, whose text is part of this one response only."""
    form = KeyForm(request.POST or None)
    issued: list[tuple[ApiKey, str]] = []
    made: list[Made] = []

    def issue() -> uuid.UUID:
        issued.append(services.issue_key(actor=request.actor, **form.values))
        return issued[0][0].pk

    def work() -> None:
        made.append(
            make_once(
                actor=request.actor,
                operation="key-issue",
                content={**form.values, "again": form.cleaned_data["again"]},
                make=issue,
            )
        )

    if request.method == "POST" and accepted(form, work):
        if issued:
            return _show(request, KeyForm(), *issued)
        form = KeyForm.once_more(request.POST, made[0], ISSUED_BEFORE)
    return _show(request, form)


@staff_view("config.change")
@require_POST
@never_cache
def key_rotate(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    api_key = selectors.get_key_for_actor(request.actor, pk)
    try:
        issued = services.rotate_key(actor=request.actor, api_key=api_key)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("key-list")
    return _show(request, KeyForm(), issued)


@staff_view("config.change")
@require_POST
def key_revoke(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    api_key = selectors.get_key_for_actor(request.actor, pk)
    services.revoke_key(actor=request.actor, api_key=api_key)
    messages.success(request, _("The key of %(name)s has ended.") % {"name": api_key.name})
    return redirect("key-list")


def _show(
    request: StaffRequest, form: KeyForm, issued: tuple[ApiKey, str] | None = None
) -> HttpResponse:
    names = dict(Branch.objects.values_list("pk", "name"))
    now = timezone.now()
    rows = [
        {
            "key": api_key,
            "scopes": [SCOPE_LABELS.get(scope, scope) for scope in api_key.scopes],
            "branches": [names[pk] for pk in api_key.branch_ids or () if pk in names],
            "is_live": api_key.revoked_at is None
            and (api_key.expires_at is None or api_key.expires_at > now),
        }
        for api_key in selectors.keys_for_actor(request.actor)
    ]
    context = {
        "tabs": tabs_for(request.actor, "key-list"),
        "form": form,
        "rows": rows,
        "issued": issued,
    }
    status = 422 if form.is_bound else 200
    return render(request, "policy/keys.html", context, status=status)
