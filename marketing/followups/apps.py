from django.apps import AppConfig
from django.utils.translation import gettext_lazy, gettext_noop


class FollowupsConfig(AppConfig):
    name = "marketing.followups"
    label = "followups"

    def ready(self) -> None:
        from customers import merging, panels, person_data
        from marketing.core.context import NAVIGATION
        from marketing.followups import people

        NAVIGATION.append((gettext_noop("Follow-ups"), "followup-list", "phone", "followup.use"))
        panels.register(
            gettext_lazy("Follow-ups"),
            "followups/_customer.html",
            people.followups_of_customer,
            "followup.use",
        )
        person_data.register(
            person_data.Holding("followups", people.export_followups, people.erase_followups)
        )
        merging.register_rows("followups.FollowupReminder")
