from django.apps import AppConfig
from django.utils.translation import gettext_noop


class DeliveryConfig(AppConfig):
    name = "marketing.delivery"
    label = "delivery"

    def ready(self) -> None:
        from marketing.core.context import NAVIGATION
        from marketing.delivery import (
            handlers,  # noqa: F401  subscribes
            registrations,
        )

        registrations.register()
        NAVIGATION.append((gettext_noop("Operations"), "operations", "activity", "operations.view"))
        NAVIGATION.append(
            (gettext_noop("Failed messages"), "failure-list", "message-off", "campaign.send")
        )
