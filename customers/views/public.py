"""Pages that a customer reaches by a signed link, without a login."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from customers import links, services
from customers.models import Channel, Customer
from marketing.core.tenancy import current_tenant, tenant_scope

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
    except ValueError:
        return render(request, "customers/unsubscribe_broken.html", status=404)
    with tenant_scope(link.tenant_id):
        if request.method == "POST":
            everything = request.POST.get("scope") == "all"
            services.opt_out_by_link(link=link, everything=everything)
            if "List-Unsubscribe" in request.POST:
                return HttpResponse(content_type="text/plain")
        customer = Customer.objects.filter(pk=link.customer_id).first()
        spoken = customer.language if customer else ""
        with translation.override(spoken if spoken in dict(settings.LANGUAGES) else "en"):
            context = {
                "chain": current_tenant(),
                "channel": link.channel,
                "what": CHANNEL_MESSAGES.get(link.channel, ""),
                "is_done": request.method == "POST",
                "stopped_all": not link.channel or request.POST.get("scope") == "all",
            }
            return render(request, "customers/unsubscribe.html", context)
