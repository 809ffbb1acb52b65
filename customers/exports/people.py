"""What an export says of a customer, under the headings that an import knows."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from customers.exports.masking import mask_addresses
from customers.imports import columns
from customers.imports.validation import ASSUMED
from customers.models import Customer
from customers.rules import CHANNELS, mask_email
from customers.selectors import attribute_types
from marketing.core.logs import mask_phone

Reader = Callable[[Mapping[str, Any]], Any]
Mask = Callable[[str], str]

CHUNK = 2_000
READ = (
    "pk", "external_id", "first_name", "last_name", "phone", "email", "whatsapp_id", "birth_date",
    "anniversary", "gender", "language", "preferred_channel", "home_branch__code", "tags",
    "latitude", "longitude", "attributes", "consent__marketing_opted_out",
    *(f"consent__{name}" for name in columns.PURPOSE_NAMES),
    *(f"consent__{channel}_basis" for channel in CHANNELS),
)  # fmt: skip
SPECIAL: dict[str, Reader] = {
    "given_id": lambda row: str(row["pk"]),
    "home_branch": lambda row: row["home_branch__code"],
    "tags": lambda row: _listed(row["tags"]),
    "marketing_opted_out": lambda row: "yes" if row["consent__marketing_opted_out"] else "",
}
# Written by hand: a phone or an e-mail address may stand in it too.
WRITTEN = frozenset({"external_id", "first_name", "last_name", "tags"})
WRITTEN_TYPES = frozenset({"text", "number"})
# What a masked export says nothing of.
UNMASKABLE = frozenset({"whatsapp_id", "latitude", "longitude"})


@dataclass(frozen=True)
class Column:
    name: str
    heading: str
    read: Reader


def all_columns(*, is_masked: bool) -> list[Column]:
    """Every field an import takes; `is_masked` hides how people can be reached."""
    masks = _masks() if is_masked else {}
    left_out = {"name", *UNMASKABLE} if is_masked else {"name"}
    left_out |= {target.name for target in columns.CONSENTS} - {*columns.PURPOSE_NAMES}
    return [
        Column(target.name, target.heading, _reader(target.name, masks.get(target.name)))
        for target in columns.all_targets()
        if target.name not in left_out
    ]


def read_people(people: QuerySet[Customer], chosen: list[Column]) -> Iterator[list[Any]]:
    """The cells of each customer, by a cursor of the server's; within an open tenant scope."""
    for row in people.order_by("pk").values(*READ).iterator(chunk_size=CHUNK):
        yield [_plain(column.read(row)) for column in chosen]


def _masks() -> dict[str, Mask]:
    """How to mask what may hold an address, by the name of the column."""
    noted = {
        columns.ATTRIBUTE + key
        for key, declared in attribute_types().items()
        if declared.type in WRITTEN_TYPES
    }
    return {
        "phone": mask_phone,
        "email": mask_email,
        **dict.fromkeys(WRITTEN | noted, mask_addresses),
    }


def _reader(name: str, mask: Mask | None) -> Reader:
    read = _plain_reader(name)
    return (lambda row: _hidden(read(row), mask)) if mask else read


def _hidden(value: Any, mask: Mask) -> Any:
    if value is None or value == "":
        return value
    text = str(value)
    masked = mask(text)
    return value if masked == text else masked


def _plain_reader(name: str) -> Reader:
    if name.startswith(columns.ATTRIBUTE):
        key = name.removeprefix(columns.ATTRIBUTE)
        return lambda row: row["attributes"].get(key)
    if name in columns.PURPOSE_NAMES:
        return lambda row: _consent(row, name)
    return SPECIAL.get(name, lambda row: row[name])


def _consent(row: Mapping[str, Any], name: str) -> str:
    """Empty where there is none: imported again, it must end no consent given since."""
    if not row[f"consent__{name}"]:
        return ""
    channel = name.partition("_")[0]
    return ASSUMED if row[f"consent__{channel}_basis"] == ASSUMED else "yes"


def _listed(tags: list[str]) -> str:
    if not tags:
        return ""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(tags)
    return line.getvalue()


def _plain(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, int | float | str) else str(value)
