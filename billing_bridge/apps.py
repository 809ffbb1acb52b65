from django.apps import AppConfig


class BillingBridgeConfig(AppConfig):
    name = "billing_bridge"

    def ready(self) -> None:
        from billing_bridge import people, replays
        from customers import merging, person_data

        replays.register()
        person_data.register(
            person_data.Holding("raw_rows", people.export_rows, people.forget_rows)
        )
        merging.leave(
            "billing_bridge.RawPerson", "customer", "what was said then was said of who she was"
        )
