"""What rules ask about addresses and consent: who may be written to, and where."""

from collections.abc import Callable

from django.db.models import BinaryField, Func, OuterRef, Q, Value
from django.db.models.functions import Coalesce, Now, NullIf
from django.utils.translation import gettext_lazy as _

from customers.models import Channel, Suppression
from marketing.core.tenancy import current_tenant_id
from marketing.segments.fields import Label, SegmentField, register
from marketing.segments.sources import Column, Found
from marketing.segments.value_types import Boolean, Choice, DaysAgo, Number, Text

CONTACT = _("Contact and consent")
LANGUAGES: dict[str, Label] = {"en": _("English"), "hi": _("Hindi"), "bn": _("Bengali")}

_ADDRESSES = {
    Channel.WHATSAPP: Coalesce(NullIf(OuterRef("phone"), Value("")), OuterRef("whatsapp_id")),
    Channel.SMS: OuterRef("phone"),
    Channel.EMAIL: OuterRef("email"),
}


def register_contact_fields() -> None:
    """Called once, while apps are loaded."""
    register(*_addresses(), *_offers(), *_refusals(), *_per_channel(), *_engagement())


def _addresses() -> list[SegmentField]:
    return [
        SegmentField(
            "language",
            _("Language"),
            Choice(),
            Column("language", is_text=True),
            CONTACT,
            choices=_languages,
            sample="hi",
        ),
        SegmentField(
            "preferred_channel",
            _("Preferred channel"),
            Choice(),
            Column("preferred_channel", is_text=True),
            CONTACT,
            choices=lambda: Channel.choices,
            sample="whatsapp",
        ),
        SegmentField("phone", _("Phone"), Text(), Column("phone", is_text=True), CONTACT),
        SegmentField("email", _("E-mail"), Text(), Column("email", is_text=True), CONTACT),
    ]


def _engagement() -> list[SegmentField]:
    return [
        SegmentField(
            "engaged_90_days",
            _("Messages read, of those of 90 days"),
            Number(),
            Column("facts__engaged_90_days"),
            CONTACT,
            sample=1,
        ),
        SegmentField(
            "last_engaged_days",
            _("Last message read"),
            DaysAgo(),
            Column("facts__last_engaged_at"),
            CONTACT,
            sample=30,
            phrases={
                "is_set": _("has read a message of the last 90 days"),
                "not_set": _("has read no message of the last 90 days"),
            },
        ),
    ]


def _languages() -> list[tuple[str, Label]]:
    return list(LANGUAGES.items())


def _offers() -> list[SegmentField]:
    return [
        SegmentField(
            f"{channel}_consent",
            label,
            Boolean(),
            Column(f"consent__{channel}_promotional"),
            CONTACT,
            sample=True,
            phrases={"yes": yes, "no": no},
        )
        for channel, label, yes, no in (
            (
                "whatsapp",
                _("Agreed to offers on WhatsApp"),
                _("agreed to offers on WhatsApp"),
                _("did not agree to offers on WhatsApp"),
            ),
            (
                "sms",
                _("Agreed to offers by SMS"),
                _("agreed to offers by SMS"),
                _("did not agree to offers by SMS"),
            ),
            (
                "email",
                _("Agreed to offers by e-mail"),
                _("agreed to offers by e-mail"),
                _("did not agree to offers by e-mail"),
            ),
        )
    ]


def _refusals() -> list[SegmentField]:
    return [
        SegmentField(
            "is_dnd",
            _("On the do-not-disturb register"),
            Boolean(),
            Column("consent__is_dnd"),
            CONTACT,
            sample=False,
            phrases={
                "yes": _("is on the do-not-disturb register"),
                "no": _("is not on the do-not-disturb register"),
            },
        ),
        SegmentField(
            "marketing_opted_out",
            _("Opted out of marketing"),
            Boolean(),
            Column("consent__marketing_opted_out"),
            CONTACT,
            sample=False,
            phrases={
                "yes": _("opted out of marketing"),
                "no": _("did not opt out of marketing"),
            },
        ),
    ]


def _per_channel() -> list[SegmentField]:
    fields: list[SegmentField] = []
    bases: list[tuple[str, Label]] = [
        ("explicit", _("she said so")),
        ("assumed", _("assumed when entered")),
    ]
    for channel, service, yes, no, basis, suppressed, is_suppressed, is_free in _WORDS:
        fields += [
            SegmentField(
                f"{channel}_service_consent",
                service,
                Boolean(),
                Column(f"consent__{channel}_service"),
                CONTACT,
                sample=True,
                phrases={"yes": yes, "no": no},
            ),
            SegmentField(
                f"{channel}_consent_basis",
                basis,
                Choice(),
                Column(f"consent__{channel}_basis", is_text=True),
                CONTACT,
                choices=lambda: bases,
                sample="explicit",
            ),
            SegmentField(
                f"{channel}_suppressed",
                suppressed,
                Boolean(),
                Found(Suppression, _suppressed(channel)),
                CONTACT,
                sample=False,
                phrases={"yes": is_suppressed, "no": is_free},
            ),
        ]
    return fields


class _AddressHash(Func):
    function = "parlour_address_hash"
    output_field = BinaryField()


def _suppressed(channel: Channel) -> Callable[[], Q]:
    """The rows by which her address on the channel is not to be written to."""

    def rows() -> Q:
        address = _ADDRESSES[channel]
        return Q(
            Q(until__isnull=True) | Q(until__gt=Now()),
            channel=channel,
            address_hash=_AddressHash(Value(current_tenant_id()), address),
        )

    return rows


_WORDS = [
    (
        Channel.WHATSAPP,
        _("Agreed to service messages on WhatsApp"),
        _("agreed to service messages on WhatsApp"),
        _("did not agree to service messages on WhatsApp"),
        _("Basis of the consent on WhatsApp"),
        _("Cannot be reached on WhatsApp"),
        _("cannot be reached on WhatsApp (suppressed)"),
        _("is not suppressed on WhatsApp"),
    ),
    (
        Channel.SMS,
        _("Agreed to service messages by SMS"),
        _("agreed to service messages by SMS"),
        _("did not agree to service messages by SMS"),
        _("Basis of the consent by SMS"),
        _("Cannot be reached by SMS"),
        _("cannot be reached by SMS (suppressed)"),
        _("is not suppressed by SMS"),
    ),
    (
        Channel.EMAIL,
        _("Agreed to service messages by e-mail"),
        _("agreed to service messages by e-mail"),
        _("did not agree to service messages by e-mail"),
        _("Basis of the consent by e-mail"),
        _("Cannot be reached by e-mail"),
        _("cannot be reached by e-mail (suppressed)"),
        _("is not suppressed by e-mail"),
    ),
]
