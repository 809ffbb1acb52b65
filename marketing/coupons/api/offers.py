"""Offers of every kind, and the codes made for them."""

import uuid
from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from marketing.core.drf.pages import Pages
from marketing.core.drf.views import ApiView
from marketing.core.tenancy import current_tenant
from marketing.coupons import selectors, services
from marketing.coupons.api.coupons import FILTERS
from marketing.coupons.api.filters import CodeFilter, OfferFilter, filtered
from marketing.coupons.api.offer_inputs import OfferInput, OfferPatch, wire_body
from marketing.coupons.api.serializers import (
    BatchAnswer,
    BatchOutput,
    CodesInput,
    CouponCodeOutput,
    OfferAnswer,
    OfferOutput,
)
from marketing.coupons.api.shown import as_shown
from marketing.coupons.models import CodeBatch, Offer


def offer_shown(offer: Mapping[str, Any]) -> dict[str, Any]:
    """An offer as it travels."""
    return as_shown(offer) | {"currency": current_tenant().currency}


class OfferView(ApiView):
    """What the views of offers share."""

    def offer(self, pk: uuid.UUID) -> Offer:
        return selectors.get_offer_for_actor(self.actor, pk)

    def answer(self, offer: Offer, status: int = 200) -> Response:
        return Response({"offer": offer_shown(selectors.coupon_of(offer))}, status=status)

    def answer_batch(self, batch: CodeBatch, status: int = 200) -> Response:
        return Response({"batch": BatchOutput(batch).data}, status=status)


class Offers(OfferView):
    permissions = {"GET": "coupon.view", "POST": "coupon.manage"}

    @extend_schema(
        operation_id="listOffers",
        responses=OfferOutput(many=True),
        parameters=[
            *FILTERS,
            OpenApiParameter("automatic", bool),
            OpenApiParameter("discountType", str),
        ],
    )
    def get(self, request: Any) -> Response:
        """The chain's offers, coupons among them, the latest first."""
        pages = Pages()
        offers = selectors.offers_for_actor(self.actor)
        found = filtered(OfferFilter, request.query_params, offers)
        rows: Any = pages.paginate_queryset(found, request, self)
        return pages.get_paginated_response(
            [offer_shown(each) for each in selectors.coupons_of(rows)]
        )

    @extend_schema(operation_id="createOffer", request=OfferInput, responses={201: OfferAnswer})
    def post(self, request: Any) -> Response:
        """Make an offer. A branch manager's is for her branches, whatever is left out."""
        return self.once("create", self._create)

    def _create(self) -> Response:
        body = wire_body(self.read(OfferInput))
        selectors.require_named(body)
        return self.answer(services.create_offer(actor=self.actor, body=body), status=201)


class OneOffer(OfferView):
    permissions = {"GET": "coupon.view", "PATCH": "coupon.manage"}

    @extend_schema(operation_id="getOffer", responses=OfferAnswer)
    def get(self, request: Any, pk: uuid.UUID) -> Response:
        return self.answer(self.offer(pk))

    @extend_schema(operation_id="updateOffer", request=OfferPatch, responses=OfferAnswer)
    def patch(self, request: Any, pk: uuid.UUID) -> Response:
        """Change what is named, null takes back to the default; a stale `version` answers 409."""
        offer = self.offer(pk)
        data = self.read(OfferPatch, partial=True)
        version = self.expected_version(data)
        body = wire_body(data)
        selectors.require_named(body)
        changed = services.update_offer(actor=self.actor, offer=offer, values=body, version=version)
        return self.answer(changed)


class OfferCodes(OfferView):
    # Whoever has a code may use it, so only who may make them sees them all.
    permissions = {"GET": "coupon.manage", "POST": "coupon.manage"}

    @extend_schema(
        operation_id="listOfferCodes",
        responses=CouponCodeOutput(many=True),
        parameters=[
            OpenApiParameter("batchId", uuid.UUID),
            OpenApiParameter("customerId", uuid.UUID),
            OpenApiParameter("code", str, description="The whole code, however typed."),
            OpenApiParameter("state", str, enum=["live", "used", "over", "revoked"]),
        ],
    )
    def get(self, request: Any, pk: uuid.UUID) -> Response:
        """The offer's codes, the latest first."""
        found = selectors.codes_of(selectors.get_offer_with_codes(self.actor, pk))
        return self.page(filtered(CodeFilter, request.query_params, found), CouponCodeOutput)

    @extend_schema(operation_id="makeOfferCodes", request=CodesInput, responses={202: BatchAnswer})
    def post(self, request: Any, pk: uuid.UUID) -> Response:
        """Make up to a million codes of one pattern, in the background; see the batch."""
        offer = self.offer(pk)
        return self.once("codes", lambda: self._make(offer))

    def _make(self, offer: Offer) -> Response:
        batch = services.make_codes(actor=self.actor, offer=offer, **self.read(CodesInput))
        batch.refresh_from_db()
        return self.answer_batch(batch, status=202)


class OfferCode(OfferView):
    permissions = {"DELETE": "coupon.manage"}

    @extend_schema(operation_id="revokeOfferCode", responses={204: None})
    def delete(self, request: Any, pk: uuid.UUID, code: uuid.UUID) -> Response:
        """Let one code open nothing any more; what is reserved with it stays promised."""
        found = selectors.get_code(self.offer(pk), code)
        services.revoke_codes(actor=self.actor, code_ids=[found.pk])
        return Response(status=204)


class OfferBatches(OfferView):
    permissions = {"GET": "coupon.view"}

    @extend_schema(operation_id="listOfferBatches", responses=BatchOutput(many=True))
    def get(self, request: Any, pk: uuid.UUID) -> Response:
        """The offer's batches of codes, the latest first."""
        return self.page(selectors.batches_of(self.offer(pk)), BatchOutput)


class OfferBatch(OfferView):
    permissions = {"GET": "coupon.view", "DELETE": "coupon.manage"}

    @extend_schema(operation_id="getOfferBatch", responses=BatchAnswer)
    def get(self, request: Any, pk: uuid.UUID, batch: uuid.UUID) -> Response:
        """How far the making is."""
        return self.answer_batch(selectors.get_batch(self.offer(pk), batch))

    @extend_schema(operation_id="revokeOfferBatch", responses={200: BatchAnswer})
    def delete(self, request: Any, pk: uuid.UUID, batch: uuid.UUID) -> Response:
        """Let none of its codes open anything any more, nor make the rest."""
        found = selectors.get_batch(self.offer(pk), batch)
        services.revoke_codes(actor=self.actor, batch=found)
        return self.answer_batch(found)
