"""The editor of an offer: one form whose fields are those of its kind, read as the API's body."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from customers.forms import RefusableForm
from marketing.core.errors import DomainError
from marketing.coupons.forms.amounts import amount_faults
from marketing.coupons.forms.body import body_of_form
from marketing.coupons.forms.choices import Choice, Choices
from marketing.coupons.forms.kept import kept_values
from marketing.coupons.forms.kinds import FIELDS, VALUE_LABELS
from marketing.coupons.forms.paths import field_at
from marketing.coupons.forms.rows import (
    count_field,
    date_input,
    row_fields,
    rows_in,
    rupees_field,
    time_input,
)
from marketing.coupons.models import Offer
from marketing.coupons.models.offers import OfferKind, UsePeriod
from marketing.coupons.owners import owner_of

SCOPES = {
    "bill": _("Once over the whole bill"),
    "line": _("Line by line"),
    "unit": _("For each service"),
}
# Sections below the first, with their fields: shown folded while nothing is in them.
SECTIONS: dict[str, tuple[str, ...]] = {
    "what": (
        *("services", "categories", "excluded_services", "excluded_categories"),
        *("skip_discounted", "skip_addons"),
    ),
    "whom": ("segments", "excluded_segments", "visit", "tiers"),
    "where": ("branches", "excluded_branches"),
    "when": ("valid_from", "from_time", "valid_until", "until_time"),
    "least": ("min_amount", "max_amount", "measure", "basis", "min_quantity"),
    "limits": (
        *("max_total", "max_customer", "max_period", "use_period", "max_branch", "budget"),
        *("budget_policy", "max_discount", "max_line", "floor_price", "reusable"),
    ),
    "beside": ("stacking", "tags", "combines_with", "priority"),
}

# Without them there is no such offer, or they stand at a choice always: no "optional" beside them.
NEEDED = frozenset(
    (
        *("value", "code", "scope", "free_units", "buy_quantity", "get_quantity", "get_percent"),
        *("pick", "tier_unit", "tier_0_from", "tier_0_give", "part_0_services"),
        *("measure", "basis", "use_period", "budget_policy", "stacking"),
    )
)


def _many(label: Any, **more: Any) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label,
        required=False,
        widget=forms.SelectMultiple(attrs={"data-searchable": True}),
        **more,
    )


def _one(label: Any, choices: Iterable[tuple[Any, Any]], **more: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=choices, **more)


def _words(label: Any, **more: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"data-chips": True}),
        **more,
    )


class OfferForm(RefusableForm):
    """All that an offer can say; `kind` decides which of the fields are there.

    With `data` it is judged, with `initial` only shown. What the API can say beyond it
    (companions a bill must have, counting by day) is left as it stands.
    """

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    kind = forms.ChoiceField(label=_("Kind of offer"), choices=OfferKind.choices)
    name = forms.CharField(label=_("Name"), max_length=100)
    description = forms.CharField(
        label=_("Description"),
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    opening = forms.ChoiceField(
        label=_("How customers get it"),
        choices=[
            ("automatic", _("By itself, on every bill that it is for")),
            ("typed", _("With a code that everybody may type")),
            ("made", _("With codes of their own, made later")),
        ],
        widget=forms.RadioSelect,
        initial="automatic",
    )
    code = forms.CharField(
        label=_("Code"),
        required=False,
        max_length=50,
        help_text=_("3 to 50 letters and digits, as in DIWALI20."),
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "autocomplete": "off"}),
    )
    value = rupees_field(_("Value"))
    scope = _one(_("It is reckoned"), [], initial="bill")
    free_units = count_field(_("How many are free"), initial=1)
    buy_quantity = count_field(_("Buy so many"), least=0)
    buy_amount = rupees_field(_("or for so much, ₹"))
    get_quantity = count_field(_("Get so many"), initial=1)
    get_percent = rupees_field(_("at so many per cent off"), initial=100)
    get_services = _many(_("Which services are got"), help_text=_("Empty: the same."))
    get_categories = _many(_("or which categories"))
    get_any = forms.BooleanField(label=_("Any service can be got"), required=False)
    get_excluded_services = _many(_("Never got are these services"))
    get_excluded_categories = _many(_("nor these categories"))
    pick = _one(
        _("Reduced are"),
        [("cheapest", _("the cheapest")), ("dearest", _("the dearest"))],
        initial="cheapest",
    )
    max_groups = count_field(_("At most so many times a bill"))
    tier_unit = _one(
        _("Tiers give"),
        [("amount", _("rupees off")), ("percent", _("per cent off"))],
        initial="amount",
    )
    services = _many(_("Services"))
    categories = _many(_("Categories"))
    excluded_services = _many(_("But not these services"))
    excluded_categories = _many(_("But not these categories"))
    skip_discounted = forms.BooleanField(label=_("Not on what is reduced already"), required=False)
    skip_addons = forms.BooleanField(label=_("Not on add-ons"), required=False)
    segments = _many(_("Customers in any of these segments"))
    excluded_segments = _many(_("but in none of these"))
    visit = count_field(_("Only on this visit"), help_text=_("1 is the first."))
    tiers = _many(_("Tiers of the points programme"))
    branches = _many(_("Branches"))
    excluded_branches = _many(_("But not in these branches"))
    valid_from = forms.DateField(label=_("First day"), required=False, widget=date_input())
    from_time = forms.TimeField(label=_("from"), required=False, widget=time_input())
    valid_until = forms.DateField(label=_("Last day"), required=False, widget=date_input())
    until_time = forms.TimeField(label=_("until"), required=False, widget=time_input())
    min_amount = rupees_field(_("At least, ₹"))
    max_amount = rupees_field(_("At most, ₹"))
    measure = _one(
        _("Counted is"),
        [("bill", _("the whole bill")), ("eligible", _("what the offer is for"))],
        initial="bill",
    )
    basis = _one(
        _("At"),
        [("list", _("list prices")), ("running", _("what other offers leave"))],
        initial="list",
    )
    min_quantity = count_field(_("At least so many of its services"))
    max_total = count_field(_("Times in all"))
    max_customer = count_field(_("Times for each customer"))
    max_period = count_field(_("Times for each customer and period"))
    use_period = _one(_("Period"), UsePeriod.choices, initial=UsePeriod.MONTH)
    max_branch = count_field(_("Times in each branch"))
    budget = rupees_field(_("Budget of discount, ₹"), max_digits=12)
    budget_policy = _one(
        _("A last bill that needs more than is left of it"),
        [("reject", _("gets nothing")), ("partial", _("gets the rest"))],
        initial="reject",
    )
    max_discount = rupees_field(_("Most it gives on a bill, ₹"))
    max_line = rupees_field(_("Most it gives on a line, ₹"))
    floor_price = rupees_field(_("No service is sold below, ₹"))
    reusable = forms.BooleanField(
        label=_("A bill that is refunded gives the use back"), required=False, initial=True
    )
    stacking = forms.ChoiceField(
        label=_("With other offers"),
        required=False,
        choices=[
            ("none", _("Alone: no other offer on the bill")),
            ("invoice", _("Beside others on the bill, but each line has one")),
            ("item", _("Beside others, also on the same line")),
        ],
        widget=forms.RadioSelect,
        initial="none",
    )
    tags = _words(_("Its tags"), help_text=_("Words by which other offers can name it."))
    combines_with = _words(
        _("Only beside offers with one of these tags"), help_text=_("Empty: beside any.")
    )
    priority = forms.IntegerField(
        label=_("Priority"),
        required=False,
        min_value=-1_000,
        max_value=1_000,
        initial=0,
        help_text=_("Of two that save the same, the higher one is taken."),
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        choices: Choices,
        offer: Offer | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.offer = offer
        self.owner = owner_of(offer.pk) if offer else None
        kept = kept_values(offer) if offer and self.owner else {}
        self.initial.update(kept)
        given: Mapping[str, Any] = data if data is not None else self.initial
        self.of_kind = str(kept.get("kind") or given.get("kind") or OfferKind.PERCENTAGE)
        if self.of_kind not in OfferKind.values:
            self.of_kind = OfferKind.PERCENTAGE.value
        self._fill_choices(choices)
        self._add_rows(given, choices)
        self._keep_fields_of_kind()
        for name in kept.keys() & self.fields.keys():
            self.fields[name].disabled = True

    def _fill_choices(self, choices: Choices) -> None:
        known = {
            "services": choices.services,
            "categories": choices.categories,
            "branches": choices.branches,
            "segments": choices.segments,
            "tiers": choices.tiers,
        }
        for name, field in self.fields.items():
            if isinstance(field, forms.MultipleChoiceField):
                field.choices = self._with_chosen(name, known[name.rsplit("_", 1)[-1]])

    def _with_chosen(self, name: str, known: list[Choice]) -> list[Choice]:
        """What the offer names already stays a choice, also where it is gone since."""
        ids = {pk for pk, _name in known}
        chosen = self.initial.get(name) or ()
        return [*known, *((str(pk), str(pk)) for pk in chosen if str(pk) not in ids)]

    def _add_rows(self, given: Mapping[str, Any], choices: Choices) -> None:
        self.rows = rows_in(given)
        for kind, count in self.rows.items():
            for place in range(count):
                chosen = {
                    f"part_{place}_services": _many(_("Any of these services")),
                    f"part_{place}_categories": _many(_("or categories")),
                    f"part_{place}_excluded_services": _many(_("But not these services")),
                    f"part_{place}_excluded_categories": _many(_("But not these categories")),
                }
                for name, field in chosen.items():
                    of = choices.services if name.endswith("services") else choices.categories
                    field.choices = self._with_chosen(name, of)
                self.fields |= row_fields(kind, place, chosen)

    def _keep_fields_of_kind(self) -> None:
        wanted = set(FIELDS[self.of_kind])
        for name in {name for names in FIELDS.values() for name in names} - wanted:
            del self.fields[name]
        for kind, prefix in ((OfferKind.SPEND_TIERS, "tier_"), (OfferKind.BUNDLE, "part_")):
            if self.of_kind != kind:
                for name in [name for name in self.fields if name.startswith(prefix)]:
                    del self.fields[name]
        for name in NEEDED & self.fields.keys():
            self.fields[name].is_needed_by_choice = True  # type: ignore[attr-defined]
        if "value" in wanted:
            self.fields["value"].label = str(VALUE_LABELS[self.of_kind])
        if "scope" in wanted:
            has_units = self.of_kind == OfferKind.FLAT
            self.fields["scope"].choices = [  # type: ignore[attr-defined]
                pair for pair in SCOPES.items() if has_units or pair[0] != "unit"
            ]
        if self.of_kind == OfferKind.BUNDLE:
            for name in ("services", "categories", "excluded_services", "excluded_categories"):
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("opening") == "typed" and not data.get("code") and "code" not in self.errors:
            self.add_error("code", _("Give the code that customers type."))
        for name, fault in amount_faults(self.of_kind, data, self.fields):
            if name not in self.errors:
                self.add_error(name, fault)
        for time, day in (("from_time", "valid_from"), ("until_time", "valid_until")):
            if data.get(time) and not data.get(day) and day not in self.errors:
                self.add_error(day, _("Give the day as well."))
        for place in range(self.rows["hours"]):
            first, last = f"hours_{place}_from", f"hours_{place}_until"
            if (data.get(first) is None) != (data.get(last) is None):
                missing = last if data.get(last) is None else first
                self.add_error(missing, _("Give both hours, or none for the whole day."))
        for place in range(self.rows["off"]):
            if data.get(f"off_{place}_until") and not data.get(f"off_{place}_from"):
                self.add_error(f"off_{place}_from", _("Give the first day as well."))
        return data

    def values(self) -> dict[str, Any]:
        """The API's body: every field that this form shows, None where nothing is said."""
        return body_of_form(self.of_kind, self.cleaned_data, self.rows)

    def refuse(self, error: DomainError) -> None:
        """As the base does, at this form's fields."""
        shown = False
        for path, faults in error.fields.items():
            name = self.field_of(path)
            for fault in faults:
                self.add_error(name, fault)
                shown = True
        if not shown:
            self.add_error(None, error.message)

    def field_of(self, path: str) -> str | None:
        """The field at which a fault of the API's `path` is shown, if there is one."""
        name = field_at(path, self.cleaned_data, self.rows)
        return name if name in self.fields else None

    @classmethod
    def typed(cls, data: QueryDict, *, choices: Choices, offer: Offer | None) -> "OfferForm":
        """What was typed, shown again without judging it: nothing was saved yet."""
        judged = cls(data, choices=choices, offer=offer)
        initial: dict[str, Any] = {
            name: data.getlist(name)
            if isinstance(field, forms.MultipleChoiceField)
            else field.widget.value_from_datadict(data, {}, name)
            for name, field in judged.fields.items()
        }
        return cls(choices=choices, offer=offer, initial=initial | {"kind": judged.of_kind})

    def row_groups(self) -> dict[str, list[list[forms.BoundField]]]:
        """The rows of each kind that the form has, as fields side by side."""
        groups: dict[str, list[list[forms.BoundField]]] = {}
        for kind, count in self.rows.items():
            rows = [
                [self[name] for name in self.fields if name.startswith(f"{kind}_{place}_")]
                for place in range(count)
            ]
            groups[kind] = [row for row in rows if row]
        return groups

    def opened(self) -> set[str]:
        """Sections in which something is filled in or at fault."""
        found = set()
        for section, names in SECTIONS.items():
            rows = [
                name for name in self.fields if section == "when" and name[:3] in ("hou", "off")
            ]
            for name in (*names, *rows):
                if name in self.fields and self._says_something(name):
                    found.add(section)
        return found

    def _says_something(self, name: str) -> bool:
        if self.is_bound and name in self.errors:
            return True
        value = self[name].value()
        default = self.fields[name].initial
        return value not in (None, "", [], False, default) and str(value) != str(default)
