from django.apps import AppConfig
from django.utils.translation import gettext_noop


class ContentConfig(AppConfig):
    name = "marketing.content"
    label = "content"

    def ready(self) -> None:
        from marketing.content.customer_fields import register_customer_fields
        from marketing.core.context import NAVIGATION

        register_customer_fields()
        NAVIGATION.append((gettext_noop("Templates"), "template-list", "template", "template.view"))
