"""Consent and opting out over HTTP."""

import uuid

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers import links, selectors, services
from customers.api import serializers as shapes
from customers.models import ConsentRecord, ConsentState, Customer
from marketing.core.drf.authentication import HasPermission
from marketing.core.drf.views import ApiView
from marketing.core.errors import NotFound, ValidationFailed
from marketing.core.tenancy import tenant_scope

HISTORY = 100
EVIDENCE = ("reason", "wording_version", "ip_address")


class CustomerConsent(ApiView):
    permissions = {"GET": "consent.view", "PATCH": "consent.update"}

    @extend_schema(operation_id="getCustomerConsent", responses=shapes.ConsentResult)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        return self._answer(selectors.get_customer_for_actor(self.actor, pk))

    @extend_schema(
        operation_id="updateCustomerConsent",
        request=shapes.ConsentPatch,
        responses=shapes.ConsentResult,
    )
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Write down what the customer said; what already stands is not written again."""
        customer = selectors.get_customer_for_actor(self.actor, pk)
        data = self.read(shapes.ConsentPatch)
        evidence = {name: data.pop(name) for name in EVIDENCE if name in data}
        source = data.pop("source", "api" if self.actor.api_key else "staff")
        services.record_consent(
            actor=self.actor, customer=customer, changes=data, source=source, **evidence
        )
        return self._answer(selectors.get_customer_for_actor(self.actor, pk))

    def _answer(self, customer: Customer) -> Response:
        history: QuerySet[ConsentRecord] = customer.consent_records.order_by("-id")[:HISTORY]
        state = getattr(customer, "consent", None) or ConsentState(customer=customer)
        return Response(
            {
                "consent": shapes.ConsentOutput(state).data,
                "history": shapes.ConsentLine(history, many=True).data,
            }
        )


class SignedTokenOrPermission(BasePermission):
    """A signed token speaks for itself; every other way of naming a person needs a caller."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        data = request.data
        if request.auth is None and isinstance(data, dict) and data.get("token"):
            return True
        return HasPermission().has_permission(request, view)


class OptOut(ApiView):
    permissions = {"POST": "customer.opt_out"}
    permission_classes = [SignedTokenOrPermission]

    @extend_schema(operation_id="optOut", request=shapes.OptOutInput, responses=shapes.OptOutResult)
    def post(self, request: Request) -> Response:
        """Stop marketing to a person. The answer never tells whether we know them."""
        data = self.read(shapes.OptOutInput)
        source = data["source"]
        if token := data.get("token"):
            self._by_link(token)
        elif customer_id := data.get("customer_id"):
            try:
                customer = selectors.get_customer_for_actor(self.actor, customer_id)
            except NotFound:
                pass
            else:
                services.opt_out(actor=self.actor, customer=customer, source=source)
        else:
            kind = "phone" if "phone" in data else "email"
            services.opt_out_address(actor=self.actor, kind=kind, value=data[kind], source=source)
        return Response({"accepted": True})

    def _by_link(self, token: str) -> None:
        try:
            link = links.read_unsubscribe_token(token)
        except ValueError as error:
            raise ValidationFailed(fields={"token": ["This is not a token of ours."]}) from error
        with tenant_scope(link.tenant_id):
            services.opt_out_by_link(link=link)
