"""The form over what a chain calls new, loyal or lost, and late."""

from django.utils.translation import gettext_lazy as _

from customers.models import ScoringConfig
from marketing.policy.forms.settings import SettingsForm


class ScoresForm(SettingsForm):
    class Meta:
        model = ScoringConfig
        fields = (
            "new_days",
            "active_visits",
            "active_days",
            "engaged_visits",
            "engaged_days",
            "at_risk_days",
            "churned_days",
            "reactivated_days",
            "overdue_factor",
            "rfm_mode",
            "recency_limits",
            "frequency_limits",
            "monetary_limits",
        )
        labels = {
            "new_days": _("New: first visit within (days)"),
            "active_visits": _("Active: at least this many visits"),
            "active_days": _("Active: within (days)"),
            "engaged_visits": _("Engaged: at least this many visits"),
            "engaged_days": _("Engaged: within (days)"),
            "at_risk_days": _("At risk: no visit for (days)"),
            "churned_days": _("Churned: no visit for (days)"),
            "reactivated_days": _("Reactivated: came back within (days)"),
            "overdue_factor": _("Overdue after this many of the own intervals"),
            "rfm_mode": _("Score by"),
            "recency_limits": _("Days since the last visit, from best to worst"),
            "frequency_limits": _("Visits in a year"),
            "monetary_limits": _("Spend in a year"),
        }
        help_texts = {
            "active_days": _(
                "Who fits several stages is in the first of: reactivated, churned, at risk, "
                "engaged, active, new."
            ),
            "overdue_factor": _(
                "1.5 of somebody who comes every 30 days means overdue after 45. It takes three "
                "visits to know an interval."
            ),
            "rfm_mode": _(
                "Fifths are parted again every night, from everybody who came within a year; the "
                "limits below then wait."
            ),
            "recency_limits": _("Four limits between the five scores, with commas between them."),
        }
