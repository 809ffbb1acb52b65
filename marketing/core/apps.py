from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "marketing.core"
    label = "core"
    verbose_name = "Organisation"

    def ready(self) -> None:
        from marketing.core import checks, openapi  # noqa: F401  they register themselves
