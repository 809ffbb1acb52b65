from django.apps import AppConfig
from django.utils.translation import gettext_lazy, gettext_noop


class ReferralsConfig(AppConfig):
    name = "marketing.referrals"
    label = "referrals"

    def ready(self) -> None:
        from customers import merging, panels, person_data
        from marketing.content import usage
        from marketing.core import news
        from marketing.core.context import NAVIGATION
        from marketing.coupons import owners, quote_effects
        from marketing.referrals import (
            handlers,  # noqa: F401  registers
            people,
        )
        from marketing.referrals.merge_fields import register_merge_fields
        from marketing.referrals.news import MANY_ENTRIES, MUCH_BROUGHT
        from marketing.referrals.quote_effect import ReferralEffect
        from marketing.referrals.segment_fields import register_segment_fields
        from marketing.referrals.services import COLLUSION, ENTRIES, own_offers

        quote_effects.register(ReferralEffect())
        owners.register(
            owners.Owner(
                offers=own_offers,
                shown=gettext_lazy(
                    "This offer belongs to the referral programme: what it gives, to whom, and"
                    " whether it holds is set there."
                ),
                refused=gettext_lazy(
                    "The referral programme keeps this: change it under Referrals, Settings."
                ),
                no_codes=gettext_lazy(
                    "The referral programme alone opens this offer: nobody else makes codes for it."
                ),
                page="referral-settings",
                page_name=gettext_lazy("Referrals, Settings"),
                permission="referral.config",
            )
        )
        register_segment_fields()
        register_merge_fields()
        news.register(COLLUSION, MUCH_BROUGHT)
        news.register(ENTRIES, MANY_ENTRIES)
        usage.register(people.uses_of_template)
        NAVIGATION.append(
            (gettext_noop("Referrals"), "referral-list", "users-plus", "referral.view")
        )
        panels.register(
            gettext_lazy("Referrals"),
            "referrals/_customer.html",
            people.referrals_of_customer,
            "referral.view",
        )
        person_data.register(
            person_data.Holding("referrals", people.export_referrals, people.erase_referrals)
        )
        merging.register_rows("referrals.Referral", "referrer")
        merging.register(people.FRIENDS)
        merging.register_single_rows("referrals.SeenToken", "digest")
        merging.register_rows("referrals.ReferralNotice")
        merging.register_single_rows("referrals.ReferralCode")
