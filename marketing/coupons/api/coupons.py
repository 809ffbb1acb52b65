"""Module 11's coupons: offers of its three kinds that go by a code."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from marketing.core.drf.pages import Pages
from marketing.core.drf.views import ApiView
from marketing.core.errors import NotFound
from marketing.core.tenancy import current_tenant
from marketing.coupons import selectors, services
from marketing.coupons.api.filters import OfferFilter, RedemptionFilter, filtered
from marketing.coupons.api.offer_inputs import (
    COUPON_KINDS,
    CouponInput,
    CouponPatch,
    wire_body,
)
from marketing.coupons.api.serializers import (
    CouponAnswer,
    CouponOutput,
    RedemptionOutput,
    ValidateAnswer,
    ValidateInput,
)
from marketing.coupons.api.shown import as_shown
from marketing.coupons.models import Offer
from marketing.coupons.pricing.bill import CartLine
from marketing.coupons.pricing.wire import paise, rupees
from marketing.coupons.pricing.wire_reasons import reason_on_wire
from marketing.coupons.services.bills import require_branch

COUPON = tuple(CouponOutput().get_fields())
FILTERS = [
    OpenApiParameter("isActive", bool),
    OpenApiParameter("branchId", uuid.UUID, description="Holds in this branch."),
    OpenApiParameter("validOn", str, description="YYYY-MM-DD, a day within its dates."),
    OpenApiParameter("campaignId", uuid.UUID),
    OpenApiParameter("code", str, description="Any code that opens it, however typed."),
    OpenApiParameter("q", str, description="Part of the name or the code."),
]


def coupon_shown(offer: Mapping[str, Any]) -> dict[str, Any]:
    """Of what is kept of an offer, Module 11's fields."""
    whole = as_shown(offer) | {"currency": current_tenant().currency}
    return {name: whole.get(name) for name in COUPON}


class CouponView(ApiView):
    """What the views of coupons share."""

    @property
    def coupons(self) -> QuerySet[Offer]:
        found = selectors.offers_for_actor(self.actor)
        return found.filter(is_automatic=False, kind__in=COUPON_KINDS)

    def coupon(self, pk: uuid.UUID) -> Offer:
        found = self.coupons.filter(pk=pk).first()
        if found is None:
            raise NotFound()
        return found

    def answer(self, offer: Offer, status: int = 200) -> Response:
        return Response({"coupon": coupon_shown(selectors.coupon_of(offer))}, status=status)


class Coupons(CouponView):
    permissions = {"GET": "coupon.view", "POST": "coupon.manage"}

    @extend_schema(
        operation_id="listCoupons", responses=CouponOutput(many=True), parameters=FILTERS
    )
    def get(self, request: Any) -> Response:
        """The chain's coupons, the latest first."""
        pages = Pages()
        found = filtered(OfferFilter, request.query_params, self.coupons)
        rows: Any = pages.paginate_queryset(found, request, self)
        return pages.get_paginated_response(
            [coupon_shown(each) for each in selectors.coupons_of(rows)]
        )

    @extend_schema(operation_id="createCoupon", request=CouponInput, responses={201: CouponAnswer})
    def post(self, request: Any) -> Response:
        """Make a coupon. A branch manager's is for her branches, whatever is left out."""
        return self.once("create", self._create)

    def _create(self) -> Response:
        body = wire_body(self.read(CouponInput))
        selectors.require_named(body)
        return self.answer(services.create_coupon(actor=self.actor, body=body), status=201)


class OneCoupon(CouponView):
    permissions = {"GET": "coupon.view", "PATCH": "coupon.manage", "DELETE": "coupon.manage"}

    @extend_schema(operation_id="getCoupon", responses=CouponAnswer)
    def get(self, request: Any, pk: uuid.UUID) -> Response:
        return self.answer(self.coupon(pk))

    @extend_schema(operation_id="updateCoupon", request=CouponPatch, responses=CouponAnswer)
    def patch(self, request: Any, pk: uuid.UUID) -> Response:
        """Change what is named, null takes back to the default; a stale `version` answers 409."""
        coupon = self.coupon(pk)
        data = self.read(CouponPatch, partial=True)
        version = self.expected_version(data)
        body = wire_body(data)
        selectors.require_named(body)
        changed = services.update_offer(
            actor=self.actor, offer=coupon, values=body, version=version
        )
        return self.answer(changed)

    @extend_schema(operation_id="deactivateCoupon", responses={200: CouponAnswer})
    def delete(self, request: Any, pk: uuid.UUID) -> Response:
        """Switch it off for new bills. What bills were given stays."""
        coupon = self.coupon(pk)
        version = self.expected_version({})
        return self.answer(
            services.deactivate_offer(actor=self.actor, offer=coupon, version=version)
        )


class CouponRedemptions(CouponView):
    permissions = {"GET": "coupon.view"}

    @extend_schema(
        operation_id="listCouponRedemptions",
        responses=RedemptionOutput(many=True),
        parameters=[
            OpenApiParameter("branchId", uuid.UUID),
            OpenApiParameter("customerId", uuid.UUID),
            OpenApiParameter("state", str),
            OpenApiParameter("redeemedFrom", str, description="RFC 3339, included."),
            OpenApiParameter("redeemedUntil", str, description="RFC 3339, not included."),
        ],
    )
    def get(self, request: Any, pk: uuid.UUID) -> Response:
        """Bills of the caller's branches that it was given on, the latest first."""
        found = selectors.redemptions_of(self.actor, self.coupon(pk)).select_related("code")
        return self.page(filtered(RedemptionFilter, request.query_params, found), RedemptionOutput)


class ValidateCoupon(ApiView):
    permissions = {"POST": "coupon.redeem"}
    failures = {
        "404": "There is no such branch or customer",
        "429": "Too many wrong codes, see Retry-After",
    }

    @extend_schema(operation_id="validateCoupon", request=ValidateInput, responses=ValidateAnswer)
    def post(self, request: Any) -> Response:
        """Whether a code would give something, and how much; 200 whatever the answer.

        `invalidReason` is the first in Module 11's order, `reasons` are all of them. After ten
        wrong codes within a minute the terminal is refused with 429 for the next.
        """
        data = self.read(ValidateInput)
        branch_id = data["branch_id"]
        require_branch(self.actor, branch_id)
        services.require_patience(actor=self.actor, branch_id=branch_id)
        checked = selectors.check_code(
            branch_id=branch_id,
            customer_id=data["customer_id"],
            code=data["code"],
            lines=_lines(data.get("lines") or ()),
            amount=paise(data["order_amount"], "orderAmount"),
            service_ids=data.get("service_ids") or (),
        )
        services.note_codes(actor=self.actor, branch_id=branch_id, codes=[checked.entry])
        validity = checked.validity
        shown: dict[str, Any] = {
            "valid": validity.valid,
            "discountAmount": rupees(validity.discount),
            "currency": current_tenant().currency,
            "invalidReason": validity.invalid_reason and validity.invalid_reason.value,
            "reasons": [reason_on_wire(why) for why in validity.reasons],
        }
        if checked.offer_id is not None:
            offer = selectors.get_offer_for_actor(self.actor, checked.offer_id)
            shown["coupon"] = coupon_shown(selectors.coupon_of(offer))
        return Response(shown)


def _lines(lines: Any) -> list[CartLine]:
    return [
        CartLine(
            number=number,
            service=line["service_id"],
            category=line.get("category_id", ""),
            quantity=line.get("quantity", 1),
            unit_price=paise(line["unit_price"], f"lines.{number - 1}.unitPrice"),
            manual_discount=paise(
                line.get("manual_discount", 0), f"lines.{number - 1}.manualDiscount"
            ),
        )
        for number, line in enumerate(lines, start=1)
    ]
