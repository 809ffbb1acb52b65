"""Codes on paper: what a scanner reads, what a person reads, and who may print them."""

import datetime as dt
import re
import zlib

import pytest
import segno
from django.urls import reverse
from django.utils import translation

from marketing.core.errors import Conflict, NotFound
from marketing.core.tenancy import tenant_scope
from marketing.coupons import cards, services
from marketing.coupons.cards import Card
from marketing.coupons.cards.qr import qr_bars
from marketing.coupons.cards.sheet import printable
from marketing.coupons.models import CouponCode
from marketing.coupons.selectors import printing
from tests.factories.coupons import make_offer, system

CARD = Card(chain="Lotus", offer="20 % off", code="GIFT-ABC-DEF-GHJ", validity="Valid")


def pages(pdf):
    return len(re.findall(rb"/Type /Page\b", pdf))


def drawn(pdf):
    """The operators of all pages."""
    streams = re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)
    made = b""
    for each in streams:
        try:
            made += zlib.decompress(each)
        except zlib.error:
            continue
    return made


def fonts(pdf):
    return set(re.findall(rb"/BaseFont /[A-Z]{6}\+(\w+)", pdf))


def test_ten_cards_stand_on_a_page():
    assert [pages(cards.sheet_pdf([CARD] * count)) for count in (1, 10, 11)] == [1, 1, 2]
    assert pages(cards.card_pdf(CARD)) == 1


def test_the_page_of_a_card_lies_on_its_long_side():
    [box] = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", cards.card_pdf(CARD))
    width, height = map(float, box)
    assert (round(width / 72 * 25.4), round(height / 72 * 25.4)) == (90, 54)


def test_what_is_drawn_is_the_qr_code_of_the_code():
    wide, bars = qr_bars(CARD.code)
    dark = {(column + step, row) for column, row, length in bars for step in range(length)}
    matrix = segno.make_qr(CARD.code, error="q", boost_error=False, mask=2).matrix
    assert wide == len(matrix)
    assert dark == {(x, y) for y, line in enumerate(matrix) for x, on in enumerate(line) if on}
    assert drawn(cards.card_pdf(CARD)).count(b" re") == len(bars)
    assert cards.qr_png(CARD.code).startswith(b"\x89PNG")
    assert b"<title>GIFT-ABC-DEF-GHJ</title>" in cards.qr_svg(CARD.code)


@pytest.mark.parametrize(
    ("name", "font"),
    [
        ("दिवाली क्षत्रिय श्री", b"NotoSansDevanagari"),
        ("দুর্গাপূজা ছাড়", b"NotoSansBengali"),
    ],
)
def test_letters_are_those_of_their_script(name, font):
    pdf = cards.card_pdf(Card(chain="Lotus", offer=f"20 % {name} ₹500", code="AB", validity="2026"))
    assert any(each.startswith(font) for each in fonts(pdf))
    assert not any(each.startswith(font) for each in fonts(cards.card_pdf(CARD)))


def test_emoji_are_left_out_and_nothing_else():
    assert printable("Party 🎉 ₹500\x00 दिवाली\u200d श्री\nছাড়") == "Party ₹500 दिवाली\u200d श्री ছাড়"


@pytest.mark.parametrize("text", ["", "🎉", "x" * 300, "अ" * 300, "a " * 200])
def test_any_text_is_drawn(text):
    assert pages(cards.card_pdf(Card(chain=text, offer=text, code="A" * 50, validity=text))) == 1


@pytest.fixture
def batch(chain):
    offer = make_offer(automatic=False, name="Gift", validUntil="2026-12-31")
    made = services.make_codes(actor=system(), offer=offer, count=12, prefix="GIFT")
    services.make_part(batch_id=made.pk)
    made.refresh_from_db()
    return made


def test_a_card_says_until_when(chain, batch):
    code = CouponCode.objects.filter(batch=batch).first()
    chain.tenant.languages = ["en"]
    chain.tenant.save()
    assert printing.card_of(batch.offer, code).validity == "Valid until 31 December 2026"
    # The end of the 9th where the chain is.
    code.expires_at = dt.datetime(2026, 12, 9, 18, 30, tzinfo=dt.UTC)
    assert printing.card_of(batch.offer, code).validity == "Valid until 9 December 2026"
    batch.offer.valid_from = dt.date(2090, 1, 1)
    assert "1 January 2090 to" in printing.card_of(batch.offer, code).validity
    code.expires_at = batch.offer.valid_until = None
    assert printing.card_of(batch.offer, code).validity == ""
    with translation.override("hi"):
        assert printing.card_of(batch.offer, code).chain == chain.tenant.name


def test_a_batch_comes_in_files(chain, batch, monkeypatch):
    monkeypatch.setattr(printing, "CARDS_A_FILE", 5)
    first, *others = CouponCode.objects.filter(batch=batch).order_by("pk")
    services.revoke_codes(actor=system(), code_ids=[first.pk])
    parts = [printing.part_of(batch, number) for number in range(1, printing.files_of(batch) + 1)]
    assert [len(part) for part in parts] == [4, 5, 2]
    assert [code for part in parts for code in part] == others
    for number in (0, 4):
        with pytest.raises(NotFound):
            printing.part_of(batch, number)
    services.revoke_codes(actor=system(), batch=batch)
    with pytest.raises(Conflict):
        printing.part_of(batch, 1)


def test_cards_are_looked_at_by_who_may(chain, other_chain, batch, login):
    code = CouponCode.objects.filter(batch=batch).first()
    offer = batch.offer
    addresses = {
        "card": reverse("offer-card", args=[offer.pk, code.pk]),
        "png": reverse("offer-card-image", args=[offer.pk, code.pk, "png"]),
        "svg": reverse("offer-card-image", args=[offer.pk, code.pk, "svg"]),
        "sheet": reverse("offer-cards", args=[offer.pk, batch.pk]),
    }
    client = login("receptionist")
    answers = {name: client.get(address) for name, address in addresses.items()}
    assert {name: each.status_code for name, each in answers.items()} == {
        "card": 200,
        "png": 200,
        "svg": 200,
        "sheet": 403,
    }
    assert answers["card"].headers["Content-Type"] == "application/pdf"
    assert f"{code.code}.pdf" in answers["card"].headers["Content-Disposition"]
    manager = login("manager")
    assert pages(manager.get(addresses["sheet"]).content) == 2
    assert manager.get(addresses["sheet"], {"file": "2"}).status_code == 404
    assert manager.get(addresses["sheet"], {"file": "x"}).status_code == 404
    assert client.get(addresses["png"].replace(".png", ".gif")).status_code == 404
    services.revoke_codes(actor=system(), code_ids=[code.pk])
    assert client.get(addresses["card"]).status_code == 409
    with tenant_scope(other_chain.tenant.pk):
        foreign = make_offer(code="THEIRS")
        their = CouponCode.objects.get()
    assert client.get(reverse("offer-card", args=[foreign.pk, their.pk])).status_code == 404
