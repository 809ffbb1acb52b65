"""Pages that a customer reaches by a signed link, without a login."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from customers import links, selectors, services
from customers.forms import PreferenceForm
from customers.models import Channel, ConsentState, Customer, MessageTopic
from marketing.core.actor import Actor
from marketing.core.errors import DomainError
from marketing.core.models import Tenant
from marketing.core.tenancy import (
    current_tenant,
    current_tenant_id,
    know_tenant,
    tenant_scope,
)

# The words that the preference page asks in: another one when they change.
WORDING = "preferences-1"

CHANNEL_MESSAGES: dict[str, Any] = {
    Channel.WHATSAPP: _("WhatsApp messages"),
    Channel.SMS: _("SMS"),
    Channel.EMAIL: _("e-mails"),
}


@csrf_exempt
@require_http_methods(["GET", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask, then opt out. The signed address is what authorises it, not a CSRF token.

    Mail programs post straight away (RFC 8058) and show nobody the answer.
    """
    try:
        link = links.read_unsubscribe_token(token)
        chain = _chain(link)
    except (ValueError, Tenant.DoesNotExist):
        return render(request, "customers/unsubscribe_broken.html", status=404)
    with tenant_scope(chain.pk):
        know_tenant(chain)
        if link.is_test:
            return render(request, "customers/unsubscribe_test.html", {"chain": chain})
        if request.method == "POST":
            everything = request.POST.get("scope") == "all"
            services.opt_out_by_link(
                link=link, everything=everything, ip_address=request.META.get("REMOTE_ADDR")
            )
            if "List-Unsubscribe" in request.POST:
                return HttpResponse(content_type="text/plain")
        customer = selectors.person_behind_link(link.customer_id)
        with translation.override(_spoken(customer)):
            context = {
                "chain": chain,
                "channel": link.channel,
                "what": CHANNEL_MESSAGES.get(link.channel, ""),
                "is_done": request.method == "POST",
                "stopped_all": not link.channel or request.POST.get("scope") == "all",
                "preferences": customer and links.preferences_url(link.tenant_id, customer.pk),
            }
            return render(request, "customers/unsubscribe.html", context)


@csrf_exempt
@require_http_methods(["GET", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """What the person wants to get, said by herself. The signed address authorises it."""
    try:
        link = links.read_preferences_token(token)
        chain = _chain(link)
    except links.Expired:
        return render(request, "customers/preferences_expired.html", status=410)
    except (ValueError, Tenant.DoesNotExist):
        return render(request, "customers/unsubscribe_broken.html", status=404)
    with tenant_scope(chain.pk):
        know_tenant(chain)
        customer = selectors.person_behind_link(link.customer_id)
        if customer is None:
            return render(request, "customers/preferences_expired.html", status=410)
        with translation.override(_spoken(customer)):
            return _preferences(request, customer)


def _chain(link: links.Unsubscribe) -> Tenant:
    """Whose link it is. Raises `Tenant.DoesNotExist` when the chain is no longer here."""
    return Tenant.objects.get(pk=link.tenant_id)


def _preferences(request: HttpRequest, customer: Customer) -> HttpResponse:
    form = PreferenceForm(
        request.POST if request.method == "POST" else None,
        state=getattr(customer, "consent", None) or ConsentState(customer=customer),
        customer=customer,
        topics=MessageTopic.objects.filter(is_active=True),
    )
    if "everything" in request.POST:
        services.opt_out(
            actor=Actor.system(current_tenant_id()),
            customer=customer,
            source="preference_centre",
            **_evidence(request),
        )
        return HttpResponseRedirect(f"{request.path}?saved=1")
    if form.is_valid():
        try:
            services.put_preferences(
                actor=Actor.system(current_tenant_id()),
                customer=customer,
                consent=form.changes,
                refused_topics=form.refused_topics,
                weekly_limit=form.cleaned_data["weekly_limit"],
                source="preference_centre",
                **_evidence(request),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            return HttpResponseRedirect(f"{request.path}?saved=1")
    context = {
        "chain": current_tenant(),
        "form": form,
        "is_done": "saved" in request.GET and not form.is_bound,
    }
    return render(
        request, "customers/preferences.html", context, status=422 if form.errors else 200
    )


def _evidence(request: HttpRequest) -> dict[str, Any]:
    return {
        "ip_address": request.META.get("REMOTE_ADDR"),
        "wording_version": WORDING,
        "language": translation.get_language(),
    }


def _spoken(customer: Customer | None) -> str:
    """The person's language where the pages speak it, else English."""
    spoken = customer.language if customer else ""
    return spoken if spoken in dict(settings.LANGUAGES) else "en"
