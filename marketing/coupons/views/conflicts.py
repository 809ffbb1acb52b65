"""What the editor shows when somebody else changed the offer meanwhile."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from marketing.core.actor import Actor
from marketing.coupons import selectors, services
from marketing.coupons.models import Offer
from marketing.coupons.selectors.history import Difference, differences

# The button that saves over the others' change sends the version it saw of it.
OVER = "over"


@dataclass(frozen=True)
class OfferConflict:
    """Who saved since, and of each difference the matter, theirs and yours."""

    by: str
    at: dt.datetime | None
    version: int
    changed: Sequence[Difference]


def seen_version(posted: QueryDict, version: int | None) -> int | None:
    """The version that the person saw last: of the conflict she decided, else of her form."""
    over = posted.get(OVER, "")
    return int(over) if over.isdecimal() and len(over) < 10 else version


def conflict_with(actor: Actor, offer: Offer, values: Mapping[str, Any]) -> OfferConflict:
    """The offer as it stands now against the values that were not saved."""
    present = Offer.objects.get(pk=offer.pk)
    last = selectors.last_change(present)
    theirs = selectors.terms_of(present)
    mine = services.read_terms(actor=actor, values=values, offer=present)
    return OfferConflict(
        by=last.actor_label if last else "",
        at=last.at if last else None,
        version=present.version,
        changed=differences(theirs, mine, selectors.names_of([theirs, mine])),
    )
