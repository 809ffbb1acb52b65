"""Codes to print or to show: one card, its QR code, the cards of a batch."""

import uuid

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from marketing.core.errors import NotFound
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.coupons import cards, selectors
from marketing.coupons.selectors import printing

PICTURES = {"png": ("image/png", cards.qr_png), "svg": ("image/svg+xml", cards.qr_svg)}


@staff_view("coupon.view")
@require_GET
def card(request: StaffRequest, pk: uuid.UUID, code: uuid.UUID) -> HttpResponse:
    """One card, on a page of its own size."""
    offer = selectors.get_offer_with_codes(request.actor, pk)
    found = printing.card_of(offer, selectors.get_code(offer, code))
    return _file(cards.card_pdf(found), "application/pdf", f"{found.code}.pdf")


@staff_view("coupon.view")
@require_GET
def card_image(request: StaffRequest, pk: uuid.UUID, code: uuid.UUID, kind: str) -> HttpResponse:
    """The code's QR code alone, as a picture or a drawing."""
    offer = selectors.get_offer_with_codes(request.actor, pk)
    found = printing.card_of(offer, selectors.get_code(offer, code))
    if kind not in PICTURES:
        raise NotFound()
    content_type, drawn = PICTURES[kind]
    return _file(drawn(found.code), content_type, f"{found.code}.{kind}")


@staff_view("coupon.manage")
@require_GET
def batch_cards(request: StaffRequest, pk: uuid.UUID, batch: uuid.UUID) -> HttpResponse:
    """The cards of a batch on A4 pages, ten a page, `?file=` of 500 cards at a time."""
    offer = selectors.get_offer_with_codes(request.actor, pk)
    found = selectors.get_batch(offer, batch)
    asked = request.GET.get("file", "1")
    number = int(asked) if asked.isdecimal() and len(asked) < 6 else 0
    sheet = cards.sheet_pdf(printing.cards_of(offer, printing.part_of(found, number)))
    return _file(sheet, "application/pdf", f"{found.prefix or 'cards'}-{number}.pdf")


def _file(content: bytes, content_type: str, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=content_type)
    answer["Content-Disposition"] = f'inline; filename="{name}"'
    answer["Cache-Control"] = "private, no-store"
    return answer
