from django.apps import AppConfig


class ContentConfig(AppConfig):
    name = "marketing.content"
    label = "content"

    def ready(self) -> None:
        from marketing.content.customer_fields import register_customer_fields

        register_customer_fields()
