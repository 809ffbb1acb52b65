"""Forms of the settings' pages. They check and label; the services change."""

from marketing.policy.forms.access import SCOPE_LABELS, KeyForm, StaffForm
from marketing.policy.forms.accounts import AccountForm, RateCardForm
from marketing.policy.forms.scores import ScoresForm
from marketing.policy.forms.settings import (
    ApprovalForm,
    BranchBudgetForm,
    BudgetForm,
    HoursForm,
    LinksForm,
    SettingsForm,
    SwitchesForm,
)

__all__ = [
    "SCOPE_LABELS",
    "AccountForm",
    "ApprovalForm",
    "BranchBudgetForm",
    "BudgetForm",
    "HoursForm",
    "KeyForm",
    "LinksForm",
    "RateCardForm",
    "ScoresForm",
    "SettingsForm",
    "StaffForm",
    "SwitchesForm",
]
