"""What a column of a file may hold, and what its header suggests; exports use the same headers."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.models import AttributeDefinition
from customers.rules import CHANNELS

ATTRIBUTE = "attribute."
CONSENT_SUFFIX = "_consent"


@dataclass(frozen=True)
class Target:
    """`heading` is what an export writes above it; `known_as` are other spellings of headers."""

    name: str
    heading: str
    label: str | Promise
    known_as: tuple[str, ...] = ()


FIELDS = (
    Target("given_id", "Parlour id", _("Parlour's own number"), ("customer id in parlour",)),
    Target(
        "external_id",
        "External id",
        _("Number of the other system"),
        (
            "customer id",
            "id",
            "client id",
            "customer no",
            "customer number",
            "code",
            "customer code",
            "client code",
            "ग्राहक आईडी",
            "ग्राहक संख्या",
            "ग्राहक क्रमांक",
            "कोड",
        ),
    ),
    Target(
        "name",
        "Name",
        _("Whole name"),
        (
            "full name",
            "customer name",
            "client name",
            "customer",
            "client",
            "guest",
            "guest name",
            "नाम",
            "पूरा नाम",
            "ग्राहक",
            "ग्राहक का नाम",
        ),
    ),
    Target("first_name", "First name", _("First name"), ("given name", "पहला नाम", "प्रथम नाम")),
    Target(
        "last_name",
        "Last name",
        _("Last name"),
        ("surname", "family name", "उपनाम", "अंतिम नाम", "कुलनाम", "आखिरी नाम"),
    ),
    Target(
        "phone",
        "Phone",
        _("Phone"),
        (
            "mobile",
            "mobile no",
            "mobile number",
            "phone no",
            "phone number",
            "contact",
            "contact no",
            "contact number",
            "cell",
            "telephone",
            "whatsapp",
            "whatsapp no",
            "whatsapp number",
            "फ़ोन",
            "फोन",
            "फ़ोन नंबर",
            "फोन नंबर",
            "मोबाइल",
            "मोबाइल नंबर",
            "मोबाईल",
            "मोबाईल नंबर",
            "संपर्क",
            "व्हाट्सएप",
        ),
    ),
    Target(
        "email",
        "E-mail",
        _("E-mail"),
        ("email", "mail", "email address", "email id", "mail id", "ईमेल", "ई मेल", "ईमेल आईडी"),
    ),
    Target("whatsapp_id", "WhatsApp user id", _("WhatsApp user id")),
    Target(
        "birth_date",
        "Birthday",
        _("Birthday"),
        (
            "birth date",
            "date of birth",
            "dob",
            "birthdate",
            "जन्मदिन",
            "जन्म तिथि",
            "जन्मतिथि",
            "जन्म दिनांक",
        ),
    ),
    Target(
        "anniversary",
        "Anniversary",
        _("Anniversary"),
        ("wedding anniversary", "anniversary date", "doa", "सालगिरह", "वर्षगांठ", "शादी की सालगिरह"),
    ),
    Target("gender", "Gender", _("Gender"), ("sex", "लिंग")),
    Target(
        "language", "Language", _("Language of messages"), ("preferred language", "lang", "भाषा")
    ),
    Target(
        "preferred_channel",
        "Preferred channel",
        _("Preferred channel"),
        ("channel", "पसंदीदा माध्यम"),
    ),
    Target(
        "home_branch",
        "Home branch",
        _("Home branch"),
        ("branch", "salon", "outlet", "store", "location", "branch code", "शाखा", "सैलून"),
    ),
    Target("tags", "Tags", _("Tags"), ("tag", "labels", "group", "groups", "टैग", "समूह")),
    Target("latitude", "Latitude", _("Latitude"), ("lat",)),
    Target("longitude", "Longitude", _("Longitude"), ("lng", "lon", "long")),
)
CONSENTS = (
    Target(
        "whatsapp_consent",
        "WhatsApp consent",
        _("Consent: WhatsApp, all messages"),
        ("whatsapp opt in", "व्हाट्सएप सहमति"),
    ),
    Target("whatsapp_promotional", "WhatsApp offers", _("Consent: WhatsApp, offers")),
    Target("whatsapp_service", "WhatsApp reminders", _("Consent: WhatsApp, reminders")),
    Target(
        "sms_consent",
        "SMS consent",
        _("Consent: SMS, all messages"),
        ("sms opt in", "एसएमएस सहमति"),
    ),
    Target("sms_promotional", "SMS offers", _("Consent: SMS, offers")),
    Target("sms_service", "SMS reminders", _("Consent: SMS, reminders")),
    Target(
        "email_consent",
        "E-mail consent",
        _("Consent: e-mail, all messages"),
        ("email consent", "email opt in", "ईमेल सहमति"),
    ),
    Target("email_promotional", "E-mail offers", _("Consent: e-mail, offers"), ("email offers",)),
    Target(
        "email_service", "E-mail reminders", _("Consent: e-mail, reminders"), ("email reminders",)
    ),
)
OPT_OUT = Target(
    "marketing_opted_out", "Opted out", _("Opted out of all marketing"),
    ("unsubscribed", "do not contact", "opt out", "सदस्यता समाप्त"),
)  # fmt: skip
CONSENT_NAMES = frozenset(target.name for target in CONSENTS)
PURPOSE_NAMES = tuple(f"{c}_{p}" for c in CHANNELS for p in ("promotional", "service"))


def all_targets() -> list[Target]:
    """Everything a column can be mapped to, with the open chain's own attributes."""
    attributes = [
        Target(ATTRIBUTE + each.key, each.label, each.label, (each.key,))
        for each in AttributeDefinition.objects.all()
    ]
    return [*FIELDS, *attributes, OPT_OUT, *CONSENTS]


def guess(headers: Sequence[str], targets: Iterable[Target]) -> list[str]:
    """The target of each header, "" where none suggests itself; none is given twice."""
    known: dict[str, str] = {}
    for target in targets:
        for spelling in (target.heading, *target.known_as):
            known.setdefault(_plain(spelling), target.name)
    taken: set[str] = set()
    guessed = []
    for header in headers:
        name = known.get(_plain(header), "")
        guessed.append("" if name in taken else name)
        taken.add(name)
    return guessed


def fingerprint(headers: Sequence[str]) -> str:
    """The same for files with the same headers in the same order."""
    return hashlib.sha256("\0".join(map(_plain, headers)).encode()).hexdigest()


def _plain(header: str) -> str:
    """Without case, signs and doubled spaces; letters of Indian scripts keep their marks."""
    kept = "".join(letter if _is_word(letter) else " " for letter in header.casefold())
    return " ".join(kept.replace("e mail", "email").split())


def _is_word(letter: str) -> bool:
    return letter.isalnum() or "\u0900" <= letter <= "\u0dff"
