"""Rules of customers' data: addresses, attributes, search words, and what follows from consent.

Pure: no database, no present time. Refusals are `ValueError`s with a sentence for a person.
"""

import datetime as dt
import math
import re
import unicodedata
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import phonenumbers
from email_validator import EmailNotValidError, validate_email

CHANNELS = ("whatsapp", "sms", "email")
CONSENT_PURPOSES = ("promotional", "service")
EXPLICIT, ASSUMED = "explicit", "assumed"

MAX_TAGS = 50
TAG_LENGTH = 50
TEXT_ATTRIBUTE_LENGTH = 500
PHONE_INPUT_LENGTH = 40
# Nothing to parse: most of what a counter or a file sends, in a third of the time.
INDIAN_PHONE = re.compile(r"\+91[1-9][0-9]{9}")
# Shorter parts hold no whole trigram, so the index could not find them.
SHORTEST_PHONE_PART = 3

_ = str  # marks sentences for translation; services translate them


def bill_key(branch_id: uuid.UUID, invoice_id: str) -> str:
    """What a counter's bill is found by among purchases: branches may use the same numbers."""
    return f"{branch_id.hex}:{invoice_id}"


def normalize_phone(text: str, country: str) -> str:
    """`text` as E.164; a number without a country code is one of `country` (ISO 3166 alpha-2)."""
    if len(text) > PHONE_INPUT_LENGTH:
        raise ValueError(_("This is too long for a phone number."))
    if INDIAN_PHONE.fullmatch(text) and phonenumbers.is_valid_number(
        phonenumbers.PhoneNumber(country_code=91, national_number=int(text[3:]))
    ):
        return text
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        raise ValueError(
            _("This is not a phone number. Write it like 98765 43210 or +91 98765 43210.")
        ) from error
    if not phonenumbers.is_valid_number(number):
        raise ValueError(
            _("No such phone number can exist. Check its digits, and the code of its country.")
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normalize_email(text: str) -> str:
    """`text` in lower case, its domain in ASCII."""
    try:
        address = validate_email(text.strip(), check_deliverability=False)
    except EmailNotValidError as error:
        raise ValueError(_("This is not an e-mail address. It looks like name@example.com.")) from (
            error
        )
    return f"{address.local_part}@{address.ascii_domain}".lower()


def mask_email(email: str) -> str:
    """`a****@example.com`."""
    name, _at, domain = email.partition("@")
    return f"{name[:1]}****@{domain}"


def clean_tags(tags: Iterable[str]) -> list[str]:
    """Trimmed, without empty ones or repeats (whatever their case), in the order given."""
    kept: dict[str, str] = {}
    for tag in tags:
        text = " ".join(tag.split())
        if len(text) > TAG_LENGTH:
            raise ValueError(_("A tag has at most 50 characters."))
        if text:
            kept.setdefault(text.casefold(), text)
    if len(kept) > MAX_TAGS:
        raise ValueError(_("A customer has at most 50 tags."))
    return list(kept.values())


@dataclass(frozen=True)
class AttributeType:
    """What a custom attribute may hold: text, number, boolean, date or one of `choices`."""

    type: str
    choices: Sequence[str] = ()


def check_attribute(value: Any, declared: AttributeType) -> Any:
    """`value` as it is stored (dates as `YYYY-MM-DD`)."""
    match declared.type:
        case "text" if (
            isinstance(value, str) and len(value) <= TEXT_ATTRIBUTE_LENGTH and "\0" not in value
        ):
            return value
        case "text":
            raise ValueError(_("Write a text of at most 500 characters."))
        case "number" if isinstance(value, int | float) and not isinstance(value, bool):
            if math.isfinite(value):
                return value
            raise ValueError(_("Write a number."))
        case "number":
            raise ValueError(_("Write a number."))
        case "boolean" if isinstance(value, bool):
            return value
        case "boolean":
            raise ValueError(_("Write true or false."))
        case "date":
            try:
                return dt.date.fromisoformat(value).isoformat()
            except (TypeError, ValueError) as error:
                raise ValueError(_("Write a date as YYYY-MM-DD.")) from error
        case _choice if value in declared.choices:
            return value
    raise ValueError(_("Choose one of the declared values."))


@dataclass(frozen=True)
class SearchWord:
    """One word that was typed: looked for in names as `text`, in phones as any of `digits`."""

    text: str
    digits: tuple[str, ...] = ()


def plain_letters(text: str) -> str:
    """`text` as names are kept to be searched: small letters, each spelt in one way.

    A letter with a sign may be one character or two; a keyboard decides which.
    """
    return unicodedata.normalize("NFKC", text).lower()


def search_words(text: str) -> list[SearchWord]:
    """What was typed, word by word; a phone number may be typed with spaces and signs.

    Digits of any script count. `digits` stays empty where they are too few to find by.
    """
    ascii_digits = "".join(
        str(unicodedata.digit(letter)) if unicodedata.category(letter) == "Nd" else letter
        for letter in plain_letters(text)
        if letter != "\0"
    )
    bare = "".join(letter for letter in ascii_digits if letter not in " +-().\u00a0\t")
    if bare.isdigit():
        return [SearchWord(ascii_digits.strip(), _phone_parts(bare))]
    return [SearchWord(word, _phone_parts(word)) for word in ascii_digits.split()]


# The scripts of India and Urdu's: their letters are no letters to an index of trigrams unless the
# database was made for them, so that they stand in `Customer.search_key` as Latin ones. Several
# share one: the key finds candidates, the name itself decides.
_LATIN = "0123456789abcdefghijklmnopqrstuvwxyz"
FOREIGN = "".join(map(chr, [*range(0x0600, 0x0700), *range(0x0900, 0x0D80)]))
AS_LATIN = "".join(_LATIN[(ord(letter) & 0x7F) % len(_LATIN)] for letter in FOREIGN)
_TO_LATIN = str.maketrans(FOREIGN, AS_LATIN)


def search_key(text: str) -> str:
    """What to look for in `Customer.search_key`; empty where the name itself can be searched."""
    key = text.translate(_TO_LATIN)
    return key if key != text else ""


def _phone_parts(text: str) -> tuple[str, ...]:
    """E.164 has neither the trunk's 0 nor the 00 in front of a country code."""
    spellings = dict.fromkeys((text, text.lstrip("0")))
    return tuple(part for part in spellings if part.isdigit() and len(part) >= SHORTEST_PHONE_PART)


@dataclass(frozen=True)
class Statement:
    """What the ledger says in one line; an empty `purpose` means every purpose of the channel."""

    state: str
    channel: str = ""
    purpose: str = ""
    basis: str = ""


def no_consent() -> dict[str, Any]:
    """The fields of a consent state before anything was said."""
    fields: dict[str, Any] = {}
    for channel in CHANNELS:
        fields |= {f"{channel}_{purpose}": False for purpose in CONSENT_PURPOSES}
        fields[f"{channel}_basis"] = ""
    return fields | {
        "is_dnd": False,
        "marketing_opted_out": False,
        "opted_out_at": None,
        "opt_out_source": "",
    }


def follow(
    state: Mapping[str, Any], said: Statement, *, source: str, at: dt.datetime | None
) -> dict[str, Any]:
    """The consent state after this line of the ledger.

    What was only assumed ends with an opt-out: coming back later needs an explicit yes. A
    channel stays "assumed" while any purpose granted on it was never confirmed.
    """
    after = dict(state)
    match said.state:
        case "granted":
            granted = _purposes(said.purpose)
            others = [p for p in CONSENT_PURPOSES if p not in granted]
            unconfirmed = state[f"{said.channel}_basis"] == ASSUMED and any(
                state[f"{said.channel}_{purpose}"] for purpose in others
            )
            after |= {f"{said.channel}_{purpose}": True for purpose in granted}
            after[f"{said.channel}_basis"] = ASSUMED if unconfirmed else said.basis
        case "withdrawn":
            after |= {f"{said.channel}_{purpose}": False for purpose in _purposes(said.purpose)}
            if not any(after[f"{said.channel}_{purpose}"] for purpose in CONSENT_PURPOSES):
                after[f"{said.channel}_basis"] = ""
        case "dnd_set" | "dnd_cleared":
            after["is_dnd"] = said.state == "dnd_set"
        case "opted_out":
            after |= {"marketing_opted_out": True, "opted_out_at": at, "opt_out_source": source}
            for channel in CHANNELS:
                if state[f"{channel}_basis"] == ASSUMED:
                    after |= {f"{channel}_{purpose}": False for purpose in CONSENT_PURPOSES}
                    after[f"{channel}_basis"] = ""
        case "opted_in":
            after |= {"marketing_opted_out": False, "opted_out_at": None, "opt_out_source": ""}
    return after


def statements(state: Mapping[str, Any], changes: Mapping[str, Any]) -> list[Statement]:
    """The ledger's lines for `changes`; none for what already stands.

    Keys are `marketing_opted_out`, `is_dnd`, `<channel>_consent` (every purpose) and
    `<channel>_<purpose>`; values are true or false. A yes is explicit, so saying it again
    where it was only assumed is a change. Coming back stands before what she agrees to, and
    an opt-out after it, so that both are taken at their word.
    """
    said: list[Statement] = []
    now = dict(state)

    def say(line: Statement) -> None:
        said.append(line)
        now.update(follow(now, line, source="", at=None))

    if changes.get("marketing_opted_out") is False and now["marketing_opted_out"]:
        say(Statement("opted_in"))
    dnd = changes.get("is_dnd")
    if dnd is not None and dnd != now["is_dnd"]:
        say(Statement("dnd_set" if dnd else "dnd_cleared"))
    for channel in CHANNELS:
        for purpose in ("", *CONSENT_PURPOSES):
            wanted = changes.get(f"{channel}_{purpose or 'consent'}")
            if wanted is None:
                continue
            present = [now[f"{channel}_{name}"] for name in _purposes(purpose)]
            if wanted and not (all(present) and now[f"{channel}_basis"] == EXPLICIT):
                say(Statement("granted", channel, purpose, EXPLICIT))
            elif not wanted and any(present):
                say(Statement("withdrawn", channel, purpose))
    if changes.get("marketing_opted_out") and not now["marketing_opted_out"]:
        say(Statement("opted_out"))
    return said


def refusals(changes: Mapping[str, Any]) -> list[Statement]:
    """The lines of `changes` that refuse something, whatever stands already."""
    refused = {
        name: value
        for name, value in changes.items()
        if value is (name in ("marketing_opted_out", "is_dnd"))
    }
    everything: dict[str, Any] = {
        name: True if isinstance(value, bool) else value for name, value in no_consent().items()
    }
    return statements(everything | {"is_dnd": False, "marketing_opted_out": False}, refused)


def stricter(state: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, bool]:
    """The changes that make `state` agree to no more than `other` does."""
    changes = {
        name: False
        for channel in CHANNELS
        for purpose in CONSENT_PURPOSES
        if state[name := f"{channel}_{purpose}"] and not other[name]
    }
    return changes | {
        name: True for name in ("is_dnd", "marketing_opted_out") if other[name] and not state[name]
    }


def loosening(state: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[Statement]:
    """The lines that lead from `state` to `wanted`, which agrees to as much or more."""
    said: list[Statement] = []
    if state["marketing_opted_out"] and not wanted["marketing_opted_out"]:
        said.append(Statement("opted_in"))
    if state["is_dnd"] and not wanted["is_dnd"]:
        said.append(Statement("dnd_cleared"))
    said += [
        Statement("granted", channel, purpose, wanted[f"{channel}_basis"])
        for channel in CHANNELS
        for purpose in CONSENT_PURPOSES
        if wanted[f"{channel}_{purpose}"] and not state[f"{channel}_{purpose}"]
    ]
    return said


def _purposes(purpose: str) -> Sequence[str]:
    return (purpose,) if purpose else CONSENT_PURPOSES
