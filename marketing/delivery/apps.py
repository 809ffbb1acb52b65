from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    name = "marketing.delivery"
    label = "delivery"

    def ready(self) -> None:
        from marketing.delivery import handlers, registrations  # noqa: F401  handlers subscribe

        registrations.register()
