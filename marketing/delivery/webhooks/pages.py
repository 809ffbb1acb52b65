"""The settings' page of webhooks: what came in, what could not be applied, whose words count."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketing.core.errors import ValidationFailed
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.delivery.models import WebhookEvent
from marketing.delivery.webhooks import changes, overview
from marketing.policy.selectors import get_account_for_actor
from marketing.policy.views.tabs import tabs_for

PAGE_SIZE = 25
STRANGERS = 20


class KeywordForm(forms.Form):
    """Words of the chain's own, separated by commas, beside those that are known anyway."""

    stop = forms.CharField(
        label=gettext_lazy("Mean stop"),
        required=False,
        widget=forms.TextInput(attrs={"data-chips": True}),
    )
    start = forms.CharField(
        label=gettext_lazy("Mean start again"),
        required=False,
        widget=forms.TextInput(attrs={"data-chips": True}),
    )
    help = forms.CharField(
        label=gettext_lazy("Mean help"),
        required=False,
        widget=forms.TextInput(attrs={"data-chips": True}),
    )

    def words(self) -> dict[str, list[str]]:
        """As they are compared, by meaning."""
        return {name: overview.clean_words(text) for name, text in self.cleaned_data.items()}


@staff_view("config.view")
@require_safe
def webhook_list(request: StaffRequest) -> HttpResponse:
    """Requests, newest first; `?account=`, `?state=` filter, `?before=` is the last id before."""
    initial = {name: ", ".join(words) for name, words in overview.extra_keywords().items()}
    return _page(request, KeywordForm(initial=initial))


def _page(request: StaffRequest, form: KeywordForm, status: int = 200) -> HttpResponse:
    account_id, before = _id(request, "account"), _id(request, "before")
    state = request.GET.get("state", "")
    state = state if state in WebhookEvent.State.values else ""
    accounts = {account.pk: account for account in overview.accounts_with_traffic()}
    found = list(
        overview.requests(account_id=account_id, state=state, before=before)[: PAGE_SIZE + 1]
    )
    shown = found[:PAGE_SIZE]
    lines = overview.brief_lines(shown, request.actor)
    context: dict[str, Any] = {
        "tabs": tabs_for(request.actor, "webhook-list"),
        "rows": [
            {"event": e, "account": accounts.get(e.account_id), "lines": lines.get(e.pk, [])}
            for e in shown
        ],
        "accounts": accounts.values(),
        "account_id": account_id,
        "states": WebhookEvent.State.choices,
        "state": state,
        "is_later_page": before is not None,
        "before": shown[-1].pk if len(found) > PAGE_SIZE else None,
        "lag": overview.lag(),
        "strangers": overview.strangers()[:STRANGERS],
        "sees_addresses": overview.may_see_addresses(request.actor),
        "may_change": request.actor.can("config.change"),
        "form": form,
    }
    return render(request, "delivery/webhooks.html", context, status=status)


@staff_view("config.view")
@require_safe
def webhook_detail(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    event = overview.get_request_for_actor(request.actor, pk)
    return render(
        request,
        "delivery/webhook.html",
        {
            "event": event,
            "account": get_account_for_actor(request.actor, event.account_id),
            "size": len(event.body),
            "lines": overview.lines_with_customers(event, request.actor),
            "limit": overview.LINES,
            "may_change": request.actor.can("config.change"),
        },
    )


@staff_view("config.change")
@require_POST
def webhook_replay(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    event = overview.get_request_for_actor(request.actor, pk)
    changes.replay_request(actor=request.actor, event=event)
    messages.success(request, _("The request is applied again."))
    return redirect("webhook-detail", pk)


@staff_view("config.change")
@require_POST
def account_replay(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Everything of an account that could not be applied."""
    account = get_account_for_actor(request.actor, pk)
    count = changes.replay_troubled(actor=request.actor, account=account)
    text = ngettext("%(n)d request is applied again.", "%(n)d requests are applied again.", count)
    messages.success(request, text % {"n": count})
    return redirect("webhook-list")


@staff_view("config.change")
@require_http_methods(["POST"])
def keywords_save(request: StaffRequest) -> HttpResponse:
    form = KeywordForm(request.POST)
    if form.is_valid():
        try:
            changes.save_keywords(actor=request.actor, words=form.words())
        except ValidationFailed as error:
            for name, texts in error.fields.items():
                form.add_error(name, texts)
        else:
            messages.success(request, _("Saved."))
            return redirect("webhook-list")
    return _page(request, form, status=422)


def _id(request: HttpRequest, name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.GET.get(name, ""))
    except ValueError:
        return None
