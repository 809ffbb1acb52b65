"""What another module keeps of an offer, in the editor: shown, and not to be changed there."""

from typing import Any

from marketing.coupons import selectors
from marketing.coupons.forms.reading import initial_of
from marketing.coupons.models import Offer
from marketing.coupons.models.offers import OfferKind

# The form's fields of `owners.kept_terms`.
KEPT = ("kind", "value", "opening", "code", "visit")
FREE = ("services", "categories", "excluded_services", "excluded_categories")


def kept_values(offer: Offer) -> dict[str, Any]:
    """What its owner keeps, by the form's names."""
    values = initial_of(offer, selectors.terms_of(offer))
    names = KEPT + (FREE if offer.kind == OfferKind.FREE_SERVICE else ())
    return {name: values.get(name) for name in names}
