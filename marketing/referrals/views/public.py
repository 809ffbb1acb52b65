"""What a friend sees who opens a shared link: whose chain it is, what she gets, the code."""

import logging
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from customers.models import Customer
from marketing.core import clock
from marketing.core.models import Tenant
from marketing.core.tenancy import know_tenant, tenant_scope
from marketing.delivery.links import agents
from marketing.referrals import links, selectors, services
from marketing.referrals.forms import FriendForm
from marketing.referrals.selectors import FoundCode

logger = logging.getLogger(__name__)

PHONE_FAULT = _("This is not a phone number. It looks like 98765 43210.")
# Of one address in a minute; a salon's guests may share one.
LOOKS, PHONES = 60, 10
MINUTE = 60


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def friend_page(request: HttpRequest, chain: str, code: str) -> HttpResponse:
    """The page behind a link. It keeps that it was opened, and a phone if one is left."""
    is_post = request.method == "POST"
    if _too_often(request, "phone" if is_post else "look", PHONES if is_post else LOOKS):
        return _private(render(request, "referrals/public_busy.html", status=429))
    salon = Tenant.objects.filter(slug=chain, is_active=True).first()
    if salon is None:
        return _private(render(request, "referrals/public_gone.html", status=404))
    with tenant_scope(salon.pk):
        know_tenant(salon)
        found = selectors.find_code(code, clock.now())
        if found is None or not found.is_enabled or found.referrer_id is None:
            return _private(render(request, "referrals/public_gone.html", status=404))
        form = FriendForm(request.POST or None)
        is_left = False
        if is_post and form.is_valid():
            is_left = services.leave_phone(code=code, phone=form.cleaned_data["phone"])
            if not is_left:
                form.add_error("phone", PHONE_FAULT)
        elif not is_post and not agents.judge(str(request.method), request.headers).machine:
            services.note_click(found)
        context = _context(salon, found) | {"form": form, "is_left": is_left}
        status = 422 if form.errors else 200
        return _private(render(request, "referrals/public.html", context, status=status))


@require_safe
def code_picture(request: HttpRequest, chain: str, code: str) -> HttpResponse:
    """The link as a QR code; it says nothing that the address does not."""
    salon = Tenant.objects.filter(slug=chain, is_active=True).first()
    if salon is None or not selectors.looks_like_code(code):
        return HttpResponse(status=404)
    picture = links.qr_svg(links.share_url(salon, code.upper()))
    answer = HttpResponse(picture, "image/svg+xml")
    answer["Cache-Control"] = "public, max-age=86400"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _context(salon: Tenant, found: FoundCode) -> dict[str, Any]:
    programme = selectors.programme()
    referrers = Customer.objects.filter(pk__in=[found.referrer_id])
    return {
        "chain": salon,
        "first_name": referrers.values_list("first_name", flat=True).get(),
        "code": found.code,
        "reward": selectors.reward_words(
            programme.referred_reward_type,
            programme.referred_reward_value,
            programme.referred_reward_service,
        ),
        "is_points": not found.opens_offer,
    }


def _too_often(request: HttpRequest, what: str, most: int) -> bool:
    """Counted by address and minute; where the counter is away, the page is there."""
    key = f"referrals:{what}:{request.META.get('REMOTE_ADDR', '')}"
    try:
        cache.add(key, 0, MINUTE)
        return int(cache.incr(key)) > most
    except Exception:
        logger.warning("no counter for public pages", exc_info=True)
        return False


def _private(answer: HttpResponse) -> HttpResponse:
    answer["Cache-Control"] = "no-store, max-age=0"
    answer["X-Robots-Tag"] = "noindex, nofollow"
    answer["Referrer-Policy"] = "no-referrer"
    return answer
