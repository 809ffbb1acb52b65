"""Offers for lists and editors, in Module 11's fields and ours."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Count, F, QuerySet

from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.coupons.models import (
    CodeBatch,
    CouponCode,
    Offer,
    OfferRevision,
    OfferUse,
    Redemption,
)
from marketing.coupons.pricing.canonical import from_plain
from marketing.coupons.pricing.terms import OfferTerms


def offers_for_actor(actor: Actor) -> QuerySet[Offer]:
    """The chain's offers, the latest first; an offer belongs to no branch."""
    del actor
    return Offer.objects.order_by("-id")


def get_offer_for_actor(actor: Actor, pk: uuid.UUID) -> Offer:
    """Raises `NotFound` for another chain's."""
    offer = offers_for_actor(actor).filter(pk=pk).first()
    if offer is None:
        raise NotFound()
    return offer


def shows_codes(actor: Actor, offer: Offer) -> bool:
    """Whether the actor may read the offer's codes: of other branches' offers nobody may."""
    if actor.branch_ids is None:
        return True
    theirs = body_of(offer).get("branchIds") or ()
    return not theirs or not actor.branch_ids.isdisjoint(map(uuid.UUID, theirs))


def get_offer_with_codes(actor: Actor, pk: uuid.UUID) -> Offer:
    """Raises `NotFound` for another chain's, and for one whose codes are not for the actor."""
    offer = get_offer_for_actor(actor, pk)
    if not shows_codes(actor, offer):
        raise NotFound()
    return offer


def terms_of(offer: Offer) -> OfferTerms:
    """The terms it has now."""
    terms: OfferTerms = from_plain(OfferTerms, _revision(offer).terms)
    return terms


def body_of(offer: Offer) -> dict[str, Any]:
    """Its terms in the API's fields, as they were last saved."""
    return dict(_revision(offer).body)


def _revision(offer: Offer) -> OfferRevision:
    return OfferRevision.objects.get(offer=offer, revision=offer.revision)


def uses_of(offers: Iterable[Offer]) -> dict[uuid.UUID, int]:
    """Module 11's `currentUses`: bills that used each offer, live reservations counted where the
    offer has a limit. Two statements.
    """
    ids = [offer.pk for offer in offers]
    redeemed = Redemption.objects.filter(offer__in=ids, counted=True).order_by()
    uses = dict(redeemed.values_list("offer").annotate(n=Count("id")))
    for use in OfferUse.objects.filter(offer__in=ids, branch=None):
        uses[use.offer_id] = use.used + use.reserved
    return {pk: uses.get(pk, 0) for pk in ids}


def coupon_of(offer: Offer) -> dict[str, Any]:
    """`coupons_of` for one."""
    return coupons_of([offer])[0]


def coupons_of(offers: Sequence[Offer]) -> list[dict[str, Any]]:
    """Module 11's Coupon with our fields beside it, as the API spells them. Three statements."""
    uses = uses_of(offers)
    latest = OfferRevision.objects.filter(
        offer__in=[offer.pk for offer in offers], revision=F("offer__revision")
    )
    bodies = dict(latest.values_list("offer_id", "body"))
    return [_coupon(offer, bodies[offer.pk], uses[offer.pk]) for offer in offers]


def _coupon(offer: Offer, body: Mapping[str, Any], uses: int) -> dict[str, Any]:
    own = {
        "id": str(offer.pk),
        "tenantId": str(offer.tenant_id),
        "code": offer.code,
        "name": offer.name,
        "description": offer.description,
        "validFrom": offer.valid_from and offer.valid_from.isoformat(),
        "validUntil": offer.valid_until and offer.valid_until.isoformat(),
        "maxTotalUses": offer.max_total_uses,
        "maxUsesPerCustomer": offer.max_uses_per_customer,
        "currentUses": uses,
        "isActive": offer.is_active,
        "automatic": offer.is_automatic,
        "reusableAfterCancel": offer.reusable_after_cancel,
        "campaignId": offer.campaign_id and str(offer.campaign_id),
        "revision": offer.revision,
        "version": offer.version,
        "createdAt": offer.created_at,
        "updatedAt": offer.updated_at,
        "createdBy": offer.created_by_id and str(offer.created_by_id),
    }
    stacking = body.get("stacking", "item" if body.get("allowStacking") else "none")
    return {"allowStacking": stacking == "item", **body, **own}


def redemptions_of(actor: Actor, offer: Offer) -> QuerySet[Redemption]:
    """The offer's redemptions in the actor's branches, the latest first."""
    rows = Redemption.objects.filter(offer=offer).order_by("-id")
    return rows if actor.branch_ids is None else rows.filter(branch__in=actor.branch_ids)


def batches_of(offer: Offer) -> QuerySet[CodeBatch]:
    """The offer's batches of codes, the latest first."""
    return CodeBatch.objects.filter(offer=offer).order_by("-id")


def get_batch(offer: Offer, pk: uuid.UUID) -> CodeBatch:
    """Raises `NotFound` for another offer's."""
    batch = batches_of(offer).filter(pk=pk).first()
    if batch is None:
        raise NotFound()
    return batch


def codes_of(offer: Offer) -> QuerySet[CouponCode]:
    """The offer's codes, the latest first."""
    return CouponCode.objects.filter(offer=offer).select_related("batch").order_by("-id")


def get_code(offer: Offer, pk: uuid.UUID) -> CouponCode:
    """Raises `NotFound` for another offer's."""
    code = codes_of(offer).filter(pk=pk).first()
    if code is None:
        raise NotFound()
    return code
