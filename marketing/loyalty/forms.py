import datetime as dt
import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.forms import RefusableForm
from customers.models import Service, ServiceCategory
from marketing.core.errors import SAVE_AGAIN, Conflict, DomainError
from marketing.core.plain_words import PlainWords
from marketing.core.sent_again import OnceMoreForm
from marketing.coupons.models import Offer
from marketing.loyalty import rules, selectors
from marketing.loyalty.models import EarnRate, Kind, LoyaltyProgramme, Tier
from marketing.loyalty.services import setting_names

LABELS = {
    "is_enabled": _("Give points"),
    "points_per_100": _("Points for ₹100"),
    "signup_bonus": _("For joining"),
    "review_bonus": _("For a review"),
    "referral_bonus": _("For bringing a friend"),
    "birthday_bonus": _("For a birthday"),
    "birthday_offer": _("An offer’s code on a birthday"),
    "birthday_offer_days": _("Days on which that code can be used"),
    "min_redeem_points": _("At least so many points on a bill"),
    "max_redeem_points": _("At most so many points on a bill"),
    "max_redeem_percent": _("At most so much of a bill, %"),
    "point_value_paise": _("What a point pays, in paise"),
    "points_as": _("Points on a bill are"),
    "pending_days": _("Days until points can be used"),
    "expiry_months": _("Months until they expire"),
    "expiry_rounding": _("They expire"),
    "negative_policy": _("When a bill is refunded whose points were used"),
    "grace_days": _("Days of grace for points that come back too late"),
    "branch_adjust_limit": _("What a branch manager may correct by hand"),
    "regional_adjust_limit": _("What a regional manager may correct by hand"),
    "tier_basis": _("Tiers count"),
    "tier_window": _("Over"),
    "tier_span": _("Length"),
    "tier_hold_days": _("Days for which a tier is kept"),
    "tier_grace_months": _("Months of grace after them"),
    "tier_grace_to_month_end": _("Grace lasts to the end of the month"),
}
HELP = {
    "signup_bonus": _("Some minutes after she was entered; not for those of an import."),
    "review_bonus": _("When your review tool reports one (review.posted); once a day."),
    "referral_bonus": _("Besides the reward that is set under Referrals."),
    "birthday_bonus": _("On the day, once a year."),
    "birthday_offer": _("On the day, once a year: a code of her own, for her alone."),
    "birthday_offer_days": _("The birthday is the first of them."),
    "points_per_100": _("Of what is paid without tax, after discounts. Rounded down on each bill."),
    "max_redeem_points": _("Empty: no limit."),
    "points_as": _("Ask your accountant: as a discount, points lessen the taxable value."),
    "expiry_months": _("Empty: never."),
    "tier_hold_days": _("For moving windows; in calendar periods a tier lasts to their end."),
}
GROUPS = (
    (
        _("Earning"),
        (
            *("is_enabled", "points_per_100", "pending_days", "expiry_months"),
            *("expiry_rounding", "signup_bonus", "review_bonus", "referral_bonus"),
            *("birthday_bonus", "birthday_offer", "birthday_offer_days"),
        ),
    ),
    (
        _("Using"),
        (
            *("point_value_paise", "points_as", "min_redeem_points", "max_redeem_points"),
            "max_redeem_percent",
        ),
    ),
    (
        _("Refunds and corrections"),
        ("negative_policy", "grace_days", "branch_adjust_limit", "regional_adjust_limit"),
    ),
    (
        _("How tiers are reached and kept"),
        (
            *("tier_basis", "tier_window", "tier_span", "tier_hold_days"),
            *("tier_grace_months", "tier_grace_to_month_end"),
        ),
    ),
)


class ProgrammeForm(PlainWords, forms.ModelForm):
    """The whole programme; what stands is judged by the service."""

    class Meta:
        model = LoyaltyProgramme
        fields = [name for name in setting_names() if name != "birthday_offer"]
        labels = LABELS
        help_texts = HELP
        # Sentences: a closed list would cut them off.
        widgets = {"negative_policy": forms.RadioSelect}

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        kept = self.instance.birthday_offer_id
        chosen = Q(pk__in=selectors.offers_for_birthdays().values("pk")) | Q(pk=kept)
        self.fields["birthday_offer"] = forms.ModelChoiceField(
            Offer.objects.filter(chosen).order_by("-id"),
            label=LABELS["birthday_offer"],
            help_text=HELP["birthday_offer"],
            required=False,
            empty_label=_("None"),
            initial=kept,
            widget=forms.Select(attrs={"data-searchable": True}),
        )

    @property
    def groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        return [(title, [self[name] for name in names]) for title, names in GROUPS]

    def refuse(self, error: DomainError) -> None:
        for name, faults in error.fields.items():
            for fault in faults:
                self.add_error(name if name in self.fields else None, fault)
        if type(error) is Conflict:
            self.add_error(None, f"{error.message} {SAVE_AGAIN}")
        elif not error.fields:
            self.add_error(None, error.message)


class TierForm(RefusableForm):
    """A tier, with its threshold as the programme counts: in rupees or in points."""

    seen = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)
    name = forms.CharField(label=_("Name"), max_length=50)
    level = forms.IntegerField(
        label=_("Level"), min_value=1, max_value=99, help_text=_("1 is the lowest.")
    )
    threshold = forms.DecimalField(
        min_value=0, max_digits=12, decimal_places=2, label=_("From so much on")
    )
    multiplier = forms.DecimalField(
        label=_("Points are multiplied by"), min_value=0, max_value=10, decimal_places=2
    )
    benefits = forms.CharField(
        label=_("Benefits"),
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, tier: Tier | None, by_spend: bool, **more: Any) -> None:
        self.unit, self.tier = 100 if by_spend else 1, tier
        if tier:
            more["initial"] = {
                "name": tier.name,
                "level": tier.level,
                "threshold": Decimal(tier.threshold) / self.unit,
                "multiplier": Decimal(tier.multiplier) / rules.ONCE,
                "benefits": tier.benefits,
                "seen": tier.mark,
            }
        super().__init__(*args, **more)
        if by_spend:
            self.fields["threshold"].label = _("From ₹ spent on")
        else:
            # Half a point would be dropped unsaid.
            self.fields["threshold"] = forms.IntegerField(
                label=_("From points on"), min_value=0, max_value=rules.MAX_POINTS
            )

    def outdate(self, tiers: Iterable[Tier]) -> None:
        """Sent once more, the form replaces what somebody else made of the tier."""
        now = next((each.mark for each in tiers if self.tier and each.pk == self.tier.pk), "")
        self.data = {**self.data.dict(), "seen": now}  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """As the service takes them: paise or points, and basis points."""
        data = dict(self.cleaned_data)
        data["threshold"] = int(data["threshold"] * self.unit)
        data["multiplier"] = int(data["multiplier"] * rules.ONCE)
        return data


class RatesForm(RefusableForm):
    """A rate for each category and service that has one of its own; empty: the programme's.

    Services stand in rows of their own, some of them empty, so that one with a rate can be added.
    """

    EMPTY_ROWS = 2

    def __init__(
        self,
        *args: Any,
        categories: Iterable[ServiceCategory],
        services: Iterable[Service],
        kept: Iterable[EarnRate],
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        rates = {each.category_id or each.service_id: each.points_per_100 for each in kept}
        self.categories = {str(each.pk): each for each in categories}
        self.services = {str(each.pk): each for each in services}
        for key, category in self.categories.items():
            self.fields[key] = _rate(category.name, rates.get(category.pk))
        own = [(key, rates[each.pk]) for key, each in self.services.items() if each.pk in rates]
        places = max(len(own), sum(1 for name in self.data if name.startswith("service_")))
        self.places = range(places + (0 if self.is_bound else self.EMPTY_ROWS))
        for place, (key, rate) in enumerate([*own, *[("", None)] * len(self.places)]):
            if place in self.places:
                self.fields[f"service_{place}"] = forms.ChoiceField(
                    label=_("Service"),
                    required=False,
                    initial=key,
                    choices=[("", "–"), *((pk, each.name) for pk, each in self.services.items())],
                )
                self.fields[f"rate_{place}"] = _rate(_("Points for ₹100"), rate)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        seen: set[str] = set()
        for place in self.places:
            service, rate = data.get(f"service_{place}"), data.get(f"rate_{place}")
            if rate is not None and not service:
                self.add_error(f"service_{place}", _("Say which service has this rate."))
            if service and rate is not None and service in seen:
                self.add_error(f"service_{place}", _("This service has a rate above."))
            seen |= {service} if service else set()
        return data

    @property
    def of_categories(self) -> list[forms.BoundField]:
        return [self[key] for key in self.categories]

    @property
    def of_services(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[f"service_{place}"], self[f"rate_{place}"]) for place in self.places]

    def rates(self) -> dict[ServiceCategory, Decimal | None]:
        return {each: self.cleaned_data[key] for key, each in self.categories.items()}

    def service_rates(self) -> list[tuple[Service, Decimal]]:
        """Those that say both; a service without a rate has none of its own."""
        data = self.cleaned_data
        return [
            (self.services[data[f"service_{place}"]], data[f"rate_{place}"])
            for place in self.places
            if data[f"service_{place}"] and data[f"rate_{place}"] is not None
        ]


def _rate(label: Any, initial: Decimal | None) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=False,
        min_value=0,
        max_digits=8,
        decimal_places=2,
        initial=initial,
    )


class AdjustForm(RefusableForm, OnceMoreForm):
    """Points given or taken by hand."""

    points = forms.IntegerField(
        label=_("Points"), help_text=_("Below zero to take points, as in -50.")
    )
    reason = forms.CharField(label=_("Why"), max_length=200)


class LedgerFilter(forms.Form):
    """What the ledger page shows."""

    kind = forms.ChoiceField(
        label=_("What"), required=False, choices=[("", _("Everything")), *Kind.choices]
    )
    since = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    until = forms.DateField(
        label=_("To"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    branch = forms.UUIDField(required=False)
    after = forms.UUIDField(required=False)
    q = forms.CharField(required=False, max_length=100)


class ExpiringFilter(forms.Form):
    """What the page of points that expire shows; `after` is the last row seen, day and customer."""

    DAYS = (7, 30, 90)

    days = forms.TypedChoiceField(
        choices=[(each, each) for each in DAYS], coerce=int, required=False, empty_value=None
    )
    branch = forms.UUIDField(required=False)
    after = forms.CharField(required=False, max_length=60)

    def clean_after(self) -> tuple[dt.date, uuid.UUID] | None:
        day, _space, customer_id = self.cleaned_data["after"].partition(" ")
        try:
            seen = dt.date.fromisoformat(day), uuid.UUID(customer_id)
        except ValueError:
            return None
        # Around the first and the last year there are moments that no clock has.
        return seen if dt.MINYEAR < seen[0].year < dt.MAXYEAR else None
