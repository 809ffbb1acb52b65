"""What an export says of a customer, under the headings that an import knows."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from customers.imports import columns
from customers.imports.validation import ASSUMED
from customers.models import Customer
from customers.rules import CHANNELS, mask_email
from marketing.core.logs import mask_phone

CHUNK = 2_000
READ = (
    "pk", "external_id", "first_name", "last_name", "phone", "email", "whatsapp_id", "birth_date",
    "anniversary", "gender", "language", "preferred_channel", "home_branch__code", "tags",
    "latitude", "longitude", "attributes", "consent__marketing_opted_out",
    *(f"consent__{name}" for name in columns.PURPOSE_NAMES),
    *(f"consent__{channel}_basis" for channel in CHANNELS),
)  # fmt: skip
SPECIAL: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "given_id": lambda row: str(row["pk"]),
    "home_branch": lambda row: row["home_branch__code"],
    "tags": lambda row: _listed(row["tags"]),
    "marketing_opted_out": lambda row: "yes" if row["consent__marketing_opted_out"] else "",
}
# What a masked export says nothing of.
UNMASKABLE = frozenset({"whatsapp_id", "latitude", "longitude"})


@dataclass(frozen=True)
class Column:
    name: str
    heading: str
    read: Callable[[Mapping[str, Any]], Any]


def all_columns(*, is_masked: bool) -> list[Column]:
    """Every field an import takes; `is_masked` hides how people can be reached."""
    masks = {"phone": mask_phone, "email": mask_email} if is_masked else {}
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


def _reader(name: str, mask: Callable[[str], str] | None) -> Callable[[Mapping[str, Any]], Any]:
    if name.startswith(columns.ATTRIBUTE):
        key = name.removeprefix(columns.ATTRIBUTE)
        return lambda row: row["attributes"].get(key)
    if name in columns.PURPOSE_NAMES:
        return lambda row: _consent(row, name)
    if mask:
        return lambda row: mask(row[name]) if row[name] else ""
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
