from django.apps import AppConfig
from django.utils.translation import gettext_lazy, gettext_noop


class LoyaltyConfig(AppConfig):
    name = "marketing.loyalty"
    label = "loyalty"

    def ready(self) -> None:
        from customers import columns, copied, merging, panels, person_data, timeline
        from marketing.core import news
        from marketing.core.context import NAVIGATION
        from marketing.coupons import quote_effects
        from marketing.loyalty import (
            checks,  # noqa: F401  registers
            handlers,  # noqa: F401  registers
            people,
            selectors,
            services,
        )
        from marketing.loyalty.bill_points import TIER, PointsEffect
        from marketing.loyalty.merge_fields import register_merge_fields
        from marketing.loyalty.news import DIFFERENCE
        from marketing.loyalty.segment_fields import (
            COPIED,
            OF_ACCOUNT,
            register_segment_fields,
        )

        quote_effects.register(PointsEffect())
        quote_effects.register_tier(TIER)
        quote_effects.register_tier_names(selectors.tier_names)
        register_segment_fields()
        copied.register(COPIED, OF_ACCOUNT)
        register_merge_fields()
        news.register(services.DIFFERS, DIFFERENCE)
        NAVIGATION.append((gettext_noop("Points"), "points-ledger", "gift", "loyalty.ledger"))
        panels.register(
            gettext_lazy("Points"),
            "loyalty/_customer.html",
            people.points_of_customer,
            "loyalty.view",
        )
        columns.register(gettext_lazy("Points"), selectors.points_of, "loyalty.view")
        timeline.register_source("points", people.points_timeline)
        person_data.register(
            person_data.Holding("points", people.export_points, services.erase_points)
        )
        merging.register(
            merging.Holding("loyalty.PointsAccount", services.merge_points, services.restore_points)
        )
        for model, why in (
            ("PointsLot", "moved with the account, by loyalty"),
            ("PointsHold", "moved with the account, by loyalty"),
            ("PointsTransaction", "what was posted stays; it is read through who was merged"),
            ("PointsEntry", "what was posted stays; the merge is posted itself"),
            ("BalanceSnapshot", "what was so on that day"),
            ("TierChange", "what was so on that day"),
        ):
            merging.leave(f"loyalty.{model}", "customer", why)
