"""What a file says of consent, taken into the ledger; an import invents none.

A yes needs the stated source that the job's options carry. Nobody is brought back: where somebody
refused before, it is left aside (`refusals`).
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from customers import rules
from customers.facts import mark_stale
from customers.imports.columns import OPT_OUT
from customers.imports.matching import CHUNK_TABLE
from customers.imports.refusals import channels_noted, refused_channels
from customers.models import ConsentRecord, ConsentState, Customer, ImportJob
from marketing.core import clock, events
from marketing.core.actor import Actor

# Where and how the consent was given, as the ledger keeps it.
SOURCES = {
    "paper_form": _("Signed paper form"),
    "website_form": _("Form on the website"),
    "app": _("In an app"),
    "counter": _("Said at the counter"),
    "event": _("At an event"),
    "former_system": _("Recorded by the former system"),
}
OPT_OUT_SOURCE = "import"


@dataclass
class Consented:
    """For how many people something was written, and for how many a yes was left aside."""

    recorded: int = 0
    left_aside: int = 0


@dataclass(frozen=True)
class Evidence:
    """What proves the lines' words; `source` is for those that do not name their own."""

    source: str
    wording_version: str
    where: str

    @classmethod
    def of_job(cls, job: ImportJob) -> "Evidence":
        options = job.options
        details = (options.get("consent_date", ""), options.get("consent_details", ""))
        proof = f"import {job.pk}, {job.file_name}"
        return cls(
            source=options.get("consent_source") or OPT_OUT_SOURCE,
            wording_version=options.get("consent_wording", ""),
            where="; ".join(text for text in (*details, proof) if text),
        )


def take_consents(*, actor: Actor, evidence: Evidence) -> Consented:
    """Write what the chunk's lines say, each with file (or call) and line as its proof."""
    taken = Consented()
    lines = _lines()
    if not lines:
        return taken
    states = {
        state.customer_id: state
        for state in ConsentState.objects.select_for_update(no_key=True)
        .filter(customer_id__in=sorted(lines), customer__status=Customer.Status.ACTIVE)
        .order_by("customer_id")
    }
    refused = refused_channels()
    records: list[ConsentRecord] = []
    moved: list[ConsentState] = []
    for customer_id, state in states.items():
        line = lines[customer_id]
        before = {name: getattr(state, name) for name in rules.no_consent()}
        closed = refused.get(line.id, set()) | channels_noted(line.problems)
        allowed = {
            name: value
            for name, value in line.wanted.items()
            if value is False or name == OPT_OUT.name or name.partition("_")[0] not in closed
        }
        taken.left_aside += len(allowed) < len(line.wanted)
        said = rules.statements(before, allowed)
        if not said:
            continue
        taken.recorded += 1
        after = before
        for statement in said:
            source = line.source or evidence.source
            after = rules.follow(after, statement, source=source, at=clock.now())
            records.append(_record(actor, evidence, customer_id, line.number, statement, source))
        for name, value in after.items():
            setattr(state, name, value)
        moved.append(state)
        _tell(customer_id, before, after)
    ConsentRecord.objects.bulk_create(records, batch_size=2_000)
    _save(moved)
    mark_stale(state.customer_id for state in moved)
    return taken


@dataclass(frozen=True)
class _Line:
    """What a line says of consent; `problems` as the dry run noted them."""

    id: uuid.UUID
    number: int
    wanted: Mapping[str, bool]
    problems: list[str]
    source: str = ""


def _lines() -> dict[uuid.UUID, _Line]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(customer_id, id), id, line, consents::text, problems "  # noqa: S608
            f"FROM {CHUNK_TABLE} WHERE consents IS NOT NULL AND outcome <> 'invalid'"
        )
        lines = {}
        for customer_id, pk, line, text, problems in cursor.fetchall():
            said = json.loads(text)
            source = said.pop("source", "")
            lines[customer_id] = _Line(pk, line, said, problems, source)
        return lines


def _save(states: Sequence[ConsentState]) -> None:
    """All of them in one statement; a `bulk_update` takes longer than the rest of the import."""
    if not states:
        return
    fields = [each for each in ConsentState._meta.fields if each.name in rules.no_consent()]
    own = ", ".join(f"{field.column} = said.{field.column}" for field in fields)
    columns = ", ".join(f"%s::{field.db_type(connection)}[]" for field in fields)
    names = ", ".join(str(field.column) for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE customers_consentstate s SET {own}, updated_at = %s
            FROM unnest(%s::uuid[], {columns}) AS said(customer_id, {names})
            WHERE s.customer_id = said.customer_id
            """,  # noqa: S608  the names of our own columns
            [
                clock.now(),
                [state.customer_id for state in states],
                *([getattr(state, field.attname) for state in states] for field in fields),
            ],
        )


def _record(
    actor: Actor,
    evidence: Evidence,
    customer_id: uuid.UUID,
    line: int,
    said: rules.Statement,
    source: str,
) -> ConsentRecord:
    return ConsentRecord(
        customer_id=customer_id,
        channel=said.channel,
        purpose=said.purpose,
        state=said.state,
        basis=said.basis,
        source=source,
        wording_version=evidence.wording_version,
        reason=f"{evidence.where}, line {line}",
        user=actor.user,
        at=clock.now(),
    )


def _tell(customer_id: uuid.UUID, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    if not events.has_subscribers("consent.updated"):
        return
    for name, new in after.items():
        if before[name] != new and name != "opted_out_at":
            told = {"field": name, "oldValue": before[name], "newValue": new}
            events.record("consent.updated", {"customerId": str(customer_id), **told})
