from django import forms
from django.utils.translation import gettext_lazy as _

from marketing.coupons.models.offers import OfferKind
from marketing.coupons.selectors.listing import OfferState


class OfferFilter(forms.Form):
    """What the list of offers shows; what is no choice shows everything."""

    q = forms.CharField(required=False, max_length=100)
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("Every state")), *OfferState.choices]
    )
    kind = forms.ChoiceField(
        label=_("Kind"), required=False, choices=[("", _("Every kind")), *OfferKind.choices]
    )
    opening = forms.ChoiceField(
        label=_("How customers get it"),
        required=False,
        choices=[
            ("", _("Code or not")),
            ("code", _("With a code")),
            ("automatic", _("By itself")),
        ],
    )
    branch = forms.UUIDField(required=False)

    @property
    def choosers(self) -> list[forms.BoundField]:
        """The fields that are chosen from a list."""
        return [self["state"], self["kind"], self["opening"]]
