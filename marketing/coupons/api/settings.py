"""How the chain's bills are priced."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from marketing.core.drf.views import ApiView
from marketing.coupons import selectors, services
from marketing.coupons.api.serializers import SettingsAnswer, SettingsPatch
from marketing.coupons.models import CounterSettings
from marketing.coupons.pricing.wire import paise, rupees
from marketing.coupons.selectors.settings import COLUMNS


class CounterSettingsView(ApiView):
    permissions = {"GET": "config.view", "PATCH": "config.change"}

    @extend_schema(operation_id="getCounterSettings", responses=SettingsAnswer)
    def get(self, request: Any) -> Response:
        return self._answer(selectors.counter_settings())

    @extend_schema(
        operation_id="updateCounterSettings", request=SettingsPatch, responses=SettingsAnswer
    )
    def patch(self, request: Any) -> Response:
        """Change what is named, for bills priced from now on; a stale `version` answers 409."""
        data = self.read(SettingsPatch, partial=True)
        version = self.expected_version(data)
        if data.get("max_bill_discount") is not None:
            data["max_bill_discount"] = paise(data["max_bill_discount"], "maxBillDiscount")
        return self._answer(
            services.update_counter_settings(actor=self.actor, values=data, version=version)
        )

    def _answer(self, kept: CounterSettings) -> Response:
        found: dict[str, Any] = {name: getattr(kept, name) for name in COLUMNS}
        most = kept.max_bill_discount
        found |= {"max_bill_discount": most and rupees(most), "version": kept.version}
        return Response(SettingsAnswer({"settings": found}).data)
