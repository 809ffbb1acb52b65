from django.apps import AppConfig
from django.utils.translation import gettext_noop


class CustomersConfig(AppConfig):
    name = "customers"

    def ready(self) -> None:
        # Celery looks for tasks in the app's own module only.
        import customers.imports.tasks  # noqa: F401
        from customers import merged_tables, timeline_sources
        from marketing.core.context import NAVIGATION

        NAVIGATION.append((gettext_noop("Customers"), "customer-list", "users", "customer.view"))
        timeline_sources.register()
        merged_tables.register()
