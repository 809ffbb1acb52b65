"""Shapes of the pages' forms; the rules are the services'."""

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext_lazy as _

from customers.models import AttributeDefinition, Channel, ConsentState, Customer, Purpose
from customers.rules import ASSUMED, CHANNELS, CONSENT_PURPOSES
from customers.timeline_sources import SOURCES
from marketing.core.actor import Actor
from marketing.core.errors import DomainError
from marketing.core.models import Branch
from marketing.core.plain_words import PlainWords
from marketing.core.selectors import branches_for_actor
from marketing.core.tenancy import current_tenant

ATTRIBUTE = "attribute_"


class RefusableForm(PlainWords, forms.Form):
    """A form that can show what a service refused."""

    def refuse(self, error: DomainError) -> None:
        """Put each fault at its field, or above the form when it has none."""
        for path, faults in error.fields.items():
            name = path.replace("attributes.", ATTRIBUTE)
            for fault in faults:
                self.add_error(name if name in self.fields else None, fault)
        if not error.fields:
            self.add_error(None, error.message)


class CustomerForm(RefusableForm):
    first_name = forms.CharField(label=_("First name"), max_length=100)
    last_name = forms.CharField(label=_("Last name"), max_length=100, required=False)
    phone = forms.CharField(
        label=_("Phone"),
        max_length=40,
        required=False,
        help_text=_("With its country code if it is not of this country."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    email = forms.CharField(
        label=_("E-mail"),
        max_length=254,
        required=False,
        widget=forms.TextInput(attrs={"type": "email", "autocomplete": "off"}),
    )
    birth_date = forms.DateField(
        label=_("Birthday"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    anniversary = forms.DateField(
        label=_("Anniversary"),
        required=False,
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
    )
    gender = forms.ChoiceField(
        label=_("Gender"), required=False, choices=[("", "–"), *Customer.Gender.choices]
    )
    language = forms.ChoiceField(label=_("Language of messages"))
    preferred_channel = forms.ChoiceField(
        label=_("Preferred channel"), choices=Channel.choices, initial=Channel.WHATSAPP
    )
    home_branch: forms.ModelChoiceField = forms.ModelChoiceField(
        None, label=_("Home branch"), required=False, empty_label="–"
    )
    tags = forms.CharField(
        label=_("Tags"), required=False, widget=forms.TextInput(attrs={"data-chips": True})
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, actor: Actor, customer: Customer | None = None, **more: Any):
        if customer:
            more["initial"] = _initial(customer)
        super().__init__(*args, **more)
        mine = branches_for_actor(actor)
        branches: Any = self.fields["home_branch"]
        branches.queryset = (
            Branch.objects.filter(Q(pk__in=mine) | Q(pk=customer.home_branch_id))
            if customer and customer.home_branch_id
            else mine
        )
        if customer is None and actor.branch_ids and len(actor.branch_ids) == 1:
            branches.initial = next(iter(actor.branch_ids))
        languages = current_tenant().languages or ["en"]
        if customer and customer.language not in languages:
            languages.append(customer.language)
        language: Any = self.fields["language"]
        language.choices = [(code, get_language_info(code)["name_local"]) for code in languages]
        self.definitions = list(AttributeDefinition.objects.all())
        for definition in self.definitions:
            self.fields[ATTRIBUTE + definition.key] = _attribute_field(definition)

    @property
    def main_fields(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if not field.name.startswith(ATTRIBUTE)]

    @property
    def attribute_fields(self) -> list[forms.BoundField]:
        return [self[ATTRIBUTE + definition.key] for definition in self.definitions]

    @property
    def values(self) -> dict[str, Any]:
        """The cleaned form as the service takes it."""
        values = dict(self.cleaned_data)
        values.pop("version")
        values["tags"] = values["tags"].split(",")
        values["attributes"] = {
            definition.key: _attribute_value(values.pop(ATTRIBUTE + definition.key))
            for definition in self.definitions
        }
        return values


def _initial(customer: Customer) -> dict[str, Any]:
    initial = {name: getattr(customer, name) for name in CustomerForm.base_fields}
    initial["tags"] = ", ".join(customer.tags)
    for key, value in customer.attributes.items():
        initial[ATTRIBUTE + key] = value
    return initial


def _attribute_field(definition: AttributeDefinition) -> forms.Field:
    kind = AttributeDefinition.Type
    choices = [("", "–"), *((choice, choice) for choice in definition.choices)]
    options: dict[str, Any] = {"label": definition.label, "required": False}
    match definition.type:
        case kind.NUMBER:
            return forms.FloatField(**options)
        case kind.BOOLEAN:
            return forms.NullBooleanField(**options)
        case kind.DATE:
            return forms.DateField(widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"), **options)
        case kind.CHOICE:
            return forms.ChoiceField(choices=choices, **options)
        case _:
            return forms.CharField(max_length=500, **options)


def _attribute_value(value: Any) -> Any:
    """Blank takes the attribute away; dates travel as text."""
    if value in (None, ""):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value


class ConsentForm(RefusableForm):
    """One answer a channel; only what was changed is sent on."""

    BOTH, OFFERS, REMINDERS, NO = "both", "offers", "reminders", "no"
    ANSWERS = {
        BOTH: _("Offers and reminders"),
        OFFERS: _("Offers only"),
        REMINDERS: _("Reminders only"),
        NO: _("No messages"),
    }
    # As (promotional, service).
    PURPOSES = {BOTH: (True, True), OFFERS: (True, False), REMINDERS: (False, True)}

    marketing_opted_out = forms.BooleanField(
        label=_("Opted out of all marketing"),
        required=False,
        widget=forms.CheckboxInput(attrs={"role": "switch"}),
    )
    is_dnd = forms.BooleanField(
        label=_("On the do-not-disturb register"),
        required=False,
        widget=forms.CheckboxInput(attrs={"role": "switch"}),
    )
    source = forms.ChoiceField(
        label=_("How we know"),
        choices=[(name, SOURCES[name]) for name in ("visit_talk", "phone_call", "in_writing")],
    )
    reason = forms.CharField(
        label=_("In her words"),
        max_length=500,
        required=False,
        help_text=_("For the record, as she said or wrote it."),
    )

    def __init__(self, *args: Any, state: ConsentState, **more: Any) -> None:
        more["initial"] = {
            "marketing_opted_out": state.marketing_opted_out,
            "is_dnd": state.is_dnd,
        } | {channel: self._answer(state, channel) for channel in CHANNELS}
        super().__init__(*args, **more)
        channels: dict[str, forms.Field] = {}
        for channel in CHANNELS:
            choices = list(self.ANSWERS.items())
            if more["initial"][channel] == ASSUMED:
                choices.insert(0, (ASSUMED, _("Assumed")))
            channels[channel] = forms.ChoiceField(label=Channel(channel).label, choices=choices)
        self.fields = channels | self.fields

    def _answer(self, state: ConsentState, channel: str) -> str:
        if getattr(state, f"{channel}_basis") == ASSUMED:
            return ASSUMED
        granted = tuple(getattr(state, f"{channel}_{purpose}") for purpose in CONSENT_PURPOSES)
        return next(
            (key for key, purposes in self.PURPOSES.items() if purposes == granted), self.NO
        )

    @property
    def changes(self) -> dict[str, bool]:
        """What the service is to record."""
        changes: dict[str, bool] = {}
        for name in set(self.changed_data) - {"source", "reason"}:
            value = self.cleaned_data[name]
            if name not in CHANNELS:
                changes[name] = value
            elif value in (self.BOTH, self.NO):
                changes[f"{name}_consent"] = value == self.BOTH
            else:
                for purpose, granted in zip(CONSENT_PURPOSES, self.PURPOSES[value], strict=True):
                    changes[f"{name}_{purpose}"] = granted
        return changes


class PreferenceForm(RefusableForm):
    """What a person sets herself; ticked is what she gets."""

    language = forms.ChoiceField(label=_("Language of messages"))
    weekly_limit = forms.TypedChoiceField(
        label=_("How often"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[
            ("", _("As it comes")),
            ("3", _("At most three messages a week")),
            ("2", _("At most two messages a week")),
            ("1", _("At most one message a week")),
        ],
        widget=forms.RadioSelect,
    )

    def __init__(
        self, *args: Any, state: ConsentState, customer: Customer, topics: Any, **more: Any
    ) -> None:
        self.topics = list(topics)
        self.granted = {
            f"{channel}_{purpose}": getattr(state, f"{channel}_{purpose}")
            and not (state.marketing_opted_out and purpose == Purpose.PROMOTIONAL)
            for channel in CHANNELS
            for purpose in CONSENT_PURPOSES
        }
        self.is_out = state.marketing_opted_out
        refused = set(customer.refused_topics.values_list("topic_id", flat=True))
        more["initial"] = {
            "language": customer.language,
            "weekly_limit": str(state.weekly_limit or ""),
            **self.granted,
            **{f"topic_{topic.pk}": topic.pk not in refused for topic in self.topics},
        }
        super().__init__(*args, **more)
        languages = list(
            dict.fromkeys([*(current_tenant().languages or ["en"]), customer.language])
        )
        language: Any = self.fields["language"]
        language.choices = [(code, get_language_info(code)["name_local"]) for code in languages]
        for name in self.granted:
            _channel, _sign, purpose = name.partition("_")
            self.fields[name] = _switch(PURPOSES[purpose])
        for topic in self.topics:
            self.fields[f"topic_{topic.pk}"] = _switch(topic.name_in(get_language()))

    @property
    def channels(self) -> list[tuple[Any, list[forms.BoundField]]]:
        return [
            (
                Channel(channel).label,
                [self[f"{channel}_{purpose}"] for purpose in CONSENT_PURPOSES],
            )
            for channel in CHANNELS
        ]

    @property
    def topic_fields(self) -> list[forms.BoundField]:
        return [self[f"topic_{topic.pk}"] for topic in self.topics]

    @property
    def changes(self) -> dict[str, bool | str]:
        """Only what she changed: a box that stood ticked says nothing new."""
        data = self.cleaned_data
        changes: dict[str, bool | str] = {
            name: data[name] for name, granted in self.granted.items() if data[name] != granted
        }
        back = [name for name in changes if data[name] and name.endswith(Purpose.PROMOTIONAL)]
        if self.is_out and back:
            # Whoever comes back on one channel has not asked for the others.
            kept = {name: False for name in self.granted if name.endswith(Purpose.PROMOTIONAL)}
            changes = {"marketing_opted_out": False, **kept, **changes}
        if data["language"] != self.initial["language"]:
            changes["preferred_language"] = data["language"]
        return changes

    @property
    def refused_topics(self) -> list[Any]:
        return [topic.pk for topic in self.topics if not self.cleaned_data[f"topic_{topic.pk}"]]


PURPOSES = {"promotional": _("Offers and news"), "service": _("Reminders and service")}


def _switch(label: Any) -> forms.BooleanField:
    return forms.BooleanField(
        label=label, required=False, widget=forms.CheckboxInput(attrs={"role": "switch"})
    )


class NoteForm(RefusableForm):
    text = forms.CharField(
        label=_("Note"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
