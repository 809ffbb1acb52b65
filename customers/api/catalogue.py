"""The billing system's services and categories over HTTP."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from customers import services
from customers.api import serializers as shapes
from marketing.core.drf.views import ApiView


class ServiceCategories(ApiView):
    permissions = {"PUT": "catalogue.change"}

    @extend_schema(
        operation_id="putServiceCategories",
        request=shapes.CategoriesInput,
        responses=shapes.CategoriesResult,
    )
    def put(self, request: Request) -> Response:
        """Make or change up to 1,000 categories by external id; others stay as they are."""
        rows = self.read(shapes.CategoriesInput)["categories"]
        categories = services.put_categories(actor=self.actor, rows=rows)
        return Response({"categories": shapes.CategoryOutput(categories, many=True).data})


class Services(ApiView):
    permissions = {"PUT": "catalogue.change"}

    @extend_schema(
        operation_id="putServices", request=shapes.ServicesInput, responses=shapes.ServicesResult
    )
    def put(self, request: Request) -> Response:
        """Make or change up to 1,000 services by external id; others stay as they are."""
        rows = self.read(shapes.ServicesInput)["services"]
        made = services.put_services(actor=self.actor, rows=rows)
        return Response({"services": shapes.ServiceOutput(made, many=True).data})
