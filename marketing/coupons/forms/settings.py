"""How bills are priced, in the words of who owns the chain."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketing.core.plain_words import PlainWords
from marketing.coupons.models import CounterSettings


class CounterSettingsForm(PlainWords, forms.ModelForm):
    """The chain's settings; the cap of a bill in rupees. `version` is the one that was shown."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    max_bill_discount = forms.DecimalField(
        label=_("At most so much off one bill, ₹"),
        required=False,
        min_value=Decimal("0.01"),
        max_value=Decimal(10_000_000),
        decimal_places=2,
        help_text=_("Of all offers together. Empty: no limit."),
    )

    class Meta:
        model = CounterSettings
        fields = (
            "choice",
            "max_bill_discount",
            "stack_size",
            "compared",
            "max_codes",
            "tax_rounding",
            "prices_include_tax",
        )
        labels = {
            "choice": _("Which offers a bill gets"),
            "stack_size": _("Automatic offers on one bill, at most"),
            "compared": _("Automatic offers that are compared"),
            "max_codes": _("Codes on one bill, at most"),
            "tax_rounding": _("Tax is rounded"),
            "prices_include_tax": _("Prices typed at the counter have tax in them"),
        }
        help_texts = {
            "compared": _("Those that save most alone. More takes longer at the counter."),
            "tax_rounding": _("Ask your accountant: bills must add up as your billing system's."),
            "prices_include_tax": _("Where a bill begins; it can be changed on each bill."),
        }

    def __init__(self, data: Any = None, *, instance: CounterSettings) -> None:
        most = instance.max_bill_discount
        initial = {
            "max_bill_discount": None if most is None else Decimal(most) / 100,
            "version": instance.version,
        }
        super().__init__(data, instance=instance, initial=initial)

    def clean_max_bill_discount(self) -> int | None:
        rupees = self.cleaned_data["max_bill_discount"]
        return None if rupees is None else int(rupees * 100)

    @property
    def changes(self) -> dict[str, Any]:
        """What of the valid form differs from what is stored."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name != "version"}

    def outdate(self, current: int) -> None:
        """Sent once more, the form replaces what somebody else saved as version `current`."""
        self.data = {**self.data.dict(), "version": str(current)}  # type: ignore[attr-defined]
