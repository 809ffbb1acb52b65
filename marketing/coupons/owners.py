"""Offers that another module makes and keeps: what of their terms is its own.

Whoever makes such offers registers; it changes them with `update_offer(by_owner=True)`.
"""

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from marketing.coupons.pricing.terms import Kind, OfferTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """`offers` gives the ids of its own.

    `shown` says whose it is beside the offer, `refused` at a field that somebody else would change:
    that is done on the `page`, with the `permission`, instead. `no_codes` is told to who would give
    people codes of it.
    """

    offers: Callable[[], Collection[uuid.UUID]]
    shown: str | Promise
    refused: str | Promise
    no_codes: str | Promise
    page: str
    page_name: str | Promise
    permission: str


_owners: list[Owner] = []


def register(owner: Owner) -> None:
    """Add an owner; called while apps are loaded."""
    _owners.append(owner)


def owner_of(offer_id: uuid.UUID) -> Owner | None:
    """Whose offer it is; None where nobody but the chain's managers keeps it."""
    return next((owner for owner in _owners if offer_id in owner.offers()), None)


def owned_offers() -> set[uuid.UUID]:
    """All that another module makes and keeps."""
    return {pk for owner in _owners for pk in owner.offers()}


def kept_terms(terms: OfferTerms, code: str) -> dict[str, Any]:
    """What an owner keeps, by the API's fields: that it holds, what it gives and who opens it."""
    return {
        "isActive": terms.active,
        "discountType": terms.kind,
        "discountValue": (terms.rate_bp, terms.amount),
        "freeServiceId": terms.selection if terms.kind is Kind.FREE_SERVICE else None,
        "automatic": terms.automatic,
        "code": code,
        "nthVisit": terms.audience.nth_visit,
    }
