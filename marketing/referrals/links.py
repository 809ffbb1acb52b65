"""Where a code leads: the page that a friend opens, and how it is passed on."""

import io
from urllib.parse import quote

import segno
from django.conf import settings
from django.urls import reverse

from marketing.core.models import Tenant

PATH = "/f/"


def share_url(chain: Tenant, code: str) -> str:
    """The page for friends, under the chain's own name."""
    return f"{settings.PUBLIC_BASE_URL}{reverse('referral-page', args=[chain.slug, code])}"


def qr_url(chain: Tenant, code: str) -> str:
    """The link as a picture that needs no login."""
    path = reverse("referral-picture", args=[chain.slug, code])
    return f"{settings.PUBLIC_BASE_URL}{path}"


def whatsapp_url(text: str) -> str:
    """Opens WhatsApp with the text written, to be sent to whom she likes."""
    return f"https://wa.me/?text={quote(text)}"


def qr_svg(url: str) -> bytes:
    """The link as a picture to be scanned."""
    out = io.BytesIO()
    segno.make(url, error="m").save(out, kind="svg", scale=6, border=2, xmldecl=False, svgns=True)
    return out.getvalue()
