"""Offers in plain words: what one gives, its terms line by line, and why it does not apply."""

from marketing.coupons.wording.faults import fault_in_words
from marketing.coupons.wording.reasons import reason_in_words, unlock_in_words
from marketing.coupons.wording.terms import Names, Section, headline, sections

__all__ = [
    "Names",
    "Section",
    "fault_in_words",
    "headline",
    "reason_in_words",
    "sections",
    "unlock_in_words",
]
