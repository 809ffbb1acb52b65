"""Counting all built-in segments, and telling who entered and left them after 10,000 bills."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

from bench import ground, machine
from bench.demo import demo_of

PEOPLE = 1_000_000
BILLS = 10_000
BAR_SECONDS = 15
ROUNDS = 3

VISITS = """
    INSERT INTO customers_visit (tenant_id, customer_id, branch_id, external_id, visited_at)
    SELECT tenant_id, id, home_branch_id, '', now() FROM customers_customer
    WHERE tenant_id = %(tenant)s AND home_branch_id IS NOT NULL AND status = 'active'
    ORDER BY md5(id::text) LIMIT %(bills)s
    RETURNING customer_id
"""
BILL = """
    INSERT INTO customers_purchase (tenant_id, customer_id, branch_id, external_id, invoice_number,
        subtotal, discount, tax, total, status, purchased_at)
    SELECT tenant_id, id, home_branch_id, '', '', 1000, 0, 180, 1180, 'finalised', now()
    FROM customers_customer WHERE id = ANY(%(people)s)
"""


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    people = n or PEOPLE
    tenant_id = demo_of(people)
    yield count_all(tenant_id, people)
    try:
        yield after_bills(tenant_id, people)
    finally:
        with ground.admin() as server:
            server.execute("TRUNCATE segments_segmentmember, segments_membershipchange")
            server.execute("DELETE FROM core_eventdelivery WHERE handler LIKE 'bench.%'")
            server.execute("UPDATE segments_segment SET keeps_members = false")


def count_all(tenant_id: uuid.UUID, people: int) -> dict[str, Any]:
    """As beat has it each six hours, while nothing follows segments."""
    from marketing.core.tenancy import tenant_scope
    from marketing.segments import services

    seconds, counted = [], 0
    with machine.watched() as watched:
        for _round in range(ROUNDS):
            begun = time.perf_counter()
            with tenant_scope(tenant_id):
                services.ensure_system_segments()
                counted = services.refresh_all()
            seconds.append(time.perf_counter() - begun)
    return {
        "bench": "refresh",
        "what": f"all {counted} segments",
        "n": people,
        "seconds": round(max(seconds), 2),
        "foreign_cpu": watched.foreign_share,
        "bar": {"seconds": BAR_SECONDS},
        "reached": max(seconds) <= BAR_SECONDS,
    }


def after_bills(tenant_id: uuid.UUID, people: int) -> dict[str, Any]:
    """Facts first, then who entered and left: until the last event is written.

    Raises RuntimeError when a segment's member rows are then not those of its audience.
    """
    from customers import facts
    from marketing.core import events
    from marketing.core.tenancy import tenant_scope
    from marketing.segments import services

    events.subscribe("segment.entered", "segment.left")(follow)
    with tenant_scope(tenant_id):
        services.refresh_all()
    with ground.admin() as server:
        server.execute("VACUUM ANALYZE segments_segmentmember")
        server.execute("TRUNCATE segments_membershipchange")
    bill(tenant_id)
    with machine.watched() as watched:
        begun = time.perf_counter()
        _repeat(tenant_id, facts.refresh_stale_facts)
        between = time.perf_counter()
        _repeat(tenant_id, services.recheck_marked)
        done = time.perf_counter()
    with ground.admin() as server:
        changes = server.execute("SELECT count(*) FROM segments_membershipchange").fetchone()
    _check(tenant_id)
    return {
        "bench": "refresh",
        "what": f"after {BILLS} bills",
        "n": people,
        "seconds": round(done - begun, 2),
        "facts_seconds": round(between - begun, 2),
        "segments_seconds": round(done - between, 2),
        "entered_or_left": changes[0] if changes else 0,
        "foreign_cpu": watched.foreign_share,
    }


def follow(events: Any) -> None:
    """What makes segments worth following."""


def bill(tenant_id: uuid.UUID) -> None:
    """A visit and a bill each for so many people, whose facts are stale then."""
    from django.db import connection

    from customers import facts
    from marketing.core.tenancy import tenant_scope

    with tenant_scope(tenant_id), connection.cursor() as cursor:
        cursor.execute(VISITS, {"tenant": tenant_id, "bills": BILLS})
        people = [customer_id for (customer_id,) in cursor.fetchall()]
        cursor.execute(BILL, {"people": people})
        facts.mark_stale(people)


def _repeat(tenant_id: uuid.UUID, work: Any) -> None:
    """As the worker does: a transaction each time, until nothing is left."""
    from marketing.core.tenancy import tenant_scope

    count = 1
    while count:
        with tenant_scope(tenant_id):
            count = work()


def _check(tenant_id: uuid.UUID) -> None:
    from marketing.core import clock
    from marketing.core.tenancy import tenant_scope
    from marketing.segments.models import Segment
    from marketing.segments.selectors import audience

    with tenant_scope(tenant_id):
        for segment in Segment.objects.filter(keeps_members=True):
            rows = segment.members.count()
            now = audience(segment=segment, branch_ids=None, now=clock.now()).count()
            if not rows == now == segment.customer_count:
                raise RuntimeError(f"{segment}: {rows} rows, {segment.customer_count}, now {now}")
