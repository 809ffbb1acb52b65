"""Codes made by the hundred thousand. Beside it the bare insert of as many rows of a pattern."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

from bench import ground, machine, tills

CODES = 100_000
PAIRS = 3
BAR_SECONDS = 10
BARE = """
INSERT INTO coupons_couponcode (tenant_id, offer_id, batch_id, code, key, max_uses)
SELECT %(tenant)s, %(offer)s, %(batch)s, 'BARE' || %(batch)s || n, 'BARE' || %(batch)s || n, 1
FROM generate_series(1, %(codes)s) AS n
"""


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    """`n`: how many codes."""
    ground.prepare_django()
    count = n or CODES
    ground_of = tills.standing(tills.PEOPLE)
    pairs = []
    for _ in range(PAIRS):
        _forget()
        bare = _bare(ground_of, count)
        with machine.watched() as watched:
            seconds = _made(ground_of, count)
        pairs.append((seconds, bare, watched))
    _forget()
    seconds, bare, watched = sorted(pairs, key=lambda pair: pair[0])[PAIRS // 2]
    yield {
        "bench": "codes",
        "n": count,
        "seconds": round(seconds, 2),
        "per_s": round(count / seconds),
        "pairs": [[round(ours, 2), round(theirs, 2)] for ours, theirs, _ in pairs],
        "foreign_cpu": watched.foreign_share,
        "limit": {"what": "the bare insert of as many rows", "seconds": round(bare, 2)},
        "ratio_to_limit": round(seconds / bare, 1),
        "bar": {"seconds": BAR_SECONDS},
        "reached": seconds <= BAR_SECONDS,
    }


def _made(ground_of: tills.Tills, count: int) -> float:
    """By the service, and the worker's parts of it, until the batch is done."""
    from marketing.core.actor import Actor
    from marketing.core.tenancy import tenant_scope
    from marketing.coupons import services
    from marketing.coupons.models import CouponCode, Offer

    begun = time.perf_counter()
    with tenant_scope(ground_of.tenant_id):
        offer = Offer.objects.get(pk=ground_of.offer_of_codes)
        batch = services.make_codes(
            actor=Actor.system(ground_of.tenant_id), offer=offer, count=count, prefix="MADE"
        )
    goes_on = True
    while goes_on:
        with tenant_scope(ground_of.tenant_id):
            goes_on = services.make_part(batch_id=batch.pk)
    seconds = time.perf_counter() - begun
    with tenant_scope(ground_of.tenant_id):
        made = CouponCode.objects.filter(batch=batch).values("key").distinct().count()
    if made != count:
        raise RuntimeError(f"{made} of {count} codes were made")
    return seconds


def _bare(ground_of: tills.Tills, count: int) -> float:
    from django.db import connection

    from marketing.core.tenancy import tenant_scope

    values: dict[str, Any] = {
        "tenant": ground_of.tenant_id,
        "offer": ground_of.offer_of_codes,
        "batch": uuid.uuid4(),
        "codes": count,
    }
    begun = time.perf_counter()
    with tenant_scope(ground_of.tenant_id), connection.cursor() as cursor:
        cursor.execute(BARE, values)
    return time.perf_counter() - begun


def _forget() -> None:
    """What a run made; the million stays."""
    with ground.admin() as server:
        server.execute("DELETE FROM coupons_couponcode WHERE batch_id IS NOT NULL")
        server.execute("DELETE FROM coupons_codebatch WHERE prefix = 'MADE'")
        server.execute("VACUUM coupons_couponcode")
