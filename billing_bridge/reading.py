"""One reported event as typed values, or what is wrong with it. Asks the database nothing."""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.dateparse import parse_datetime

from billing_bridge import held
from customers import rules
from customers.imports.consents import SOURCES
from customers.models import Channel, Customer
from marketing.core.errors import DomainError, NotFound, ValidationFailed
from marketing.core.sentences import gettext as _

MAX_BYTES = 64 * 1024
MAX_NAME = 60
MAX_ID = 100
# A till's clock may be as much ahead of ours; what is later has not happened yet.
SKEW = dt.timedelta(minutes=15)
OLDEST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
OLDEST_DATE = dt.date(1900, 1, 1)

VISIT = "visit.completed"
# Where its branch is said, she was there: a visit, unless one of that day is known.
APPOINTMENT = "appointment.completed"
REVIEW = "review.posted"
# What they say of the customer replaces what is known; what other events say only fills gaps.
CUSTOMER = frozenset({"customer.created", "customer.updated"})
FIELDS = frozenset({"id", "name", "customer", "occurredAt", "properties"})
BRANCH = frozenset({"branchId", "branchCode"})
KEYS = ("given_id", "external_id", "phone", "email")
TEXTS = {
    "externalId": ("external_id", 100),
    "firstName": ("first_name", 100),
    "lastName": ("last_name", 100),
    "whatsappId": ("whatsapp_id", 140),
}
CONSENTS = {f"{channel}Consent": f"{channel}_consent" for channel in rules.CHANNELS}


@dataclass(frozen=True)
class Setting:
    """What judging an event needs to know of the chain and the sender.

    `branches` maps ids and codes (in lower case) to the branches the sender may name.
    """

    country: str
    languages: frozenset[str]
    branches: Mapping[str, uuid.UUID]
    attributes: Mapping[str, rules.AttributeType]
    now: dt.datetime


@dataclass(frozen=True)
class Report:
    """An event as it is taken in; `person` are clean values as `place_people` takes them."""

    index: int
    id: str
    name: str
    occurred_at: dt.datetime
    person: Mapping[str, Any]
    properties: Mapping[str, Any] = field(default_factory=dict)
    branch_id: uuid.UUID | None = None
    staff_id: uuid.UUID | None = None
    visit_id: str = ""
    holding: held.Holding | None = None

    @property
    def order(self) -> tuple[dt.datetime, int]:
        """What happened later counts; of the same moment, what stands later in the call."""
        return self.occurred_at, self.index


def read(index: int, given: Any, setting: Setting) -> Report:
    """The event. Raises `ValidationFailed` or `NotFound` with every field at fault."""
    reading = _Reading(setting)
    if not isinstance(given, Mapping):
        raise ValidationFailed(_("An event is an object."))
    if fault := _unfit(given):
        raise ValidationFailed(fault)
    for unknown in sorted(set(given) - FIELDS):
        reading.wrong[unknown] = [_("There is no such field.")]
    external_id = reading.text("id", given.get("id"), MAX_ID, required=True)
    name = reading.text("name", given.get("name"), MAX_NAME, required=True)
    occurred_at = reading.moment(given.get("occurredAt"))
    person = reading.person(given.get("customer"))
    properties = given.get("properties") or {}
    if not isinstance(properties, Mapping):
        reading.wrong["properties"] = [_("An object with names and values.")]
        properties = {}
    reading.properties(name, properties, external_id)
    reading.refuse()
    return Report(
        index=index,
        id=external_id,
        name=name,
        occurred_at=occurred_at,
        person=person,
        properties=properties,
        **reading.found,
    )


def _unfit(given: Any) -> str:
    """Why nobody could store it; JSON says more than PostgreSQL takes."""
    try:
        text = json.dumps(given, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return _("This holds signs or numbers that cannot be stored.")
    return _("An event weighs at most 64 KB.") if len(text) > MAX_BYTES else ""


class _Reading:
    """Collects what is wrong, by the path of the field."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self.wrong: dict[str, list[str]] = {}
        self.missing: dict[str, list[str]] = {}
        self.found: dict[str, Any] = {}

    def refuse(self) -> None:
        error: type[DomainError] = ValidationFailed if self.wrong else NotFound
        if fields := self.wrong | self.missing:
            raise error(fields=fields)

    def text(self, path: str, value: Any, longest: int, *, required: bool = False) -> str:
        """Trimmed; "" where it is not said."""
        if value is None and not required:
            return ""
        if not isinstance(value, str) or "\0" in value:
            self.wrong[path] = [_("A text without control characters.")]
            return ""
        text = value.strip()
        if required and not text:
            self.wrong[path] = [_("Required.")]
        elif len(text) > longest:
            self.wrong[path] = [_("At most %(n)d characters.") % {"n": longest}]
        return text

    def moment(self, value: Any) -> dt.datetime:
        """When it happened; the zone must be said."""
        try:
            moment = parse_datetime(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None:
            self.wrong["occurredAt"] = [_("A time like 2026-05-04T10:30:00+05:30.")]
        elif moment.tzinfo is None:
            self.wrong["occurredAt"] = [_("Say the time's zone: Z, or +05:30.")]
        elif moment > self._setting.now + SKEW:
            self.wrong["occurredAt"] = [_("This lies in the future. Is the sender's clock right?")]
        elif moment < OLDEST:
            self.wrong["occurredAt"] = [_("This lies too far back.")]
        else:
            return moment
        return OLDEST

    def person(self, given: Any) -> dict[str, Any]:
        if isinstance(given, str):
            given = {"id": given}
        if not isinstance(given, Mapping):
            self.wrong["customer"] = [_("Name the customer by id, phone, externalId or email.")]
            return {}
        values: dict[str, Any] = {}
        for name, value in given.items():
            if value is not None and value != "":
                self._take(name, value, values)
        if not any(name in values for name in KEYS) and not self.wrong:
            self.wrong["customer"] = [_("Name the customer by id, phone, externalId or email.")]
        return values

    def _take(self, name: str, value: Any, values: dict[str, Any]) -> None:
        path = f"customer.{name}"
        readers: dict[str, Callable[[], dict[str, Any]]] = {
            "id": lambda: {"given_id": uuid.UUID(_string(value))},
            "name": lambda: _names(self.text(path, value, 200)),
            "phone": lambda: {"phone": rules.normalize_phone(_plain(value), self._setting.country)},
            "email": lambda: {"email": rules.normalize_email(_plain(value))},
            "birthDate": lambda: {"birth_date": self._past_date(value)},
            "anniversary": lambda: {"anniversary": self._past_date(value)},
            "gender": lambda: {"gender": _one_of(value, Customer.Gender.values)},
            "language": lambda: {"language": _one_of(value, {*self._setting.languages, "en"})},
            "preferredChannel": lambda: {"preferred_channel": _one_of(value, Channel.values)},
            "homeBranchId": lambda: {"home_branch_id": self.branch(path, value)},
            "tags": lambda: {"tags": rules.clean_tags(map(_plain, _list(value)))},
            "attributes": lambda: {"attributes": self._attributes(value)},
            "latitude": lambda: {"latitude": _degrees(value, 90)},
            "longitude": lambda: {"longitude": _degrees(value, 180)},
            "consents": lambda: {"consents": _consents(value)},
        }
        if name in TEXTS:
            field_name, longest = TEXTS[name]
            values[field_name] = " ".join(self.text(path, value, longest).split())
        elif name not in readers:
            self.wrong[path] = [_("There is no such field.")]
        else:
            try:
                values |= readers[name]()
            except (ValueError, TypeError) as error:
                self.wrong[path] = [_(str(error))]

    def branch(self, path: str, value: Any) -> uuid.UUID | None:
        """One of the sender's branches, by id or code."""
        known = self._setting.branches.get(value.strip().lower()) if _is_text(value) else None
        if known is None:
            self.missing[path] = [_("There is no such branch, or it is not the sender's.")]
        return known

    def properties(self, name: str, said: Mapping[str, Any], external_id: str) -> None:
        """What the known names say beyond being kept; others are kept as they are."""
        if name == VISIT or (name == APPOINTMENT and not said.keys().isdisjoint(BRANCH)):
            self._visit(said, external_id)
        elif kind := held.KINDS.get(name):
            self.found["holding"] = held.read(kind, name, said, self.wrong)
        elif name.startswith("appointment.") and (given := said.get("branchId")):
            self.branch("properties.branchId", given)

    def _visit(self, said: Mapping[str, Any], external_id: str) -> None:
        which = "branchId" if "branchId" in said else "branchCode"
        branch_id = self.branch(f"properties.{which}", said.get(which))
        named = "visitId" if said.get("visitId") else "appointmentId"
        number = self.text(f"properties.{named}", said.get(named), MAX_ID)
        self.found |= {"branch_id": branch_id, "visit_id": number or external_id}
        if staff := said.get("staffId"):
            try:
                self.found["staff_id"] = uuid.UUID(_string(staff))
            except ValueError:
                self.wrong["properties.staffId"] = [_("The id of a staff member.")]

    def _past_date(self, value: Any) -> dt.date:
        date = dt.date.fromisoformat(_string(value))
        if not OLDEST_DATE <= date <= self._setting.now.date() + dt.timedelta(days=1):
            raise ValueError("A day from 1900 until today.")
        return date

    def _attributes(self, given: Any) -> dict[str, Any]:
        if not isinstance(given, Mapping):
            raise TypeError("An object with names and values.")
        values = {}
        for key, value in given.items():
            declared = self._setting.attributes.get(key)
            if declared is None:
                self.wrong[f"customer.attributes.{key}"] = [_("There is no such attribute.")]
            elif value is not None:
                values[key] = rules.check_attribute(value, declared)
        return values


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("Write it as a text.")
    return value


def _plain(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("A text without control characters.")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("Write a list.")
    return value


def _one_of(value: Any, known: Any) -> str:
    if not isinstance(value, str) or value not in known:
        raise ValueError("This is not one of the chain's choices.")
    return value


def _degrees(value: Any, limit: int) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > limit:
        raise ValueError("Write degrees as a number.")
    return float(value)


def _names(text: str) -> dict[str, str]:
    first, *others = text.split()
    return {"first_name": first[:100]} | ({"last_name": " ".join(others)[:100]} if others else {})


def _consents(given: Any) -> dict[str, Any]:
    """What she said; a yes needs to be told how it was given."""
    known = {*CONSENTS, "marketingOptedOut", "source"}
    if not isinstance(given, Mapping) or set(given) - known:
        raise ValueError("Write whatsappConsent, smsConsent, emailConsent, marketingOptedOut.")
    said = {CONSENTS[name]: value for name, value in given.items() if name in CONSENTS}
    if given.get("marketingOptedOut"):
        said["marketing_opted_out"] = given["marketingOptedOut"]
    if not all(isinstance(value, bool) for value in said.values()):
        raise ValueError("Write true or false.")
    source = given.get("source", "")
    if source and source not in SOURCES:
        raise ValueError("The source of a consent is one of the list in the documentation.")
    if any(said[name] for name in CONSENTS.values() if name in said) and not source:
        raise ValueError("A consent needs its source: how she gave it.")
    return said | ({"source": source} if source else {})
