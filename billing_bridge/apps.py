from django.apps import AppConfig
from django.utils.translation import gettext_noop


class BillingBridgeConfig(AppConfig):
    name = "billing_bridge"

    def ready(self) -> None:
        from billing_bridge import bill_replays, people
        from billing_bridge.api.events import OPERATION, replay_events
        from billing_bridge.services import register_replay
        from customers import merging, person_data
        from marketing.core.context import AT_HAND, NAVIGATION
        from marketing.core.models import Role

        bill_replays.register()
        person_data.register(
            person_data.Holding("raw_rows", people.export_rows, people.forget_rows)
        )
        merging.leave(
            "billing_bridge.RawPerson", "customer", "what was said then was said of who she was"
        )
        register_replay(OPERATION, replay_events)
        NAVIGATION.append((gettext_noop("Counter"), "counter", "cash", "coupon.redeem"))
        AT_HAND["counter"] = Role.RECEPTIONIST
        NAVIGATION.append((gettext_noop("Incoming"), "received-list", "inbox", "operations.view"))
