"""A sample bill priced by terms that need not be saved: what the customer would see."""

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from customers.models import CustomerFacts, Purchase, PurchaseLine, Service
from marketing.core.actor import Actor
from marketing.core.models import Branch
from marketing.core.selectors import branches_for_actor
from marketing.coupons.pricing.answer import Decision, PricedLine, Quote
from marketing.coupons.pricing.bill import Cart, CartLine, EnteredCode
from marketing.coupons.pricing.compiled import Catalogue
from marketing.coupons.pricing.engine import quote
from marketing.coupons.pricing.facts import Customer
from marketing.coupons.pricing.opening import next_opening
from marketing.coupons.pricing.terms import OfferTerms
from marketing.coupons.selectors.settings import present_settings

LINES = 3
LATEST_CUSTOMERS = 50
# A customer who comes again, for offers that do not ask for a certain visit.
VISITS = 5


@dataclass(frozen=True, slots=True)
class SampleLine:
    """So many of a service, before and after."""

    service: Service
    quantity: int
    priced: PricedLine


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleBill:
    """The bill as priced; `decision` is what became of the offer, `branch` and `at` for when."""

    lines: Sequence[SampleLine]
    quote: Quote
    decision: Decision | None
    branch: Branch
    at: dt.datetime


def usual_services() -> list[Service]:
    """The services on most of the latest bills; else the first of the price list."""
    latest = CustomerFacts.objects.filter(last_visit_at__isnull=False).order_by("-last_visit_at")
    sold = PurchaseLine.objects.filter(
        purchase__customer__in=latest.values("customer")[:LATEST_CUSTOMERS],
        purchase__status=Purchase.Status.FINALISED,
        service__is_active=True,
    ).order_by()
    counted = Counter(sold.values_list("service", flat=True))
    most = [pk for pk, _n in sorted(counted.items(), key=lambda each: (-each[1], each[0]))[:LINES]]
    if most:
        found = Service.objects.in_bulk(most)
        return [found[pk] for pk in most]
    return list(Service.objects.filter(is_active=True)[:LINES])


def sample_bill(
    actor: Actor, terms: OfferTerms, lines: Sequence[tuple[Service, int]], now: dt.datetime
) -> SampleBill | None:
    """The lines priced by this offer alone, for a customer whom it is for.

    In the first of the actor's branches where it holds, at the next moment at which it does; by
    its code where it has one. Limits and budget count as untouched. None without branch or line.
    """
    branch = _branch(actor, terms)
    if branch is None or not lines:
        return None
    zone = ZoneInfo(branch.time_zone)
    local = now.astimezone(zone).replace(tzinfo=None)
    moment = next_opening(terms.timetable, local) or local
    at = moment.replace(tzinfo=zone)
    terms = dataclasses.replace(terms, active=True)
    cart = Cart(
        branch=str(branch.pk),
        at=at,
        timezone=branch.time_zone,
        lines=tuple(
            CartLine(
                number=place,
                service=str(service.pk),
                category=str(service.category_id),
                quantity=quantity,
                unit_price=int(service.price * 100),
            )
            for place, (service, quantity) in enumerate(lines, start=1)
        ),
        codes=() if terms.automatic else (EnteredCode(code="CODE", offer=terms.id),),
    )
    answer = quote(
        cart,
        Catalogue([terms]),
        customer=fitting_customer(terms),
        settings=present_settings(),
    )
    return SampleBill(
        lines=[
            SampleLine(service, quantity, priced)
            for (service, quantity), priced in zip(lines, answer.lines, strict=True)
        ],
        quote=answer,
        decision=next(iter(answer.decisions), None),
        branch=branch,
        at=at,
    )


def fitting_customer(terms: OfferTerms) -> Customer:
    """Somebody whom the offer is for."""
    who = terms.audience
    return Customer(
        id="somebody",
        visits=(who.nth_visit or VISITS + 1) - 1,
        segments=who.segments,
        tier=min(who.tiers, default=""),
    )


def _branch(actor: Actor, terms: OfferTerms) -> Branch | None:
    branches = list(branches_for_actor(actor).order_by("name"))
    places = terms.places
    fitting = [
        branch
        for branch in branches
        if (not places.branches or str(branch.pk) in places.branches)
        and str(branch.pk) not in places.excluded_branches
    ]
    return next(iter(fitting or branches), None)
