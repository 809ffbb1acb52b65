"""Customers over HTTP."""

import uuid
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from customers import selectors, services, timeline
from customers.api import serializers as shapes
from customers.models import ContactPoint, Customer
from customers.rules import normalize_phone
from marketing.core.drf.views import ApiView
from marketing.core.errors import ValidationFailed
from marketing.core.models import Branch
from marketing.core.tenancy import current_tenant

LIMITS = frozenset(map(str, range(1, 201)))


class CustomerApiView(ApiView):
    """What the views of customers share."""

    def customer(self, pk: uuid.UUID) -> Customer:
        return selectors.get_customer_for_actor(self.actor, pk)

    @property
    def shown(self) -> dict[str, Any]:
        """What the serializer needs to know beside the customer."""
        return {"currency": current_tenant().currency}

    def answer(self, customer: Customer, status: int = 200) -> Response:
        read = self.customer(customer.pk)
        shown = shapes.CustomerOutput(read, context=self.shown).data
        return Response({"customer": shown}, status=status, headers={"ETag": f'"{read.version}"'})

    def values(self, data: dict[str, Any]) -> dict[str, Any]:
        """The body as the service takes it."""
        if "home_branch_id" in data:
            branch_id = data.pop("home_branch_id")
            branch = Branch.objects.filter(pk=branch_id).first()
            if branch_id and branch is None:
                raise ValidationFailed(fields={"homeBranchId": ["There is no such branch."]})
            data["home_branch"] = branch
        return data


class Customers(CustomerApiView):
    permissions = {"GET": "customer.view", "POST": "customer.change"}
    orderings = {"id": "id", "createdAt": "id"}

    @extend_schema(
        operation_id="listCustomers",
        parameters=[
            OpenApiParameter("q", str, description="Any part of the name or the phone."),
            OpenApiParameter("phone", str, description="The whole phone, chain-wide."),
            OpenApiParameter("cursor", str),
            OpenApiParameter("limit", int),
        ],
        responses=shapes.CustomerOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        """With `q` or `phone` a look-up of the whole chain; else the caller's branches."""
        customers = self._asked_for()
        return self.page(
            customers.select_related("facts"), shapes.CustomerOutput, context=self.shown
        )

    @extend_schema(
        operation_id="createCustomer",
        request=shapes.CustomerInput,
        responses={201: shapes.CustomerResult},
    )
    def post(self, request: Request) -> Response:
        data = self.read(shapes.CustomerInput)
        source = data.pop("source", "api" if self.actor.api_key else "staff")

        def create() -> Response:
            customer = services.create_customer(
                actor=self.actor, values=self.values(data), source=source
            )
            return self.answer(customer, status=201)

        return self.once("create", create)

    def _asked_for(self) -> Any:
        query, phone = (self.request.query_params.get(name, "") for name in ("q", "phone"))
        if phone:
            try:
                value = normalize_phone(phone, current_tenant().country)
            except ValueError as error:
                raise ValidationFailed(fields={"phone": [str(error)]}) from error
            return selectors.customers_with_address(ContactPoint.Kind.PHONE, value)
        if query:
            return selectors.search_customers(self.actor, query)
        return selectors.branch_customers(self.actor)


class CustomerDetail(CustomerApiView):
    permissions = {"GET": "customer.view", "PATCH": "customer.change"}

    @extend_schema(operation_id="getCustomer", responses=shapes.CustomerResult)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        return self.answer(self.customer(pk))

    @extend_schema(
        operation_id="updateCustomer",
        request=shapes.CustomerPatch,
        responses=shapes.CustomerResult,
        parameters=[OpenApiParameter("If-Match", str, OpenApiParameter.HEADER)],
    )
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Change what is named; `attributes` are merged by key, null takes one away."""
        customer = self.customer(pk)
        data = self.read(shapes.CustomerPatch)
        version = self.expected_version(data)
        services.update_customer(
            actor=self.actor, customer=customer, values=self.values(data), version=version
        )
        return self.answer(customer)


class CustomerTimeline(CustomerApiView):
    permissions = {"GET": "customer.view"}

    @extend_schema(
        operation_id="getCustomerTimeline",
        parameters=[OpenApiParameter("cursor", str), OpenApiParameter("limit", int)],
        responses=shapes.TimelineResult,
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Everything between the chain and the customer, newest first."""
        limit = request.query_params.get("limit", "50")
        if limit not in LIMITS:
            raise ValidationFailed(fields={"limit": ["A number from 1 to 200."]})
        page = timeline.read_page(
            actor=self.actor,
            customer=self.customer(pk),
            cursor=request.query_params.get("cursor", ""),
            limit=int(limit),
        )
        events = shapes.TimelineEvent(page.entries, many=True).data
        return Response(
            {
                "data": {"customerId": str(pk), "events": events},
                "page": {"next": page.next or None, "prev": None, "size": len(page.entries)},
            },
            headers={"X-Enveloped": "page"},
        )
