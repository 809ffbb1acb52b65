"""Offers in plain words: what one gives, its terms line by line, and why it does not apply."""

from marketing.coupons.wording.reasons import reason_in_words, unlock_in_words
from marketing.coupons.wording.terms import Names, Section, headline, sections

__all__ = [
    "Names",
    "Section",
    "headline",
    "reason_in_words",
    "sections",
    "unlock_in_words",
]
