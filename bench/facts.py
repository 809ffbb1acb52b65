"""Facts of many people who changed, and of one; beside each a plain update of the same rows.

As the workers do it: a transaction for every 5,000 marks. The plain update writes one column of
rows that stand already; ours reads all visits, bills and lines of these people, too.
"""

import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from bench import machine
from bench.demo import demo_of

PEOPLE = 1_000_000
MARKED = 100_000
ROUNDS = 30
PLAIN = "UPDATE customers_customerfacts SET computed_at = now() WHERE customer_id = ANY(%s)"
SOME = """
    SELECT id FROM customers_customer WHERE tenant_id = %s AND status = 'active'
    ORDER BY md5(id::text) LIMIT %s
"""


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    people = n or PEOPLE
    tenant_id = demo_of(people)
    chosen = _some(tenant_id, min(MARKED, people))
    yield many(tenant_id, people, chosen)
    yield one(tenant_id, people, chosen[:ROUNDS])


def many(tenant_id: uuid.UUID, people: int, chosen: Sequence[uuid.UUID]) -> dict[str, Any]:
    """A burst of marks, until none is left."""
    from customers.facts import BATCH

    with machine.watched() as watched:
        plain = 0.0
        for start in range(0, len(chosen), BATCH):
            plain += _plainly(tenant_id, chosen[start : start + BATCH])
        seconds = _refresh(tenant_id, chosen)
    return {
        "bench": "facts",
        "what": f"{len(chosen)} people",
        "n": people,
        "seconds": round(seconds, 2),
        "per_s": round(len(chosen) / seconds),
        "limit": {"what": "plain update", "per_s": round(len(chosen) / plain)},
        "ratio_to_limit": round(plain / seconds, 3),
        "database_cpu": watched.database,
        "foreign_cpu": watched.foreign_share,
    }


def one(tenant_id: uuid.UUID, people: int, chosen: Sequence[uuid.UUID]) -> dict[str, Any]:
    """Somebody has just paid: from the mark to her facts."""
    with machine.watched() as watched:
        plain = sorted(_plainly(tenant_id, [each]) for each in chosen)
        ours = sorted(_refresh(tenant_id, [each]) for each in chosen)
    return {
        "bench": "facts",
        "what": "one person",
        "n": people,
        "p50_ms": round(ours[len(ours) // 2] * 1000, 1),
        "p95_ms": round(ours[len(ours) * 95 // 100] * 1000, 1),
        "limit": {"what": "plain update", "p50_ms": round(plain[len(plain) // 2] * 1000, 1)},
        "foreign_cpu": watched.foreign_share,
    }


def _some(tenant_id: uuid.UUID, count: int) -> list[uuid.UUID]:
    from django.db import connection

    from marketing.core.tenancy import tenant_scope

    with tenant_scope(tenant_id), connection.cursor() as cursor:
        cursor.execute(SOME, [tenant_id, count])
        return [pk for (pk,) in cursor.fetchall()]


def _plainly(tenant_id: uuid.UUID, chosen: Sequence[uuid.UUID]) -> float:
    from django.db import connection

    from marketing.core.tenancy import tenant_scope

    begun = time.perf_counter()
    with tenant_scope(tenant_id), connection.cursor() as cursor:
        cursor.execute(PLAIN, [list(chosen)])
    return time.perf_counter() - begun


def _refresh(tenant_id: uuid.UUID, chosen: Sequence[uuid.UUID]) -> float:
    from customers import facts
    from marketing.core.tenancy import tenant_scope

    with tenant_scope(tenant_id):
        facts.mark_stale(chosen)
    begun = time.perf_counter()
    marks = 1
    while marks:
        with tenant_scope(tenant_id):
            marks = facts.refresh_stale_facts()
    return time.perf_counter() - begun
