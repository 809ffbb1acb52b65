"""The message step's inputs for what the chosen templates leave open."""

import uuid
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketing.campaigns.models import Campaign
from marketing.content.forms import language_name
from marketing.content.selectors import current_versions
from marketing.content.slots import DATE, LINK, NUMBER, Slot, required_in, slots_of
from marketing.core.tenancy import current_tenant

# As the contract names them: what a service says of one shows at it.
PREFIX = "slotValues"


class SlotFields:
    """Inputs `slotValues.offer.hi` or `slotValues.until` of a form, one for all channels.

    They are made for the templates that are chosen in it. What they cannot do without is asked
    for by `missing`, so that a draft may still be kept without.
    """

    def __init__(self, form: forms.Form, campaign: Campaign, template_ids: Iterable[Any]) -> None:
        self.form = form
        self._required: dict[str, bool] = {}
        versions = current_versions(list(_ids(template_ids)))
        order = current_tenant().languages
        for version in versions.values():
            languages = sorted(
                version.contents, key=lambda code: order.index(code) if code in order else 99
            )
            for slot in slots_of(version):
                for language in languages if slot.is_per_language else [""]:
                    needed = {
                        name for code in languages if language in ("", code)
                        for name in required_in(version, code)
                    }  # fmt: skip
                    self._add(slot, language, slot.placeholder in needed, campaign, len(order) > 1)

    def _add(
        self, slot: Slot, language: str, is_required: bool, campaign: Campaign, names_it: bool
    ) -> None:
        name = ".".join(filter(None, (PREFIX, slot.name, language)))
        self._required[name] = is_required or self._required.get(name, False)
        known = self.form.fields.get(name)
        longest = min(slot.max_length, getattr(known, "max_length", None) or slot.max_length)
        label = slot.label
        if language and names_it:
            label = f"{slot.label} ({language_name(language)})"
        self.form.fields[name] = _field(slot, label, language, longest)
        # Its own check says it better than the browser's mark on an input that a draft may lack.
        self.form.fields[name].is_needed_by_choice = True  # type: ignore[attr-defined]
        given = campaign.slot_values.get(slot.name, "")
        if isinstance(given, dict):
            given = given.get(language, "")
        self.form.initial.setdefault(name, given)

    @property
    def bound(self) -> list[forms.BoundField]:
        return [self.form[name] for name in self._required]

    def missing(self) -> list[str]:
        """The inputs that were left empty and may not be."""
        return [
            name
            for name, is_required in self._required.items()
            if is_required and name not in self.form.errors and not self._typed(name)
        ]

    def values(self) -> dict[str, Any]:
        """What was entered, as the campaign keeps it."""
        given: dict[str, Any] = {}
        for name in self._required:
            _prefix, slot, *language = name.split(".")
            if not (text := self._typed(name)):
                continue
            if language:
                given.setdefault(slot, {})[language[0]] = text
            else:
                given[slot] = text
        return given

    def _typed(self, name: str) -> str:
        value = self.form.cleaned_data.get(name)
        return "" if value is None else str(value)


def _ids(values: Iterable[Any]) -> Iterable[uuid.UUID]:
    for value in values:
        try:
            yield uuid.UUID(str(value))
        except ValueError:
            continue


def _field(slot: Slot, label: str, language: str, longest: int) -> forms.Field:
    example = _("For example: %(example)s") % {"example": slot.example}
    room = ngettext("At most %(count)d character.", "At most %(count)d characters.", longest) % {
        "count": longest
    }
    options: dict[str, Any] = {"label": label, "required": False, "help_text": example}
    if slot.kind == DATE:
        return forms.DateField(
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **options
        )
    attrs: dict[str, Any] = {"autocomplete": "off"}
    if slot.kind == NUMBER:
        attrs["inputmode"] = "decimal"
    elif slot.kind == LINK:
        attrs |= {"inputmode": "url", "placeholder": "https://"}
    else:
        attrs |= {"lang": language, "dir": "auto"}
        options["help_text"] = f"{example}. {room}"
    return forms.CharField(max_length=longest, widget=forms.TextInput(attrs=attrs), **options)
