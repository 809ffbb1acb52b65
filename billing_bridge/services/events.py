"""Up to a thousand events of a call, taken in by sets: who they are about, and what they tell."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from billing_bridge import held
from billing_bridge.gathering import Gathered, gather
from billing_bridge.reading import APPOINTMENT, CUSTOMER, REVIEW, VISIT, Report, Setting, read
from billing_bridge.services.raw import kept, told
from customers import selectors
from customers.imports.named import Placed, place_people
from customers.imports.writing import serialise
from customers.services.reported import (
    ReportedEvent,
    ReportedVisit,
    known_events,
    put_held,
    record_visits,
    write_events,
)
from marketing.core import audit, clock
from marketing.core import events as domain_events
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, DomainError, NotFound, ValidationFailed
from marketing.core.models import Branch, Staff
from marketing.core.sentences import gettext as _
from marketing.core.tenancy import current_tenant

SOURCE = "api"
NEWER = """
SELECT said.customer_id, said.field
FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[]) AS said(customer_id, field, at)
WHERE EXISTS (
    SELECT FROM customers_customerevent known
    WHERE known.customer_id = said.customer_id
      AND known.name IN ('customer.created', 'customer.updated')
      AND known.occurred_at > said.at AND known.properties->'fields' ? said.field
)
"""


@dataclass
class Taken:
    """What became of a call: how many are new, the ids known before, and each that was refused."""

    accepted: int = 0
    duplicates: list[str] = field(default_factory=list)
    errors: dict[int, tuple[str, DomainError]] = field(default_factory=dict)
    customer_ids: list[uuid.UUID] = field(default_factory=list)

    def refuse(self, index: int, external_id: str, error: DomainError) -> None:
        self.errors[index] = (external_id, error)

    def told(self) -> list[dict[str, Any]]:
        """The refusals in the order of the call, as they are answered."""
        return self._each(told)

    def kept(self) -> list[dict[str, Any]]:
        """The same as the raw row keeps them."""
        return self._each(kept)

    def _each(self, write: Callable[[DomainError], dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {"index": index, "id": external_id, **write(error)}
            for index, (external_id, error) in sorted(self.errors.items())
        ]


@transaction.atomic
def take_events(*, actor: Actor, events: Sequence[Any], where: str) -> Taken:
    """Take in what is right, name what is not; the same `id` a second time changes nothing.

    What happened later counts, wherever in the call it stands. `where` proves what is said of
    consent. The statements are as many for a thousand events as for one of each kind.
    """
    actor.require("event.record")
    taken = Taken()
    reports = _read(actor, events, taken)
    # From here on no other call of the chain enters people or events.
    serialise()
    reports = _first_of_each(reports, taken)
    reports = _with_staff(reports, taken)
    reports = _complete(reports, taken)
    people = gather(reports)
    placed = place_people(
        actor=actor, people=[each.filling for each in people], source=SOURCE, where=where
    )
    whose = _whose(people, placed, taken)
    _replace(actor, people, placed, where, taken)
    whose = {index: pk for index, pk in whose.items() if index not in taken.errors}
    good = [report for report in reports if report.index in whose]
    fresh = write_events([_event(report, whose) for report in good])
    _apply(actor, [report for report in good if report.id in fresh], whose)
    taken.accepted = len(fresh)
    taken.customer_ids = list(dict.fromkeys(whose.values()))
    audit.record(
        actor,
        "event.record",
        current_tenant(),
        {"accepted": taken.accepted, "refused": len(taken.errors)},
    )
    return taken


def _read(actor: Actor, events: Sequence[Any], taken: Taken) -> list[Report]:
    tenant = current_tenant()
    branches: dict[str, uuid.UUID] = {}
    for pk, code in Branch.objects.values_list("pk", "code"):
        if actor.has_branch(pk):
            branches |= {str(pk): pk, code.lower(): pk}
    setting = Setting(
        country=tenant.country,
        languages=frozenset(tenant.languages),
        branches=branches,
        attributes=selectors.attribute_types(),
        now=clock.now(),
    )
    reports = []
    for index, given in enumerate(events):
        try:
            reports.append(read(index, given, setting))
        except DomainError as error:
            said = given.get("id") if isinstance(given, Mapping) else None
            taken.refuse(index, said if isinstance(said, str) else "", error)
    return reports


def _first_of_each(reports: Sequence[Report], taken: Taken) -> list[Report]:
    """Of each id the event that comes first, unless it was taken in before."""
    seen = known_events([report.id for report in reports])
    first = []
    for report in reports:
        if report.id in seen:
            taken.duplicates.append(report.id)
        else:
            seen.add(report.id)
            first.append(report)
    return first


def _with_staff(reports: Sequence[Report], taken: Taken) -> list[Report]:
    named = {report.staff_id for report in reports if report.staff_id}
    known = set(Staff.objects.filter(pk__in=named).values_list("pk", flat=True)) if named else set()
    for report in reports:
        if report.staff_id and report.staff_id not in known:
            fields = {"properties.staffId": [_("There is no such staff member.")]}
            taken.refuse(report.index, report.id, NotFound(fields=fields))
    return [report for report in reports if report.index not in taken.errors]


def _complete(reports: Sequence[Report], taken: Taken) -> list[Report]:
    """Without those that tell too little of a membership or package nobody knows so far."""
    said: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    known = _known(reports)
    for report in sorted(reports, key=lambda each: each.order):
        if holding := report.holding:
            key = (holding.kind, holding.external_id)
            before = {**said[key], **known.get(key, {})}
            if missing := holding.missing(before):
                fields = {f"properties.{name}": [_("Required.")] for name in missing}
                taken.refuse(report.index, report.id, ValidationFailed(fields=fields))
            else:
                said[key] |= holding.values
    return [report for report in reports if report.index not in taken.errors]


def _known(reports: Sequence[Report]) -> dict[tuple[str, str], dict[str, Any]]:
    """The memberships and packages that the reports tell of, as they stand."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for kind, model in held.MODELS.items():
        numbers = {r.holding.external_id for r in reports if r.holding and r.holding.kind == kind}
        if numbers:
            names = [name for name, _type in held.FIELDS[kind].values()]
            rows = model._default_manager.filter(external_id__in=numbers)
            for row in rows.values("external_id", "as_of", *names):
                found[kind, row["external_id"]] = row
    return found


PROBLEMS: dict[str, tuple[type[DomainError], str, str]] = {
    "no_name": (NotFound, "customer", "Nobody is known by this; give a name to enter her."),
    "id": (NotFound, "customer.id", "There is no such customer."),
    "gone": (NotFound, "customer", "This customer was erased or merged into another."),
    "ambiguous": (Conflict, "customer.phone", "Several people have it: name her by id."),
    "id_taken": (Conflict, "customer.externalId", "Another customer has this number."),
}


def _whose(
    people: Sequence[Gathered], placed: Sequence[Placed], taken: Taken
) -> dict[int, uuid.UUID]:
    """Of each event, by its index, the customer; those of nobody are refused."""
    whose = {}
    for person, place in zip(people, placed, strict=True):
        for report in person.reports:
            if place.problem:
                _refuse_person(report, place.problem, taken)
            else:
                whose[report.index] = place.customer_id
    return whose


def _refuse_person(report: Report, problem: str, taken: Taken) -> None:
    error, path, sentence = PROBLEMS.get(problem, PROBLEMS["gone"])
    taken.refuse(report.index, report.id, error(fields={path: [_(sentence)]}))


def _replace(
    actor: Actor,
    people: Sequence[Gathered],
    placed: Sequence[Placed],
    where: str,
    taken: Taken,
) -> None:
    """Let what the customer events say replace what is known from before them."""
    changes = {
        place.customer_id: person
        for person, place in zip(people, placed, strict=True)
        if person.replacing and not place.problem and not place.is_new
    }
    late = _known_later(changes)
    wanted = []
    for customer_id, person in changes.items():
        values = {
            name: value
            for name, (value, _at) in person.replacing.items()
            if (customer_id, name) not in late
        }
        if values:
            wanted.append((person, {**values, "given_id": customer_id}))
    found = place_people(
        actor=actor,
        people=[values for _person, values in wanted],
        source=SOURCE,
        where=where,
        overwrites=True,
    )
    for (person, _values), place in zip(wanted, found, strict=True):
        for report in person.reports:
            if place.problem and report.name in CUSTOMER:
                _refuse_person(report, place.problem, taken)


def _known_later(changes: Mapping[uuid.UUID, Gathered]) -> set[tuple[uuid.UUID, str]]:
    """The fields of which a later event, taken in before, has spoken."""
    said = [
        (customer_id, name, at)
        for customer_id, person in changes.items()
        for name, (_value, at) in person.replacing.items()
    ]
    if not said:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(NEWER, [list(column) for column in zip(*said, strict=True)])
        return set(cursor.fetchall())


def _event(report: Report, whose: Mapping[int, uuid.UUID]) -> ReportedEvent:
    """As it is kept: a customer event notes of which fields it spoke, for those that come late."""
    properties = dict(report.properties)
    if report.name in CUSTOMER:
        properties["fields"] = sorted(set(report.person) - {"given_id"})
    return ReportedEvent(
        external_id=report.id,
        name=report.name,
        customer_id=whose[report.index],
        occurred_at=report.occurred_at,
        properties=properties,
    )


def _apply(actor: Actor, reports: Sequence[Report], whose: Mapping[int, uuid.UUID]) -> None:
    """What the known names mean beyond being kept: visits, reviews, memberships, packages."""
    record_visits(
        actor=actor,
        visits=[
            ReportedVisit(
                external_id=report.visit_id,
                customer_id=whose[report.index],
                branch_id=report.branch_id,
                staff_id=report.staff_id,
                visited_at=report.occurred_at,
                is_of_the_day=report.name == APPOINTMENT,
            )
            for report in reports
            if report.name in (VISIT, APPOINTMENT) and report.branch_id
        ],
    )
    domain_events.record_all(
        REVIEW,
        [
            {
                "customerId": str(whose[report.index]),
                "reviewId": report.id,
                "occurredAt": report.occurred_at.isoformat(),
            }
            for report in reports
            if report.name == REVIEW
        ],
        actor_id=actor.user_id,
    )
    known = _known(reports)
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for report in sorted(reports, key=lambda each: each.order):
        if not (holding := report.holding):
            continue
        key = (holding.kind, holding.external_id)
        before = rows.get(key) or known.get(key) or held.DEFAULTS[holding.kind]
        if _is_late(before.get("as_of"), report.occurred_at):
            continue
        rows[key] = {
            **held.DEFAULTS[holding.kind],
            **before,
            **holding.values,
            "external_id": holding.external_id,
            "customer_id": whose[report.index],
            "as_of": report.occurred_at,
        }
    for kind, model in held.MODELS.items():
        put_held(model=model, rows=[row for (of, _id), row in rows.items() if of == kind])


def _is_late(as_of: dt.datetime | None, occurred_at: dt.datetime) -> bool:
    return as_of is not None and as_of > occurred_at
