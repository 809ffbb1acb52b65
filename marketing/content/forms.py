"""The template editor's form: plain fields for every language of the chain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from customers.models import Channel, MessageTopic
from marketing.content.contents import BUTTONS, PARTS, Contents
from marketing.content.models import MessageTemplate, TemplateType, TemplateVersion, TriggerType
from marketing.content.prebuilt import Occasion
from marketing.content.rules import WHATSAPP_BUTTONS
from marketing.content.selectors import chain_contact
from marketing.content.slot_forms import SlotRows
from marketing.core.errors import DomainError
from marketing.core.plain_words import PlainWords

FREE_BUTTON_ROWS = 3
LABELS = {
    "header": _("Heading"),
    "subject": _("Subject"),
    "preheader": _("Line below the subject"),
    "image": _("Picture"),
    "imageAlt": _("What the picture shows"),
    "body": _("Message"),
    "html": _("HTML version"),
    "footer": _("Small print"),
    "dltTemplateId": _("DLT template id"),
    "vendorTemplateId": _("Template id at the SMS provider"),
    "dltText": _("Text as registered"),
}
HELP = {
    "html": _(
        "Leave it empty: the message is laid out for phones and computers by itself. Scripts and "
        "forms are taken out."
    ),
    "preheader": _("Mail programs show it in the list of mails, beside the subject."),
    "image": _("Its address, beginning with https://. It stands above the message."),
    "imageAlt": _("For those who do not see pictures; many programs show none at first."),
    "footer": _("One line without merge fields."),
    "header": _("One line, with at most one merge field."),
    "dltTemplateId": _("As registered for exactly these words."),
    "dltText": _(
        "As on the DLT portal, with {#var#} for each merge field; it is compared with the "
        "message before anything goes. Empty: the words above are the registered ones."
    ),
}
ROWS = {"body": 6, "html": 10}
SMS_IDS = ("dltTemplateId", "vendorTemplateId", "dltText")
BUTTON_TYPES = [
    ("", _("No button")),
    ("quick_reply", _("Quick reply")),
    ("url", _("Open a link")),
    ("phone", _("Call")),
]
# An e-mail's buttons cannot answer it.
LINK_TYPES = [each for each in BUTTON_TYPES if each[0] != "quick_reply"]
PLAIN = ("name", "template_type", "trigger_type", "category", "description", "is_locked")
FIELDS = {
    "templateType": "template_type",
    "triggerType": "trigger_type",
    "topicId": "topic_id",
}


@dataclass(frozen=True)
class LanguagePanel:
    """One language's bound fields, as the page lays them out."""

    code: str
    name: str
    is_first: bool
    parts: Sequence[forms.BoundField]
    buttons: Sequence[Sequence[forms.BoundField]]
    ids: Sequence[forms.BoundField]

    @property
    def has_buttons(self) -> bool:
        return any(field.value() or field.errors for row in self.buttons for field in row)

    @property
    def has_ids(self) -> bool:
        return any(field.value() or field.errors for field in self.ids)

    @property
    def has_errors(self) -> bool:
        rows = [*self.parts, *self.ids, *(field for row in self.buttons for field in row)]
        return any(field.errors for field in rows)


class TemplateForm(PlainWords, forms.Form):
    """Fields are named `<language>-<part>`; `contents` and `sms_ids` put them together.

    Only shape is checked here; the service judges the words, and `show` puts its verdict at
    the fields.
    """

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Only your team sees it."))
    template_type = forms.ChoiceField(label=_("What it is for"), choices=TemplateType.choices)
    trigger_type = forms.ChoiceField(
        label=_("Occasion"),
        choices=[("", "–"), *TriggerType.choices],
        required=False,
        help_text=_("For messages that a trigger sends."),
    )
    topic_id: "forms.ModelChoiceField[MessageTopic]" = forms.ModelChoiceField(
        label=_("What it is about"),
        queryset=None,
        empty_label=_("No topic"),
        required=False,
        help_text=_("Whoever does not want to hear of it is left out."),
    )
    category = forms.CharField(label=_("Category"), max_length=50, required=False)
    description = forms.CharField(
        label=_("Notes"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    is_locked = forms.BooleanField(
        label=_("Locked by head office"),
        required=False,
        widget=forms.CheckboxInput(attrs={"role": "switch"}),
        help_text=_("Branches send it and fill in its fields; nobody but you changes its words."),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        channel: str,
        languages: Sequence[str],
        template: MessageTemplate | None = None,
        saved: TemplateVersion | None = None,
        occasion: Occasion | None = None,
        may_lock: bool = False,
    ) -> None:
        self.channel = Channel(channel)
        self.languages = languages
        self._row_of: dict[tuple[str, int], int] = {}
        contents: Contents = saved.contents if saved else {}
        initial: dict[str, Any] = {}
        if template and saved:
            initial = _initial(template, saved)
        elif occasion:
            contents = occasion.contents(channel, chain_contact())
            initial = _of_occasion(occasion) | _words(contents)
        super().__init__(data, initial=initial)
        topics = MessageTopic.objects.filter(
            Q(is_active=True) | Q(pk=template.topic_id if template else None)
        )
        choice = self.fields["topic_id"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = topics
        if not topics:
            del self.fields["topic_id"]
        if not may_lock:
            del self.fields["is_locked"]
        if template is not None:
            del self.fields["template_type"], self.fields["trigger_type"]
        for language in languages:
            self._add_language(language, contents.get(language, {}))
        self.slot_rows = SlotRows(self, saved.slots if saved else [])

    def _add_language(self, language: str, parts: Mapping[str, Any]) -> None:
        is_first = language == self.languages[0]
        for part in PARTS[self.channel]:
            if part == "buttons":
                self._add_buttons(language, len(parts.get("buttons", ())))
                continue
            is_long = part in ROWS
            attrs: dict[str, Any] = {"lang": language, "data-merge": True, "dir": "auto"}
            if is_long:
                attrs["rows"] = ROWS[part]
            self.fields[f"{language}-{part}"] = forms.CharField(
                label=self._label(part, language),
                help_text=self._help(part),
                required=is_first and part in ("body", "subject"),
                strip=False,
                widget=(forms.Textarea if is_long else forms.TextInput)(attrs=attrs),
            )
        if self.channel == Channel.SMS:
            for part in SMS_IDS:
                self.fields[f"{language}-{part}"] = forms.CharField(
                    label=self._label(part, language),
                    help_text=HELP.get(part, ""),
                    required=False,
                )

    def _help(self, part: str) -> Any:
        """An e-mail's heading is not WhatsApp's, which knows one merge field."""
        is_own = part == "header" and self.channel == Channel.EMAIL
        return "" if is_own else HELP.get(part, "")

    def _label(self, part: str, language: str) -> str:
        """Names the language too where there are several, for the summary of mistakes."""
        label = str(LABELS[part])
        return label if language == self.languages[0] else f"{label} ({language_name(language)})"

    def _add_buttons(self, language: str, existing: int) -> None:
        for row in range(self._button_rows(language, existing)):
            name = f"{language}-buttons-{row}"
            self.fields[f"{name}-type"] = forms.ChoiceField(
                label=_("Button %(number)d") % {"number": row + 1},
                choices=LINK_TYPES if self.channel == Channel.EMAIL else BUTTON_TYPES,
                required=False,
            )
            self.fields[f"{name}-text"] = forms.CharField(
                label=_("Words on it"), required=False, widget=forms.TextInput({"lang": language})
            )
            self.fields[f"{name}-value"] = forms.CharField(label=_("Link or phone"), required=False)

    def _button_rows(self, language: str, existing: int) -> int:
        sent = 0
        while self.is_bound and f"{language}-buttons-{sent}-type" in self.data:
            sent += 1
        return min(max(FREE_BUTTON_ROWS, existing + 1, sent), BUTTONS[self.channel])

    @property
    def contents(self) -> Contents:
        """The words as they were typed; a language without any is left out."""
        return {
            language: parts
            for language in self.languages
            if (parts := self._parts(language)) or language == self.languages[0]
        }

    def _parts(self, language: str) -> dict[str, Any]:
        parts: dict[str, Any] = {
            part: text
            for part in PARTS[self.channel]
            if (text := self._typed(language, part)).strip()
        }
        if buttons := self._buttons(language):
            parts["buttons"] = buttons
        return parts

    def _typed(self, language: str, part: str) -> str:
        """As it came in: a field with a mistake has no cleaned value."""
        return str(self.data.get(f"{language}-{part}", ""))

    def _buttons(self, language: str) -> list[dict[str, str]]:
        """The rows that were filled in. A row's place is its number among the errors' paths."""
        buttons: list[dict[str, str]] = []
        for row in range(WHATSAPP_BUTTONS):
            kind, text, value = (
                self._typed(language, f"buttons-{row}-{part}") for part in ("type", "text", "value")
            )
            if kind:
                self._row_of[language, len(buttons)] = row
                buttons.append({"type": kind, "text": text, "value": value})
        return buttons

    @property
    def slots(self) -> list[dict[str, Any]]:
        return self.slot_rows.slots

    @property
    def sms_ids(self) -> dict[str, dict[str, str]]:
        if self.channel != Channel.SMS:
            return {}
        return {
            language: {part: self._typed(language, part) for part in SMS_IDS}
            for language in self.languages
        }

    @property
    def values(self) -> dict[str, Any]:
        """What the services take."""
        plain: dict[str, Any] = {
            name: self.cleaned_data[name] for name in PLAIN if name in self.cleaned_data
        }
        if "topic_id" in self.cleaned_data:
            topic = self.cleaned_data["topic_id"]
            plain["topic_id"] = topic and topic.pk
        own = {"contents": self.contents, "slots": self.slots, "sms_ids": self.sms_ids}
        return {**plain, **own}

    @property
    def panels(self) -> list[LanguagePanel]:
        return [self._panel(language) for language in self.languages]

    def _panel(self, language: str) -> LanguagePanel:
        rows = range(WHATSAPP_BUTTONS)
        return LanguagePanel(
            code=language,
            name=language_name(language),
            is_first=language == self.languages[0],
            parts=[self[f"{language}-{part}"] for part in PARTS[self.channel] if part != "buttons"],
            buttons=[
                [self[f"{language}-buttons-{row}-{part}"] for part in ("type", "text", "value")]
                for row in rows
                if f"{language}-buttons-{row}-type" in self.fields
            ],
            ids=[self[f"{language}-{part}"] for part in SMS_IDS if self.channel == Channel.SMS],
        )

    @property
    def open_language(self) -> str:
        """The language to show first: one with mistakes, else the one shown last."""
        wrong = next((panel.code for panel in self.panels if panel.has_errors), "")
        shown = self.data.get("language", "") if self.is_bound else ""
        return wrong or (shown if shown in self.languages else self.languages[0])

    def show(self, error: DomainError) -> None:
        """Put the service's verdict at the fields it is about."""
        for path, reasons in error.fields.items():
            name = self._field_of(path)
            for reason in reasons:
                self.add_error(name if name in self.fields else None, reason)
        if not error.fields:
            self.add_error(None, error.message)

    def _field_of(self, path: str) -> str:
        match path.split("."):
            case ["contents", language, "buttons", number, part]:
                row = self._row_of.get((language, int(number)), int(number))
                return f"{language}-buttons-{row}-{part}"
            case ["slots", number, part]:
                return self.slot_rows.name_of(number, part)
            case ["contents" | "smsIds", language, part]:
                return f"{language}-{part}"
            case [name]:
                return FIELDS.get(name, name)
        return ""


def language_name(code: str) -> str:
    """A language's name in itself: हिन्दी."""
    try:
        return str(get_language_info(code)["name_local"])
    except KeyError:
        return code


def _initial(template: MessageTemplate, saved: TemplateVersion) -> dict[str, Any]:
    initial: dict[str, Any] = {
        "name": template.name,
        "topic_id": template.topic_id,
        "category": template.category,
        "description": template.description,
        "is_locked": template.is_locked,
        "version": template.version,
    }
    for language, ids in saved.sms_ids.items():
        for name, text in ids.items():
            initial[f"{language}-{name}"] = text
    return initial | _words(saved.contents)


def _of_occasion(occasion: Occasion) -> dict[str, Any]:
    return {
        "name": occasion.name,
        "category": occasion.category,
        "template_type": occasion.template_type,
        "trigger_type": occasion.trigger_type,
    }


def _words(contents: Contents) -> dict[str, Any]:
    initial: dict[str, Any] = {}
    for language, parts in contents.items():
        for part, text in parts.items():
            if part != "buttons":
                initial[f"{language}-{part}"] = text
        for row, button in enumerate(parts.get("buttons", ())):
            for name, text in button.items():
                initial[f"{language}-buttons-{row}-{name}"] = text
    return initial
