"""The fourth step: the offer that goes with the message, if any, and how its code is given."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as now_said
from django.utils.translation import gettext_lazy as _

from marketing.campaigns.forms.step import StepForm
from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors import plan
from marketing.campaigns.selectors.offers import offers_to_send, today
from marketing.core.templatetags.formats import format_number
from marketing.coupons.merge_fields import COUPON_CODE
from marketing.coupons.models import Offer
from marketing.coupons.services.offers import MAX_NAME


class OfferForm(StepForm):
    """None, a live offer, or a new one in its simplest form: a share or an amount off."""

    NONE, EXISTING, NEW = "none", "existing", "new"
    OWN, SHARED = "own", "shared"
    PERCENTAGE, FLAT = "percentage", "flat"

    what = forms.ChoiceField(
        label=_("Offer"),
        choices=(
            (NONE, _("No offer")),
            (EXISTING, _("One that you have")),
            (NEW, _("A new one")),
        ),
        widget=forms.RadioSelect,
        initial=NONE,
    )
    offer = forms.ChoiceField(
        label=_("Which offer"),
        required=False,
        widget=forms.Select(attrs={"data-searchable": True}),
    )
    kind = forms.ChoiceField(
        label=_("What it gives"),
        choices=((PERCENTAGE, _("Per cent off the bill")), (FLAT, _("Rupees off the bill"))),
        widget=forms.RadioSelect,
        required=False,
        initial=PERCENTAGE,
    )
    value = forms.DecimalField(
        label=_("How much"),
        required=False,
        min_value=Decimal("0.01"),
        max_digits=9,
        decimal_places=2,
        widget=forms.NumberInput(attrs={"inputmode": "decimal"}),
    )
    valid_until = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("It holds to the end of this day."),
    )
    per_customer = forms.IntegerField(
        label=_("How often each customer may use it"),
        required=False,
        min_value=1,
        max_value=2_000_000_000,
        initial=1,
    )
    name = forms.CharField(
        label=_("What customers read"),
        required=False,
        max_length=MAX_NAME,
        # xgettext:no-python-format
        help_text=_("Left empty, it is what the offer gives, such as “20% off”."),
    )
    codes = forms.ChoiceField(
        label=_("Code"),
        choices=(
            (OWN, _("Each person gets a code of her own")),
            (SHARED, _("One code for everybody")),
        ),
        widget=forms.RadioSelect,
        required=False,
        initial=OWN,
        help_text=_("A code of her own is hers alone, and cannot be passed on."),
    )
    code = forms.CharField(
        label=_("The code"),
        required=False,
        max_length=50,
        help_text=_("Letters and digits, such as DIWALI20."),
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        assert self.campaign is not None
        self.offers: dict[str, Offer] = {str(each.pk): each for each in offers_to_send(self.actor)}
        chosen = self.campaign.coupon
        if chosen is not None:
            self.offers.setdefault(str(chosen.pk), chosen)
        named = [(pk, _name(each)) for pk, each in self.offers.items()]
        self.choices_of("offer").choices = [("", _("Choose…")), *named]
        # Which of them is asked for, the choice above decides.
        for field in ("offer", "kind", "value", "valid_until", "per_customer", "codes", "code"):
            self.fields[field].is_needed_by_choice = True  # type: ignore[attr-defined]
        self.names = plan.fields_of_offer(self.campaign)

    def stored(self, campaign: Campaign) -> dict[str, Any]:
        if campaign.coupon_id is None:
            return {"what": self.NONE}
        return {
            "what": self.EXISTING,
            "offer": str(campaign.coupon_id),
            "codes": self.OWN if campaign.unique_codes else self.SHARED,
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        what = data.get("what")
        if what == self.NONE and self.names and "later" not in self.data:
            self.add_error("what", _("The message names an offer: choose one, or another message."))
        elif what == self.EXISTING:
            self._check_existing(data)
        elif what == self.NEW:
            self._check_new(data)
        return data

    def _check_existing(self, data: dict[str, Any]) -> None:
        offer = self.offers.get(data.get("offer") or "")
        if offer is None:
            if "offer" not in self.errors:
                self.add_error("offer", _("Choose an offer."))
        elif data.get("codes") == self.SHARED and not offer.code and COUPON_CODE in self.names:
            self.add_error(
                "codes",
                _("This offer has no code for everybody: let each person get a code of her own."),
            )

    def _check_new(self, data: dict[str, Any]) -> None:
        for field in ("kind", "value", "valid_until", "codes"):
            if not data.get(field) and field not in self.errors:
                self.add_error(field, _("Fill this in."))
        if data.get("kind") == self.PERCENTAGE and (data.get("value") or 0) > 100:
            self.add_error("value", _("At most 100 per cent."))
        if data.get("valid_until") and data["valid_until"] < today():
            self.add_error("valid_until", _("This day is past; choose a later one."))
        if data.get("codes") == self.SHARED and not data.get("code"):
            self.add_error("code", _("Fill this in."))

    @property
    def unique_codes(self) -> bool:
        data = self.cleaned_data
        return data["what"] != self.NONE and data.get("codes") != self.SHARED

    def values(self) -> dict[str, Any]:
        """Of a new offer only how its codes are given: it has to be made first (`new_offer`)."""
        data = self.cleaned_data
        values: dict[str, Any] = {"unique_codes": self.unique_codes}
        if data["what"] != self.NEW:
            chosen = self.offers[data["offer"]].pk if data["what"] == self.EXISTING else None
            values["coupon_id"] = chosen
        return values

    def new_offer(self) -> dict[str, Any] | None:
        """The offer to be made, in the API's fields; None where none is."""
        data = self.cleaned_data
        if data["what"] != self.NEW:
            return None
        body: dict[str, Any] = {
            "name": data["name"] or self._words(),
            "discountType": data["kind"],
            "discountValue": str(data["value"]),
            "validUntil": data["valid_until"].isoformat(),
            "maxUsesPerCustomer": data["per_customer"],
        }
        if data["codes"] == self.SHARED:
            body["code"] = data["code"]
        return body

    def _words(self) -> str:
        value = self.cleaned_data["value"]
        shown = format_number(value, 0 if value == int(value) else 2)
        if self.cleaned_data["kind"] == self.PERCENTAGE:
            return now_said("%(percent)s%% off") % {"percent": shown}
        return now_said("₹%(amount)s off") % {"amount": shown}


def _name(offer: Offer) -> str:
    return f"{offer.name} · {offer.code}" if offer.code else offer.name
