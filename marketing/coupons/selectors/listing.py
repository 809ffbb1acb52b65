"""The list of offers: their states, found by state, kind, branch and words."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.utils.translation import gettext_lazy as _

from marketing.coupons.models import Offer, OfferRevision, OfferUse
from marketing.coupons.pricing.canonical import from_plain
from marketing.coupons.pricing.terms import OfferTerms
from marketing.coupons.selectors.names import names_of
from marketing.coupons.selectors.offers import uses_of
from marketing.coupons.wording import headline, sections


class OfferState(models.TextChoices):
    """What an offer is today; the first that holds, in this order."""

    OFF = "off", _("Switched off")
    OVER = "over", _("Over")
    USED_UP = "used_up", _("Used up")
    STARTS = "starts", _("Begins later")
    ON = "on", _("On")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRow:
    """An offer as the list shows it; amounts in paise, `budget_left` None without a budget."""

    offer: Offer
    state: OfferState
    gives: str
    where: str
    when: str
    uses: int
    budget_left: int | None


def with_state(offers: QuerySet[Offer], now: dt.datetime) -> QuerySet[Offer]:
    """The offers with their `state` at `now`, and `given` of those that have a budget.

    `now` is on the chain's wall clock: a branch of another zone may still, or already, have it.
    """
    today, hour = now.date(), now.replace(tzinfo=None).isoformat(timespec="seconds")
    whole = OfferUse.objects.filter(offer=OuterRef("pk"), branch=None)
    return offers.annotate(
        taken=Subquery(whole.values(n=F("used") + F("reserved"))[:1]),
        given=Subquery(whole.values(n=F("spent") + F("held"))[:1]),
    ).annotate(
        state=Case(
            When(is_active=False, then=Value(OfferState.OFF)),
            When(
                Q(valid_until__lt=today)
                | Q(_terms(terms__timetable__ends__lte=hour), valid_until=today),
                then=Value(OfferState.OVER),
            ),
            When(
                Q(taken__gte=F("max_total_uses")) | Q(given__gte=F("budget")),
                then=Value(OfferState.USED_UP),
            ),
            When(
                Q(valid_from__gt=today)
                | Q(_terms(terms__timetable__starts__gt=hour), valid_from=today),
                then=Value(OfferState.STARTS),
            ),
            default=Value(OfferState.ON),
            output_field=models.CharField(),
        )
    )


def of_branch(offers: QuerySet[Offer], branch_id: uuid.UUID) -> QuerySet[Offer]:
    """Those that hold in the branch."""
    branch = str(branch_id)
    here = Q(terms__places__branches=[]) | Q(terms__places__branches__contains=branch)
    out = Q(terms__places__excluded_branches__contains=branch)
    return offers.filter(_terms(here & ~out))


def _terms(*conditions: Q, **values: Any) -> Exists:
    """Whether its terms of now are so."""
    of_now = OfferRevision.objects.filter(offer=OuterRef("pk"), revision=OuterRef("revision"))
    return Exists(of_now.filter(*conditions, **values))


def of_words(offers: QuerySet[Offer], text: str) -> QuerySet[Offer]:
    """Those whose name or code has the text in it."""
    return offers.filter(Q(name__icontains=text) | Q(code__icontains=text))


def rows_of(offers: Sequence[Offer]) -> list[OfferRow]:
    """What the list shows of offers `with_state`; at most seven statements."""
    terms = current_terms(offers)
    names = names_of(terms.values())
    uses = uses_of(offers)
    rows = []
    for offer in offers:
        own = terms[offer.pk]
        lines = {section.key: section.lines for section in sections(own, names)}
        given = getattr(offer, "given", None) or 0
        rows.append(
            OfferRow(
                offer=offer,
                state=OfferState(offer.state),  # type: ignore[attr-defined]
                gives=headline(own, names),
                where=", ".join(lines["where"]),
                when=" · ".join(lines["when"]),
                uses=uses[offer.pk],
                budget_left=None if offer.budget is None else max(0, offer.budget - given),
            )
        )
    return rows


def current_terms(offers: Sequence[Offer]) -> dict[uuid.UUID, OfferTerms]:
    """The terms that each has now, in one statement."""
    revisions = OfferRevision.objects.filter(
        offer__in=[offer.pk for offer in offers], revision=F("offer__revision")
    ).order_by()
    return {
        pk: from_plain(OfferTerms, terms) for pk, terms in revisions.values_list("offer", "terms")
    }
