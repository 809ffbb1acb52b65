from django.apps import AppConfig
from django.utils.translation import gettext_noop


class PolicyConfig(AppConfig):
    name = "marketing.policy"
    label = "policy"
    verbose_name = "Settings"

    def ready(self) -> None:
        from customers import consent_defaults, merging
        from marketing.core.context import NAVIGATION
        from marketing.policy import diagnosis, selectors  # noqa: F401  registers its check

        consent_defaults.register(selectors.assumed_consent)
        merging.register_single_rows("policy.HoldoutMember")
        NAVIGATION.append((gettext_noop("Settings"), "settings", "settings", "config.view"))
