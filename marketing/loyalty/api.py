"""Points over HTTP: what a customer has, and whose expire soon."""

import uuid
from functools import partial
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from customers.selectors import get_customer_for_actor, get_customer_id_for_actor
from marketing.core.drf.pages import Rows
from marketing.core.drf.serializers import ApiSerializer
from marketing.core.drf.views import ApiView
from marketing.core.tenancy import current_tenant
from marketing.loyalty import selectors
from marketing.loyalty.models import Kind, LoyaltyProgramme, PointsTransaction


class TierOutput(ApiSerializer):
    id = serializers.UUIDField(source="tier_id")
    name = serializers.CharField(source="tier")
    until = serializers.DateTimeField(source="tier_until", allow_null=True)
    benefits = serializers.CharField()


class ExpiringOutput(ApiSerializer):
    points = serializers.IntegerField()
    expires_on = serializers.DateField()


class ExpiringFilter(ApiSerializer):
    """Chains let points last ten years at most."""

    days = serializers.IntegerField(min_value=0, max_value=3_660, default=30)


class CustomerExpiringOutput(ExpiringOutput):
    """`points` in all, of which the first expire with the day `expiresOn`."""

    customer_id = serializers.UUIDField()


class PointsOutput(ApiSerializer):
    """`points` may be below zero; `available` is what may be used, `value` what that pays."""

    customer_id = serializers.UUIDField()
    enabled = serializers.BooleanField()
    points = serializers.IntegerField()
    available = serializers.IntegerField()
    pending = serializers.IntegerField()
    held = serializers.IntegerField()
    value = serializers.DecimalField(max_digits=14, decimal_places=2)
    currency = serializers.CharField()
    min_redeem = serializers.IntegerField()
    points_as = serializers.ChoiceField(LoyaltyProgramme.PointsAs.choices)
    tier = TierOutput(allow_null=True)
    expiring = ExpiringOutput(many=True)


class PointsAnswer(ApiSerializer):
    points = PointsOutput()


class PointsEntryOutput(ApiSerializer):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(Kind.choices)
    points = serializers.IntegerField()
    at = serializers.DateTimeField()
    source_type = serializers.CharField()
    source_id = serializers.SerializerMethodField("get_source_id")
    branch_id = serializers.UUIDField(allow_null=True)
    reason = serializers.CharField()

    def get_source_id(self, row: PointsTransaction) -> str:
        """Of a bill its number, as the branch in `branchId` knows it."""
        return row.bill or row.source_id


class CustomerPoints(ApiView):
    permissions = {"GET": "loyalty.view"}

    @extend_schema(operation_id="getCustomerPoints", responses=PointsAnswer)
    def get(self, request: Any, pk: uuid.UUID) -> Response:
        """What she has now, what it pays, and what of it expires when."""
        customer_id = get_customer_id_for_actor(self.actor, pk)
        found = selectors.balance(customer_id)
        programme = selectors.programme()
        paise = found.available * programme.point_value_paise
        shown = {
            "customer_id": customer_id,
            "enabled": programme.is_enabled,
            "points": found.points,
            "available": found.available,
            "pending": found.pending,
            "held": found.held,
            "value": selectors.rupees(paise),
            "currency": current_tenant().currency,
            "min_redeem": programme.min_redeem_points,
            "points_as": programme.points_as,
            "tier": found if found.tier_id else None,
            "expiring": list(selectors.expiring_lots(customer_id)),
        }
        return Response({"points": PointsOutput(shown).data})


class CustomerPointsEntries(ApiView):
    permissions = {"GET": "loyalty.view"}

    @extend_schema(operation_id="listCustomerPointsEntries", responses=PointsEntryOutput(many=True))
    def get(self, request: Any, pk: uuid.UUID) -> Response:
        """All that moved her points, newest first."""
        customer = get_customer_for_actor(self.actor, pk)
        return self.page(selectors.entries_of(customer), PointsEntryOutput)


class ExpiringPoints(ApiView):
    permissions = {"GET": "loyalty.ledger"}
    orderings = {"customerId": "id"}
    default_ordering = "id"

    @extend_schema(
        operation_id="listExpiringPoints",
        parameters=[ExpiringFilter],
        responses=CustomerExpiringOutput(many=True),
    )
    def get(self, request: Any) -> Response:
        """Customers of one's branches whose points expire from today to so many days on."""
        given = request.query_params
        form = ExpiringFilter(data={"days": given["days"]} if "days" in given else {})
        form.is_valid(raise_exception=True)
        rows = selectors.find_expiring_points(
            form.validated_data["days"], branch_ids=self.actor.branch_ids
        )
        return self.page(
            Rows(partial(selectors.expiring_by_customer, rows)), CustomerExpiringOutput
        )
