"""What events say of memberships and packages. Asks the database nothing."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from customers.models import Membership, Package
from marketing.core.sentences import gettext as _

MEMBERSHIP, PACKAGE = "membership", "package"
MODELS: dict[str, type[Membership] | type[Package]] = {MEMBERSHIP: Membership, PACKAGE: Package}
KINDS = {
    f"{kind}.{what}": kind
    for kind in (MEMBERSHIP, PACKAGE)
    for what in ("sold", "started", "renewed", "used", "changed", "expired", "cancelled")
}
# What a new one has where nothing is said; what has no default must be said.
DEFAULTS: dict[str, dict[str, Any]] = {
    MEMBERSHIP: {"status": Membership.Status.ACTIVE},
    PACKAGE: {"sessions_used": 0, "is_cancelled": False},
}
TEXT, DATE, COUNT, TRUTH, STATUS = "text", "date", "count", "truth", "status"
FIELDS: dict[str, dict[str, tuple[str, str]]] = {
    MEMBERSHIP: {
        "plan": ("plan", TEXT),
        "status": ("status", STATUS),
        "startsOn": ("starts_on", DATE),
        "expiresOn": ("expires_on", DATE),
    },
    PACKAGE: {
        "name": ("name", TEXT),
        "sessionsTotal": ("sessions_total", COUNT),
        "sessionsUsed": ("sessions_used", COUNT),
        "isCancelled": ("is_cancelled", TRUTH),
        "startsOn": ("starts_on", DATE),
        "expiresOn": ("expires_on", DATE),
    },
}
MOST = 32_767


@dataclass(frozen=True)
class Holding:
    """A membership or package as an event tells of it: what is not said stays as it is."""

    kind: str
    external_id: str
    values: Mapping[str, Any]

    def missing(self, known: Mapping[str, Any]) -> list[str]:
        """What must be said of one that is not `known` so far, by its name on the wire."""
        whole = {**DEFAULTS[self.kind], **known, **self.values}
        return [wire for wire, (name, _type) in FIELDS[self.kind].items() if name not in whole]


def read(kind: str, name: str, said: Mapping[str, Any], wrong: dict[str, list[str]]) -> Holding:
    """What the properties say; faults go into `wrong`, by path."""
    number = said.get(f"{kind}Id")
    if not isinstance(number, str) or not 0 < len(number.strip()) <= 100 or "\0" in number:
        wrong[f"properties.{kind}Id"] = [_("The number of the selling system, as a text.")]
        number = ""
    values: dict[str, Any] = {}
    for wire, (field, type_) in FIELDS[kind].items():
        if said.get(wire) is not None:
            try:
                values[field] = _value(said[wire], type_)
            except (ValueError, TypeError) as error:
                wrong[f"properties.{wire}"] = [_(str(error))]
    if kind == MEMBERSHIP and name.endswith((".expired", ".cancelled")):
        values["status"] = name.partition(".")[2]
    elif name.endswith(".cancelled"):
        values["is_cancelled"] = True
    starts, ends = values.get("starts_on"), values.get("expires_on")
    if starts and ends and ends < starts:
        wrong["properties.expiresOn"] = [_("This is before it begins.")]
    return Holding(kind, number.strip(), values)


def _value(given: Any, type_: str) -> Any:
    match type_:
        case "text" if isinstance(given, str) and 0 < len(given) <= 100 and "\0" not in given:
            return given
        case "text":
            raise ValueError("A text of at most 100 characters.")
        case "date" if isinstance(given, str):
            return dt.date.fromisoformat(given)
        case "date":
            raise ValueError("Write a date as YYYY-MM-DD.")
        case "count" if isinstance(given, int) and not isinstance(given, bool):
            if 0 <= given <= MOST:
                return given
            raise ValueError("A number from 0 to 32767.")
        case "count":
            raise ValueError("Write a whole number.")
        case "truth" if isinstance(given, bool):
            return given
        case "status" if given in Membership.Status.values:
            return given
    raise ValueError("This is not one of the choices.")
