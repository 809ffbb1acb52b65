from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "marketing.core"
    label = "core"
    verbose_name = "Organisation"

    def ready(self) -> None:
        from marketing.core import checks, news, openapi  # noqa: F401  they register themselves
        from marketing.core.wording import DELEGATION_NAMED

        news.register("delegation.named", DELEGATION_NAMED)
