"""The names of what offers speak of, for lists and pages: one statement a kind, at most five."""

import uuid
from collections.abc import Iterable
from typing import Any

from customers.models import Service, ServiceCategory
from marketing.core.models import Branch
from marketing.coupons.pricing.terms import OfferTerms, Selection
from marketing.coupons.quote_effects import tier_names
from marketing.coupons.wording import Names
from marketing.segments.models import Segment


def names_of(offers: Iterable[OfferTerms]) -> Names:
    """The names that these terms need; what is gone has none."""
    services: set[str] = set()
    categories: set[str] = set()
    branches: set[str] = set()
    segments: set[str] = set()
    has_tiers = False
    for terms in offers:
        for chosen in selections_of(terms):
            services |= chosen.services | chosen.excluded_services
            categories |= chosen.categories | chosen.excluded_categories
        branches |= terms.places.branches | terms.places.excluded_branches
        has_tiers = has_tiers or bool(terms.audience.tiers)
        segments |= terms.audience.segments | terms.audience.excluded_segments
    return Names(
        services=_names(Service.objects, services),
        categories=_names(ServiceCategory.objects, categories),
        branches=_names(Branch.objects, branches),
        segments={
            str(segment.pk): segment.display_name
            for segment in Segment.objects.filter(pk__in=_uuids(segments))
        }
        if segments
        else {},
        tiers=tier_names() if has_tiers else {},
    )


def selections_of(terms: OfferTerms) -> list[Selection]:
    """Every choice of services that the terms make."""
    found = [terms.selection]
    if terms.buy_get is not None and terms.buy_get.get is not None:
        found.append(terms.buy_get.get)
    if terms.bundle is not None:
        found += [part.selection for part in terms.bundle.parts]
    if terms.thresholds.requires is not None:
        found.append(terms.thresholds.requires)
    return found


def _names(things: Any, ids: set[str]) -> dict[str, str]:
    if not ids:
        return {}
    found = things.filter(pk__in=_uuids(ids)).order_by().values_list("pk", "name")
    return {str(pk): name for pk, name in found}


def _uuids(ids: Iterable[str]) -> list[uuid.UUID]:
    """Those that can be ours: a service may be named by whatever the counter calls it."""
    found = []
    for each in ids:
        try:
            found.append(uuid.UUID(each))
        except ValueError:
            continue
    return found
