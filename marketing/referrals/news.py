"""What managers are told of referrals."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.core.news import Kind

MUCH_BROUGHT = Kind(
    title=gettext_lazy("Code %(code)s brought %(brought)s of %(new)s new customers to %(branch)s"),
    icon="alert-triangle",
    tone="warning",
    address=lambda target_id: reverse("referral-list"),
    more=lambda facts: _("Look whether one person enters it for everybody."),
)
MANY_ENTRIES = Kind(
    title=gettext_lazy("%(by)s entered code %(code)s for %(count)s friends in a day"),
    icon="alert-triangle",
    tone="warning",
    address=lambda target_id: reverse("referral-review"),
    more=lambda facts: (
        _("%(branch)s: these wait for you under Referrals.") % {"branch": facts["branch"]}
        if facts["branch"]
        else _("These wait for you under Referrals.")
    ),
)
