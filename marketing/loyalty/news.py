"""What owners are told about the ledger."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.core.news import Kind

DIFFERENCE = Kind(
    title=gettext_lazy("Points of %(differing)s customers do not agree with the ledger"),
    icon="alert-triangle",
    tone="danger",
    address=lambda target_id: reverse("points-ledger"),
    more=lambda facts: _("Tell who runs Parlour: nothing was changed, and it must not be guessed."),
)
