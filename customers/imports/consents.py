"""What a file says of consent, taken into the ledger; an import invents none.

A yes needs the stated source that the job's options carry. Nobody is brought back: it is left
aside for whoever opted out, withdrew what it would give, or has an address that opted out,
complained or was erased.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from customers import rules
from customers.facts import mark_stale
from customers.imports.columns import OPT_OUT
from customers.imports.matching import CHUNK_TABLE
from customers.models import ConsentRecord, ConsentState, Customer, ImportJob
from marketing.core import clock, events
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id

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


def take_consents(*, actor: Actor, job: ImportJob) -> Consented:
    """Write what the chunk's lines say, each with job, file and line as its proof."""
    taken = Consented()
    lines = _lines()
    if not lines:
        return taken
    people = sorted(lines)
    states = {
        state.customer_id: state
        for state in ConsentState.objects.select_for_update(no_key=True)
        .filter(customer_id__in=people, customer__status=Customer.Status.ACTIVE)
        .order_by("customer_id")
    }
    refusing = _known_to_refuse(people)
    withdrawn = _withdrawn(people)
    records: list[ConsentRecord] = []
    moved: list[ConsentState] = []
    for customer_id, state in states.items():
        line, wanted = lines[customer_id]
        before = {name: getattr(state, name) for name in rules.no_consent()}
        allowed = {
            name: value
            for name, value in wanted.items()
            if value is False
            or name == OPT_OUT.name
            or not (
                before["marketing_opted_out"]
                or customer_id in refusing
                or (customer_id, name.partition("_")[0]) in withdrawn
            )
        }
        taken.left_aside += len(allowed) < len(wanted)
        said = rules.statements(before, allowed)
        if not said:
            continue
        taken.recorded += 1
        after = before
        for statement in said:
            source = job.options.get("consent_source") or OPT_OUT_SOURCE
            after = rules.follow(after, statement, source=source, at=clock.now())
            records.append(_record(actor, job, customer_id, line, statement, source))
        for name, value in after.items():
            setattr(state, name, value)
        state.updated_at = clock.now()
        moved.append(state)
        _tell(customer_id, before, after)
    ConsentRecord.objects.bulk_create(records, batch_size=2_000)
    ConsentState.objects.bulk_update(moved, [*rules.no_consent(), "updated_at"], batch_size=1_000)
    mark_stale(state.customer_id for state in moved)
    return taken


def _lines() -> dict[uuid.UUID, tuple[int, Mapping[str, bool]]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT customer_id, line, consents::text FROM {CHUNK_TABLE} "  # noqa: S608
            "WHERE consents IS NOT NULL AND customer_id IS NOT NULL AND outcome <> 'invalid'"
        )
        return {
            customer_id: (line, json.loads(said)) for customer_id, line, said in cursor.fetchall()
        }


def _known_to_refuse(people: list[uuid.UUID]) -> set[uuid.UUID]:
    """Whoever shares an address with somebody who opted out, or whose address is suppressed.

    Addresses are all that she has and those of her line; of somebody who was merged, whom she
    became one with speaks.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REFUSING, {"people": people, "tenant": current_tenant_id()})
        return {customer_id for (customer_id,) in cursor.fetchall()}


_OPTED_OUT = """
    c.status = 'active' AND (SELECT said.marketing_opted_out FROM customers_consentstate said
                             WHERE said.customer_id = c.id)
"""
# Looked up address by address: in a table that has just grown from nothing, a planner that joins
# walks through it for every line.
_REFUSING = f"""
WITH addresses AS (
    SELECT c.id, own.kind, own.value FROM customers_customer c,
        LATERAL (VALUES ('phone', c.phone), ('email', c.email)) AS own(kind, value)
    WHERE c.id = ANY (%(people)s) AND own.value <> ''
    UNION
    SELECT p.customer_id, p.kind, p.value FROM customers_contactpoint p
    WHERE p.customer_id = ANY (%(people)s) AND p.kind IN ('phone', 'email')
    UNION
    SELECT g.customer_id, said.kind, said.value FROM {CHUNK_TABLE} g,
        LATERAL (VALUES ('phone', g.phone), ('email', g.email)) AS said(kind, value)
    WHERE g.customer_id = ANY (%(people)s) AND said.value <> ''
)
SELECT DISTINCT a.id FROM addresses a
WHERE EXISTS (SELECT FROM customers_customer c
              WHERE c.tenant_id = %(tenant)s AND a.kind = 'phone' AND c.phone = a.value
                AND {_OPTED_OUT})
   OR EXISTS (SELECT FROM customers_customer c
              WHERE c.tenant_id = %(tenant)s AND a.kind = 'email' AND c.email = a.value
                AND {_OPTED_OUT})
   OR EXISTS (SELECT FROM customers_contactpoint p
              WHERE p.tenant_id = %(tenant)s AND p.kind = a.kind AND p.value = a.value
                AND (SELECT {_OPTED_OUT} FROM customers_customer c WHERE c.id = p.customer_id))
   OR EXISTS (SELECT FROM customers_suppression known
              WHERE known.tenant_id = %(tenant)s AND known.reason IN ('opted_out', 'complaint')
                AND known.address_hash = parlour_address_hash(%(tenant)s, a.value))
"""  # noqa: S608  the name of our own table


def _withdrawn(people: list[uuid.UUID]) -> set[tuple[uuid.UUID, str]]:
    """`(customer, channel)` where the newest word on the channel is a withdrawal."""
    newest = (
        ConsentRecord.objects.filter(customer_id__in=people)
        .exclude(channel="")
        .order_by("customer_id", "channel", "-id")
        .distinct("customer_id", "channel")
        .values_list("customer_id", "channel", "state")
    )
    return {
        (pk, channel) for pk, channel, state in newest if state == ConsentRecord.State.WITHDRAWN
    }


def _record(
    actor: Actor,
    job: ImportJob,
    customer_id: uuid.UUID,
    line: int,
    said: rules.Statement,
    source: str,
) -> ConsentRecord:
    options = job.options
    details = [options.get("consent_date", ""), options.get("consent_details", "")]
    proof = f"import {job.pk}, {job.file_name}, line {line}"
    return ConsentRecord(
        customer_id=customer_id,
        channel=said.channel,
        purpose=said.purpose,
        state=said.state,
        basis=said.basis,
        source=source,
        wording_version=options.get("consent_wording", ""),
        reason="; ".join(text for text in (*details, proof) if text),
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
