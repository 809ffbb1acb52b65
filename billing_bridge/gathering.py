"""Which of a call's events are about the same person, and what they say of her together."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from billing_bridge.reading import CUSTOMER, Report

Key = tuple[str, Any]
COLLECTED = ("tags",)
MERGED = ("attributes", "consents")


@dataclass(frozen=True)
class Gathered:
    """A person, and the events about her in the order in which they happened."""

    reports: Sequence[Report]

    @cached_property
    def filling(self) -> dict[str, Any]:
        """All that is said of her: what a new customer has, and what fills gaps of a known one.

        Customer events know better than others, and later ones better than earlier.
        """
        values: dict[str, Any] = {}
        for report in sorted(self.reports, key=lambda each: each.name in CUSTOMER):
            _add(values, report.person)
        return values

    @cached_property
    def replacing(self) -> dict[str, tuple[Any, dt.datetime]]:
        """What customer events say of her, and when it was so."""
        values: dict[str, Any] = {}
        at: dict[str, dt.datetime] = {}
        for report in self.reports:
            if report.name in CUSTOMER:
                said = {k: v for k, v in report.person.items() if k not in ("given_id", "consents")}
                _add(values, said)
                at |= dict.fromkeys(said, report.occurred_at)
        return {name: (value, at[name]) for name, value in values.items()}


def _add(values: dict[str, Any], said: Mapping[str, Any]) -> None:
    for name, value in said.items():
        if name in COLLECTED and name in values:
            values[name] = list(dict.fromkeys([*values[name], *value]))
        elif name in MERGED and name in values:
            values[name] = {**values[name], **value}
        else:
            values[name] = value


def gather(reports: Sequence[Report]) -> list[Gathered]:
    """The people of the call, each once.

    Whoever is named by phone or e-mail alone is the one who is named with it by a number too,
    if there is just one.
    """
    owners: dict[Key, set[Key]] = defaultdict(set)
    for report in reports:
        first = _key(report.person)
        for name in ("external_id", "phone", "email"):
            if name in report.person and (name, report.person[name]) != first:
                owners[name, report.person[name]].add(first)
    people: dict[Key, list[Report]] = defaultdict(list)
    for report in sorted(reports, key=lambda each: each.order):
        people[_owner(_key(report.person), owners)].append(report)
    return [Gathered(of) for of in people.values()]


def _key(person: Mapping[str, Any]) -> Key:
    for name in ("given_id", "external_id", "phone", "email"):
        if name in person:
            return name, person[name]
    raise ValueError("nobody is named")


def _owner(key: Key, owners: Mapping[Key, set[Key]]) -> Key:
    seen = {key}
    while len(found := owners.get(key, set())) == 1:
        (key,) = found
        if key in seen:
            break
        seen.add(key)
    return key
