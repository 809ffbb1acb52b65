"""Whether the stored facts are what follows from the source rows, and mending where not."""

import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from customers import facts, facts_sql
from customers.scoring import ensure_scoring
from marketing.core import clock
from marketing.core.tenancy import current_tenant_id

SLICE = 50_000

# Computed again soon anyway: of these a difference says nothing.
WAITING = """(
    EXISTS (SELECT FROM customers_stalefacts mark WHERE mark.customer_id = {table}.{id})
    OR EXISTS (SELECT FROM customers_customerfacts facts WHERE facts.customer_id = {table}.{id}
               AND facts.stage <> 'prospect' AND facts.scoring_version <> %(version)s))"""


@dataclass
class Finding:
    """`differences` by column, of `customers` compared; `waiting` ones were left out."""

    customers: int = 0
    waiting: int = 0
    differences: Counter[str] = field(default_factory=Counter)
    wrong: list[uuid.UUID] = field(default_factory=list)


def compare(after: uuid.UUID, limit: int = SLICE) -> tuple[uuid.UUID | None, Finding]:
    """Compare up to `limit` customers of the open tenant with higher ids than `after`.

    Each as of the moment their facts were computed, so that the clock makes no difference.
    Each statement reads facts and source rows in one snapshot. Returns the last id, None
    when there was nobody.
    """
    finding = Finding()
    last = facts.last_of_slice(after, limit)
    if last is None:
        return None, finding
    with transaction.atomic(), connection.cursor() as cursor:
        values: dict[str, Any] = {
            "tenant": current_tenant_id(),
            "now": clock.now(),
            "version": ensure_scoring().version,
            "after": after,
            "last": last,
        }
        here = {"table": "customers_customer", "id": "id"}
        cursor.execute(
            f"""
            SELECT count(*), count(*) FILTER (WHERE {WAITING.format(**here)})
            FROM customers_customer WHERE {facts_sql.IN_SLICE.format(**here)}
            """,  # noqa: S608  constants of this module
            values,
        )
        everybody, finding.waiting = cursor.fetchone()
        finding.customers = everybody - finding.waiting
        chosen = f"{facts_sql.IN_SLICE} AND NOT {WAITING}"
        wrong = set()
        for prefix, statement in (
            ("", facts_sql.different_facts(chosen)),
            ("rhythm.", facts_sql.different_rhythms(chosen)),
        ):
            cursor.execute(statement, values)
            for customer_id, columns in cursor.fetchall():
                wrong.add(customer_id)
                finding.differences.update(f"{prefix}{column}" for column in columns)
        finding.wrong = sorted(wrong)
    return last, finding


def mend(wrong: list[uuid.UUID]) -> None:
    """Compute these customers of the open tenant again."""
    with transaction.atomic():
        facts.recompute(wrong)
