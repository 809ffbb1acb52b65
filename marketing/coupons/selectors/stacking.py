"""Which of the live offers stand beside which, and why others do not."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from marketing.coupons.pricing.compiled import CompiledOffer, combine
from marketing.coupons.pricing.terms import OfferTerms


class Beside(StrEnum):
    """Two offers: also on one line, on one bill but not on one line, or never together."""

    LINE = "line"
    BILL = "bill"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Relation:
    """How one offer stands to another; `why` where it does not stand beside it."""

    other: OfferTerms
    beside: Beside
    why: str = ""


def relation(one: OfferTerms, other: OfferTerms) -> Relation:
    """How `one` stands to `other`: the same from either side."""
    mine, theirs = CompiledOffer(one), CompiledOffer(other)
    if combine(mine, theirs):
        together = mine.shares_lines and theirs.shares_lines
        return Relation(other, Beside.LINE if together else Beside.BILL)
    return Relation(other, Beside.NEVER, _why_not(mine, theirs))


def relations(one: OfferTerms, others: Sequence[OfferTerms]) -> list[Relation]:
    """How it stands to each of the others; itself is left out."""
    return [relation(one, other) for other in others if other.id != one.id]


def _why_not(one: CompiledOffer, other: CompiledOffer) -> str:
    alone = [offer.terms.name for offer in (one, other) if offer.alone]
    if len(alone) == 1:
        return _("%(offer)s stands alone on the bill") % {"offer": alone[0]}
    if alone:
        return _("Both stand alone on the bill")
    first, second = one.terms, other.terms
    asks = [
        (asking, asked)
        for asking, asked in ((first, second), (second, first))
        if asking.combining.combines_with is not None
        and asking.combining.combines_with.isdisjoint(asked.combining.tags)
    ]
    return "; ".join(
        _("%(offer)s asks for %(tags)s, which %(other)s does not carry")
        % {
            "offer": asking.name,
            "tags": ", ".join(sorted(asking.combining.combines_with or ())) or "–",
            "other": asked.name,
        }
        for asking, asked in asks
    )
