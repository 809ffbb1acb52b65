from django.apps import AppConfig
from django.utils.translation import gettext_noop


class CampaignsConfig(AppConfig):
    name = "marketing.campaigns"
    label = "campaigns"

    def ready(self) -> None:
        from marketing.campaigns import handlers, news, usage  # noqa: F401  handlers subscribe
        from marketing.content import usage as content_usage
        from marketing.core import news as core_news
        from marketing.core.context import NAVIGATION
        from marketing.segments import behaviours
        from marketing.segments import usage as segment_usage

        behaviours.add_filter("message", usage.CAMPAIGN_OF_MESSAGE)
        for name, kind in news.KINDS.items():
            core_news.register(name, kind)
        segment_usage.register(usage.uses_of_segment)
        content_usage.register(usage.uses_of_template)
        NAVIGATION[:0] = [
            (gettext_noop("Home"), "home", "home", "campaign.view"),
            (gettext_noop("Campaigns"), "campaign-list", "speakerphone", "campaign.view"),
            (gettext_noop("Approvals"), "approval-inbox", "clipboard-check", "campaign.approve"),
        ]
        NAVIGATION.append((gettext_noop("Spend"), "spend", "wallet", "analytics.view"))
