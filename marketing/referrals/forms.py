"""Shapes of the pages' forms; the rules are the services'."""

import uuid
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from customers.forms import RefusableForm
from customers.models import Channel, Service
from marketing.content.models import MessageTemplate
from marketing.core.errors import SAVE_AGAIN, Conflict, DomainError
from marketing.core.plain_words import PlainWords
from marketing.referrals.models import NoticeKind, NoticeTemplate, Referral, ReferralProgramme
from marketing.referrals.services import SETTINGS

LABELS = {
    "is_enabled": _("Customers can bring friends"),
    "referrer_reward_type": _("Who brings a friend gets"),
    "referrer_reward_value": _("How many points, or percent off"),
    "referrer_reward_service": _("Which service is free"),
    "referred_reward_type": _("The friend gets"),
    "referred_reward_value": _("How many points, or percent off"),
    "referred_reward_service": _("Which service is free"),
    "reward_on": _("What the friend has to do"),
    "min_order_for_reward": _("Her bill is at least"),
    "hold_days": _("Days to wait for a refund"),
    "reward_days": _("A discount or free service can be used for so many days"),
    "max_referrals_per_month": _("Friends a customer may bring in a month"),
    "weekly_rewards": _("Rewards in 7 days before somebody looks at them"),
    "monthly_rewards": _("Rewards in 30 days before somebody looks at them"),
    "entries_per_staff": _("Friends that one person at the till may enter with one code in a day"),
    "flags_surnames": _("Look at friends of the same surname"),
}
HELP = {
    "referrer_reward_value": _("Not needed for a free service."),
    "referred_reward_value": _("A discount or free service is for her first bill."),
    "min_order_for_reward": _("In rupees, for paid visits."),
    "hold_days": _("Only then is the reward given."),
    "entries_per_staff": _("Above it a manager looks at them, and is told once a day."),
    "flags_surnames": _("A manager decides; nothing is refused by itself."),
}
GROUPS = (
    (
        _("Rewards"),
        (
            "is_enabled",
            *("referrer_reward_type", "referrer_reward_value", "referrer_reward_service"),
            *("referred_reward_type", "referred_reward_value", "referred_reward_service"),
            "reward_days",
        ),
    ),
    (_("When"), ("reward_on", "min_order_for_reward", "hold_days")),
    (
        _("Against misuse"),
        (
            *("max_referrals_per_month", "weekly_rewards", "monthly_rewards"),
            *("entries_per_staff", "flags_surnames"),
        ),
    ),
)
TEXT = "share_text_"
VALUES = ("referrer_reward_value", "referred_reward_value")
SERVICES = ("referrer_reward_service", "referred_reward_service")


NOTICE = "notice_"


class ProgrammeForm(PlainWords, forms.ModelForm):
    """The whole programme, with a text to share for each language of the chain."""

    class Meta:
        model = ReferralProgramme
        fields = [name for name in SETTINGS if name not in ("share_text", *SERVICES)]
        labels = LABELS
        help_texts = HELP

    def __init__(self, *args: Any, languages: list[str], **more: Any) -> None:
        """`messages` may tell notices; `chosen` do so, by kind and channel."""
        messages: list[MessageTemplate] = more.pop("messages", [])
        chosen: dict[tuple[str, str], NoticeTemplate] = more.pop("chosen", {})
        super().__init__(*args, **more)
        for name in VALUES:
            if self.initial.get(name) is not None:
                # Points are whole: 100, and not 100.00.
                self.initial[name] = f"{Decimal(self.initial[name]).normalize():f}"
        for name in SERVICES:
            self.fields[name] = forms.ModelChoiceField(
                Service.objects.filter(is_active=True),
                label=LABELS[name],
                required=False,
                empty_label="–",
                initial=getattr(self.instance, f"{name}_id"),
                widget=forms.Select(attrs={"data-searchable": True}),
            )
        self.texts = [f"{TEXT}{code}" for code in languages]
        kept = self.instance.share_text or {}
        for code in languages:
            self.fields[f"{TEXT}{code}"] = forms.CharField(
                label=get_language_info(code)["name_local"],
                required=False,
                max_length=1_000,
                initial=kept.get(code, ""),
                widget=forms.Textarea(attrs={"rows": 3, "lang": code}),
            )

        self.places = {
            f"{NOTICE}{kind}_{channel}": (kind, channel)
            for kind in NoticeKind.values
            for channel in Channel.values
        }
        for name, (kind, channel) in self.places.items():
            kept = chosen.get((kind, channel))
            fitting = [row for row in messages if row.channel == channel]
            if kept is not None and kept.template not in fitting:
                fitting.insert(0, kept.template)
            self.fields[name] = forms.TypedChoiceField(
                label=Channel(channel).label,
                required=False,
                choices=[("", _("None")), *((str(row.pk), row.name) for row in fitting)],
                coerce=uuid.UUID,
                empty_value=None,
                initial=str(kept.template_id) if kept else "",
            )

    @property
    def notices(self) -> list[tuple[Any, list[forms.BoundField]]]:
        return [
            (label, [self[name] for name, place in self.places.items() if place[0] == kind])
            for kind, label in NoticeKind.choices
        ]

    @property
    def tells_nothing(self) -> bool:
        return not any(self[name].value() for name in self.places)

    def chosen(self) -> dict[tuple[str, str], uuid.UUID | None]:
        """The messages by kind and channel."""
        return {place: self.cleaned_data[name] for name, place in self.places.items()}

    @property
    def groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        return [(title, [self[name] for name in names]) for title, names in GROUPS]

    @property
    def text_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.texts]

    def clean(self) -> dict[str, Any]:
        """A text to share must lead somewhere."""
        data: dict[str, Any] = super().clean() or {}
        for name in self.texts:
            text = data.get(name) or ""
            if text and "{code}" not in text and "{link}" not in text:
                self.add_error(name, _("Write {link} or {code} in it: else nobody finds the way."))
        return data

    def values(self) -> dict[str, Any]:
        """As the service takes them."""
        data = {name: self.cleaned_data[name] for name in SETTINGS if name != "share_text"}
        texts = {name.removeprefix(TEXT): self.cleaned_data[name] for name in self.texts}
        return {**data, "share_text": {code: text for code, text in texts.items() if text}}

    def refuse(self, error: DomainError) -> None:
        """Put each fault at its field, or above the form when it has none."""
        for name, faults in error.fields.items():
            at = self.texts[0] if name == "share_text" else name
            for fault in faults:
                self.add_error(at if at in self.fields else None, fault)
        if type(error) is Conflict:
            self.add_error(None, f"{error.message} {SAVE_AGAIN}")
        elif not error.fields:
            self.add_error(None, error.message)


class RejectForm(RefusableForm):
    reason = forms.CharField(label=_("Why"), max_length=200)


class ReferralFilter(forms.Form):
    """What the list shows."""

    state = forms.ChoiceField(
        required=False, choices=[("", _("Every state")), *Referral.State.choices]
    )
    q = forms.CharField(required=False, max_length=100)
    after = forms.UUIDField(required=False)


class FriendForm(PlainWords, forms.Form):
    phone = forms.CharField(
        label=_("Your phone"),
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
