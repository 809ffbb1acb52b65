"""One spelling in bytes, read back as it was."""

import pytest
from hypothesis import given, settings

from marketing.coupons.pricing.answer import ENGINE, Quote
from marketing.coupons.pricing.bill import Cart, EnteredCode
from marketing.coupons.pricing.canonical import decode, digest, encode, promise_hash
from marketing.coupons.pricing.compiled import Catalogue
from marketing.coupons.pricing.engine import quote
from marketing.coupons.pricing.facts import OfferUsage
from marketing.coupons.pricing.reasons import ReasonCode, reason
from marketing.coupons.pricing.terms import Kind, Limits, OfferTerms
from tests.coupons.pricing import strategies
from tests.coupons.pricing.strategies import cart_of


@settings(max_examples=30, deadline=None)
@given(lines=strategies.lines, offers=strategies.offers())
def test_what_was_written_is_read_back_and_replays(lines, offers):
    cart = cart_of(lines, codes=(EnteredCode(code="X", fault=reason(ReasonCode.CODE_UNKNOWN)),))
    quoted = quote(cart, Catalogue(offers))
    again = quote(
        decode(Cart, encode(cart)),
        Catalogue(decode(OfferTerms, encode(offer)) for offer in offers),
    )
    assert encode(again) == encode(quoted)
    assert decode(Quote, encode(quoted)) == quoted
    assert quoted.engine == ENGINE


def test_equal_sets_are_equal_bytes():
    one = OfferTerms(id="o", kind=Kind.FLAT, amount=1)
    assert digest(one) == digest(OfferTerms(id="o", amount=1, kind=Kind.FLAT))
    assert b" " not in encode(one)


@pytest.mark.parametrize(
    "data", [b"[]", b"{}", b'{"id":1,"kind":"flat"}', b'{"id":"o","kind":"x"}']
)
def test_what_is_no_offer_is_refused(data):
    with pytest.raises(ValueError, match="not a OfferTerms"):
        decode(OfferTerms, data)


def test_promise_is_of_the_amounts_not_of_what_others_used():
    offers = Catalogue(
        [
            OfferTerms(id="a", kind=Kind.FLAT, amount=100, automatic=True),
            OfferTerms(id="b", kind=Kind.FLAT, amount=200, automatic=True, limits=Limits(total=5)),
        ]
    )
    cart = cart_of([("cut", 5_00, 1)])
    used_up = [quote(cart, offers, usage={"b": OfferUsage(total=n)}) for n in (5, 6)]
    assert promise_hash(used_up[0]) == promise_hash(used_up[1])
    assert digest(used_up[0]) != digest(used_up[1])
    assert promise_hash(quote(cart, offers)) != promise_hash(used_up[0])
