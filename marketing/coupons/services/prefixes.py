"""What generated codes begin with, so that nobody takes one for a code that was typed."""

import unicodedata

from marketing.coupons.code_symbols import SYMBOLS, is_sound
from marketing.coupons.models import CouponCode, Offer

LONGEST_PREFIX = 4
NO_NAME = "GIFT"


def prefix_of(offer: Offer) -> str:
    """What the offer's own codes begin with: some letters of its code, or of its name."""
    plain = unicodedata.normalize("NFKD", (offer.code or offer.name).upper())
    letters = "".join(sign for sign in plain if sign in SYMBOLS and sign.isalpha())
    return letters[:LONGEST_PREFIX] if len(letters) > 1 else NO_NAME


def free_prefix(offer: Offer, symbols: int) -> str:
    """`prefix_of`, or with one letter more where a typed code of the chain looks like its codes.

    The last of them where one looks like each.
    """
    prefix = prefix_of(offer)
    tried = [prefix, *(f"{prefix}{last}" for last in SYMBOLS)]
    return next((free for free in tried if not looks_like(free, symbols)), tried[-1])


def looks_like(prefix: str, symbols: int) -> str:
    """A typed code that can be taken for a misread one of so many symbols; "" without one."""
    length = len(prefix) + symbols + 1
    alike = CouponCode.objects.filter(
        batch=None, key__startswith=prefix, key__regex=f"^.{{{length}}}$"
    )
    for code, key in alike.values_list("code", "key"):
        if not is_sound(key[len(prefix) :]):
            return str(code)
    return ""
