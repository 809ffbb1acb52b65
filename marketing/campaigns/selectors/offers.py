"""What an offer brings to a campaign: what messages say of it, and what it may cost."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Avg, Q, QuerySet
from django.utils.translation import gettext as _

from customers.models import Purchase
from marketing.campaigns.models import Campaign
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant
from marketing.coupons.merge_fields import COUPON_CODE, OFFER_NAME, OFFER_VALID_UNTIL
from marketing.coupons.models import Offer
from marketing.coupons.owners import owned_offers
from marketing.coupons.pricing.terms import Kind, OfferTerms
from marketing.coupons.selectors import names_of, offers_for_actor, terms_of
from marketing.coupons.services import sample_code
from marketing.coupons.wording import headline
from marketing.coupons.wording.amounts import rupees

WHOLE = Decimal(100)
# Of bills that say what a usual one is.
LATEST_BILLS = 1000


@dataclass(frozen=True)
class OfferPlan:
    """What a campaign's messages say of its offer.

    `values` by merge field are the same for everybody; `sample_code` stands for the code that
    each gets of her own, "" where nobody does.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    sample_code: str = ""


NO_OFFER = OfferPlan()


def offer_plan(campaign: Campaign) -> OfferPlan:
    """Of the campaign's offer, as it is now."""
    offer = campaign.coupon
    if offer is None:
        return NO_OFFER
    values = {OFFER_NAME: offer.name}
    if offer.valid_until is not None:
        values[OFFER_VALID_UNTIL] = offer.valid_until.isoformat()
    if campaign.unique_codes:
        return OfferPlan(values, sample_code(offer))
    if offer.code:
        values[COUPON_CODE] = offer.code
    return OfferPlan(values)


def today() -> dt.date:
    """By the chain's clock."""
    return clock.now().astimezone(ZoneInfo(current_tenant().time_zone)).date()


def is_live(offer: Offer) -> bool:
    """Whether the offer is on, and its last day is not past."""
    return offer.is_active and (offer.valid_until is None or offer.valid_until >= today())


def offers_to_send(actor: Actor) -> QuerySet[Offer]:
    """The live ones that go by code, which a campaign can bring to people, the latest first;
    those that another module keeps are not."""
    holds = Q(valid_until=None) | Q(valid_until__gte=today())
    live = offers_for_actor(actor).filter(holds, is_active=True, is_automatic=False)
    return live.exclude(pk__in=owned_offers())


def depth(offer: Offer) -> Decimal:
    """The most of a bill that the offer gives, in per cent; 100 where nothing bounds it."""
    return _depth(terms_of(offer))


def _depth(terms: OfferTerms) -> Decimal:
    if terms.kind is Kind.PERCENTAGE:
        return Decimal(terms.rate_bp) / 100
    if terms.kind is Kind.SPEND_TIERS:
        shares = [
            Decimal(tier.rate_bp) / 100
            if tier.rate_bp
            else _share_of(tier.amount, max(tier.threshold, terms.thresholds.min_amount or 0))
            for tier in terms.tiers
        ]
        return max(shares, default=Decimal(0))
    if terms.kind is Kind.BUY_X_GET_Y and terms.buy_get is not None and terms.buy_get.buy_quantity:
        deal = terms.buy_get
        # The reduced units are the cheaper ones, unless the dearest are chosen.
        got = Decimal(deal.get_quantity) / (deal.get_quantity + deal.buy_quantity)
        return got * deal.rate_bp / 100 if deal.get is None else Decimal(deal.rate_bp) / 100
    given = terms.amount if terms.kind is Kind.FLAT else terms.caps.bill
    return _share_of(given, terms.thresholds.min_amount or 0)


def _share_of(given: int | None, bill: int) -> Decimal:
    return min(WHOLE, given * WHOLE / bill) if given is not None and bill else WHOLE


def _usual_bill() -> int:
    """Paise of a usual bill: the mean of the chain's latest."""
    latest = Purchase.objects.filter(status=Purchase.Status.FINALISED).order_by("-pk")
    ids = latest.values("pk")[:LATEST_BILLS]
    mean = Purchase.objects.filter(pk__in=ids).aggregate(mean=Avg("total"))["mean"]
    return int((mean or Decimal(0)) * 100)


@dataclass(frozen=True)
class OfferOutlook:
    """What an approver is told of the offer. Money in rupees.

    `per_person` is what it gives on a usual bill (`usual_bill`), `at_most` that for everybody who
    gets the message, within the offer's own limits. None where there are no bills to tell by and
    the offer has no bound.
    """

    offer: Offer
    unique_codes: bool
    gives: str
    depth: Decimal
    usual_bill: Decimal
    per_person: Decimal | None
    at_most: Decimal | None
    budget: Decimal | None


def offer_outlook(campaign: Campaign, people: int) -> OfferOutlook | None:
    """What the campaign's offer gives if `people` get it and each uses it once."""
    offer = campaign.coupon
    if offer is None:
        return None
    terms, bill = terms_of(offer), _usual_bill()
    bill = max(bill, terms.thresholds.min_amount or 0)
    share = _depth(terms)
    bounds = [int(bill * share / 100)] if bill else []
    bounds += [terms.amount] if terms.kind is Kind.FLAT else []
    bounds += [terms.caps.bill] if terms.caps.bill is not None else []
    per_person = min(bounds, default=None)
    uses = people if offer.max_total_uses is None else min(people, offer.max_total_uses)
    in_all = [] if per_person is None else [per_person * uses]
    in_all += [offer.budget] if offer.budget is not None else []
    at_most = min(in_all, default=None)
    return OfferOutlook(
        offer=offer,
        unique_codes=campaign.unique_codes,
        gives=_gives(terms),
        depth=share.quantize(Decimal("0.01")),
        usual_bill=_rupees(bill),
        per_person=None if per_person is None else _rupees(per_person),
        at_most=None if at_most is None else _rupees(at_most),
        budget=None if offer.budget is None else _rupees(offer.budget),
    )


def _rupees(paise: int) -> Decimal:
    return Decimal(paise) / 100


def _gives(terms: OfferTerms) -> str:
    """What the offer gives, in a few words."""
    words = headline(terms, names_of([terms]))
    least = terms.thresholds.min_amount
    if not least:
        return words
    return _("%(words)s from a bill of %(amount)s") % {"words": words, "amount": rupees(least)}


def advice(campaign: Campaign, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """What may be a slip: code and sentence. `names` are the fields of its messages."""
    offer = campaign.coupon
    if offer is None:
        return
    if COUPON_CODE not in names and not offer.is_automatic:
        yield "offer_without_code", _("The message does not say the code of the offer.")
    places = terms_of(offer).places
    wanted = {str(pk) for pk in campaign.branch_ids or ()}
    elsewhere = places.branches and (not wanted or not wanted <= places.branches)
    if elsewhere or wanted & places.excluded_branches:
        text = _("“%(name)s” does not hold in every branch of the campaign.")
        yield "offer_elsewhere", text % {"name": offer.name}
