from django.apps import AppConfig
from django.utils.translation import gettext_lazy, gettext_noop


class CouponsConfig(AppConfig):
    name = "marketing.coupons"
    label = "coupons"

    def ready(self) -> None:
        from customers import (
            columns,
            copied,
            discounts,
            merging,
            panels,
            person_data,
            timeline,
        )
        from marketing.core import news
        from marketing.core.context import NAVIGATION
        from marketing.coupons import given, held, people
        from marketing.coupons.merge_fields import register_merge_fields
        from marketing.coupons.news import WRONG_CODES
        from marketing.coupons.segment_fields import register_segment_fields
        from marketing.coupons.services import wrong_codes

        NAVIGATION.append((gettext_noop("Offers"), "offer-list", "ticket", "coupon.view"))
        news.register(wrong_codes.NEWS, WRONG_CODES)
        discounts.register(given.GIVEN)
        copied.register(["offers_used"], given.USED)
        copied.register(["codes_held"], held.HELD)
        register_merge_fields()
        register_segment_fields()
        panels.register(
            gettext_lazy("Offers"),
            "coupons/_customer.html",
            people.coupons_of_customer,
            "coupon.view",
        )
        columns.register(gettext_lazy("Codes"), people.open_codes_of, "coupon.view")
        timeline.register_source("codes", people.codes_timeline)
        timeline.register_source("offers", people.uses_timeline)
        person_data.register(
            person_data.Holding("coupons", people.export_coupons, people.erase_coupons)
        )
        for holding in people.HOLDINGS:
            merging.register(holding)
        merging.register_rows("coupons.Reservation")
        merging.leave(
            "coupons.CustomerUse", "customer", "counted again from the redemptions and holds"
        )
