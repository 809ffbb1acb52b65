"""What a campaign's offer brought: codes issued, used, and what the bills came to."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, F, Q, Sum

from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors.progress import Figures
from marketing.coupons.models import CodeBatch, CouponCode, Redemption, Reservation


@dataclass(frozen=True)
class OfferFigures:
    """Uses that were not given back. Money in rupees: `revenue` is what their bills came to,
    `discount` what the offer took off them.

    Of an offer with one code for everybody `code` is that, and uses count from the first run on.
    """

    code: str | None
    issued: int
    redeemed: int
    revenue: Decimal
    discount: Decimal
    rate: Decimal | None


def offer_figures(campaign: Campaign, figures: Figures) -> OfferFigures | None:
    """None for a campaign without an offer. Four statements."""
    offer = campaign.coupon
    if offer is None:
        return None
    uses = Redemption.objects.filter(~Q(state=Redemption.State.REVERSED), offer=offer)
    issued = 0
    if campaign.unique_codes:
        batches = list(CodeBatch.objects.filter(offer=offer, campaign_id=campaign.pk))
        issued = sum(batch.made for batch in batches)
        uses = uses.filter(code__in=CouponCode.objects.filter(batch__in=batches).values("pk"))
    elif figures.started_at is None:
        uses = uses.none()
    else:
        uses = uses.filter(redeemed_at__gte=figures.started_at)
    found = uses.aggregate(redeemed=Count("pk"), given=Sum(F("amount") - F("returned")))
    bills = Reservation.objects.filter(pk__in=uses.values("reservation"))
    revenue = bills.aggregate(paid=Sum("payable"))["paid"] or 0
    redeemed, reached = found["redeemed"], issued or figures.sent
    return OfferFigures(
        code=None if campaign.unique_codes else offer.code or None,
        issued=issued,
        redeemed=redeemed,
        revenue=Decimal(revenue) / 100,
        discount=Decimal(found["given"] or 0) / 100,
        rate=(Decimal(redeemed) / reached).quantize(Decimal("0.0001")) if reached else None,
    )
