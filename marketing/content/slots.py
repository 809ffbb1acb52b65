"""Slots: what a template leaves open for whoever makes a campaign with it to fill in.

A slot `offer` stands in the words as `{{ slot_offer }}`, or with a default, and then it may stay
empty. A text is given for each language, anything else once for all of them. What is filled in is
a value like any other: it is never read as markup, and vendors get it as a variable.
"""

import datetime as dt
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from babel.dates import format_date
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketing.content import merge_fields
from marketing.content.models import TemplateVersion
from marketing.content.rendering import compile_version

TEXT, NUMBER, DATE, LINK = "text", "number", "date", "link"
KINDS = {
    TEXT: gettext_lazy("Text"),
    NUMBER: gettext_lazy("Number"),
    DATE: gettext_lazy("Date"),
    LINK: gettext_lazy("Link"),
}
# The longest that may be declared, and what holds where nothing is.
LONGEST = {TEXT: 300, NUMBER: 20, DATE: 10, LINK: 500}
USUAL = {TEXT: 60, NUMBER: 20, DATE: 10, LINK: 200}
MOST = 10
MAX_LABEL = 60
# They turn the reading order around: what is read is not what stands there.
_TURNING = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

Texts = dict[str, dict[str, str]]
# By slot: for a text by language, else one for all.
Given = Mapping[str, str | Mapping[str, str]]
Faults = dict[str, list[str]]


@dataclass(frozen=True)
class Slot:
    """`max_length` is in characters, `example` a value as a branch would give it."""

    name: str
    label: str
    kind: str
    max_length: int
    example: str

    @property
    def placeholder(self) -> str:
        return f"{merge_fields.SLOT_PREFIX}{self.name}"

    @property
    def is_per_language(self) -> bool:
        return self.kind == TEXT

    def clean(self, value: Any) -> str:
        """The value as it is kept, "" for none. Raises `ValueError` with a sentence."""
        if not isinstance(value, str):
            raise ValueError(_("Give a text."))
        text = _harmless(value)
        if len(text) > self.max_length:
            raise ValueError(
                _("This has %(length)d characters; at most %(limit)d are allowed.")
                % {"length": len(text), "limit": self.max_length}
            )
        return CLEANERS[self.kind](text) if text else ""

    def written(self, value: str, language: str) -> str:
        """A kept value as this language writes it."""
        if self.kind == DATE and value:
            return format_date(dt.date.fromisoformat(value), "d MMMM y", locale=language)
        return value


def _harmless(value: str) -> str:
    """One line without braces or characters that are not seen."""
    text = unicodedata.normalize("NFC", value).strip()
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in _TURNING for c in text):
        raise ValueError(_("Write one line, without line breaks, tabs or invisible characters."))
    if "{" in text or "}" in text:
        raise ValueError(_("Braces and merge fields are not allowed here."))
    return " ".join(text.split())


def _number(text: str) -> str:
    """Digits of any script as 0 to 9, with at most one decimal point."""
    plain = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    whole, _point, part = plain.partition(".")
    if (
        not plain.isascii()
        or not whole.isdecimal()
        or (part and not part.isdecimal())
        or plain.endswith(".")
    ):
        raise ValueError(_("Give a number, such as 20 or 499.50."))
    return plain


def _date(text: str) -> str:
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(_("Give a day, such as 2026-11-30.")) from None


def _link(text: str) -> str:
    try:
        URLValidator(schemes=["https"])(text)
    except ValidationError:
        raise ValueError(_("Give a link that begins with https://.")) from None
    return text


CLEANERS: dict[str, Callable[[str], str]] = {TEXT: str, NUMBER: _number, DATE: _date, LINK: _link}


def slots_of(version: TemplateVersion) -> list[Slot]:
    """What the version leaves open, in its author's order."""
    return [Slot(**stored) for stored in version.slots]


def examples(slots: Iterable[Slot], language: str) -> dict[str, str]:
    """What stands in the open places where nobody has filled them in yet."""
    return {slot.placeholder: slot.written(slot.example, language) for slot in slots}


def required_in(version: TemplateVersion, language: str) -> set[str]:
    """The placeholders that this language's words cannot do without."""
    return set(compile_version(version).missing(language, {}))


def texts(version: TemplateVersion, given: Given) -> Texts:
    """By language: what to fill in for the version's placeholders; what was not given is "".

    `given` was cleaned; what the version has no slot for is left out.
    """
    slots = slots_of(version)
    return {
        language: {
            slot.placeholder: slot.written(_of_language(slot, given, language), language)
            for slot in slots
        }
        for language in version.contents
    }


def _of_language(slot: Slot, given: Given, language: str) -> str:
    value = given.get(slot.name, "")
    if isinstance(value, str):
        return "" if slot.is_per_language else value
    return value.get(language, "") if slot.is_per_language else ""


def clean_given(slots: Sequence[Slot], given: Any, languages: Sequence[str]) -> dict[str, Any]:
    """What a campaign keeps of the values. Raises `SlotFaults` by path, such as `offer.hi`."""
    known = {slot.name: slot for slot in slots}
    faults: Faults = {}
    kept: dict[str, Any] = {}
    for name, value in given.items():
        slot = known.get(name)
        if slot is None:
            faults[name] = [_("The message has no such field.")]
        elif not slot.is_per_language:
            if text := _cleaned(slot, value, name, faults):
                kept[name] = text
        elif not isinstance(value, Mapping):
            faults[name] = [_("Give a text for each language.")]
        else:
            by_language = {
                language: text
                for language in languages
                if (text := _cleaned(slot, value.get(language, ""), f"{name}.{language}", faults))
            }
            faults |= {
                f"{name}.{code}": [_("The message is not written in this language.")]
                for code in value.keys() - set(languages)
            }
            if by_language:
                kept[name] = by_language
    if faults:
        raise SlotFaults(faults)
    return kept


class SlotFaults(ValueError):
    """What is wrong with values, by path."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        super().__init__(str(faults))


def _cleaned(slot: Slot, value: Any, path: str, faults: Faults) -> str:
    try:
        return slot.clean(value)
    except ValueError as error:
        faults[path] = [str(error)]
        return ""


def clean_declarations(declared: Any) -> tuple[list[Slot], Faults]:
    """The slots that an author declares, and what is wrong by path, such as `slots.0.name`."""
    faults: Faults = {}
    slots: list[Slot] = []
    if not isinstance(declared, Sequence) or isinstance(declared, str):
        return [], {"slots": [_("Give a list of fields.")]}
    if len(declared) > MOST:
        return [], {"slots": [_("At most %(limit)d fields.") % {"limit": MOST}]}
    for number, each in enumerate(declared):
        path = f"slots.{number}"
        if not isinstance(each, Mapping):
            faults[path] = [_("Give name, label, kind and example.")]
            continue
        slot, wrong = _declared(each)
        if slot and slot.name in {known.name for known in slots}:
            wrong["name"] = [_("Two fields have this name.")]
        faults |= {f"{path}.{name}": reasons for name, reasons in wrong.items()}
        if slot and not wrong:
            slots.append(slot)
    return slots, faults


def _declared(each: Mapping[str, Any]) -> tuple[Slot | None, Faults]:
    wrong: Faults = {
        name: [_("There is no such field.")]
        for name in each.keys() - {"name", "label", "kind", "max_length", "example"}
    }
    kind = str(each.get("kind") or TEXT)
    if kind not in KINDS:
        return None, wrong | {"kind": [_("One of %(all)s.") % {"all": ", ".join(KINDS)}]}
    limit = each.get("max_length") or USUAL[kind]
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= LONGEST[kind]:
        wrong["maxLength"] = [_("From 1 to %(limit)d.") % {"limit": LONGEST[kind]}]
        limit = LONGEST[kind]
    name = str(each.get("name") or "").strip()
    if not merge_fields.SLOT.fullmatch(f"{merge_fields.SLOT_PREFIX}{name}"):
        wrong["name"] = [_("Use lower-case letters, digits and underscores, such as offer_text.")]
    label = " ".join(str(each.get("label") or "").split())
    if not label or len(label) > MAX_LABEL:
        wrong["label"] = [_("Say in at most %(limit)d characters what to enter.")
                          % {"limit": MAX_LABEL}]  # fmt: skip
    slot = Slot(name=name, label=label, kind=kind, max_length=limit, example="")
    try:
        example = slot.clean(each.get("example") or "")
    except ValueError as error:
        wrong["example"] = [str(error)]
        return slot, wrong
    if not example:
        wrong["example"] = [_("Give an example; WhatsApp asks for one, too.")]
    return Slot(name=name, label=label, kind=kind, max_length=limit, example=example), wrong
