"""How fast runs go: their counters are sampled into the cache, by whoever looks and by beat.

Reading a rate costs no scan of messages. Without the cache the rate is 0 and the page says
nothing of the end.
"""

import datetime as dt
import logging
import uuid
from collections.abc import Mapping

from django.core.cache import cache
from django.db import connection
from redis.exceptions import RedisError

from marketing.core import clock
from marketing.delivery.models import DispatchBatch

logger = logging.getLogger(__name__)

WINDOW = 60.0
SPACING = 1.0

Sample = tuple[float, int]


def rates(
    attempted: Mapping[uuid.UUID, int], begun: Mapping[uuid.UUID, dt.datetime]
) -> dict[uuid.UUID, float]:
    """Messages a second over the last minute, by how many each run has attempted by now.

    `begun` is when each run was frozen: of a younger run, the rate since then.
    """
    if not attempted:
        return {}
    now = clock.now().timestamp()
    try:
        known: dict[str, list[Sample]] = cache.get_many([_key(run_id) for run_id in attempted])
        samples = {
            run_id: _grown(known.get(_key(run_id)), begun.get(run_id), (now, count))
            for run_id, count in attempted.items()
        }
        cache.set_many(
            {_key(run_id): found for run_id, found in samples.items()}, timeout=2 * WINDOW
        )
    except RedisError as error:
        logger.warning("no rates without the cache: %s", error)
        return {}
    return {run_id: _rate(found, (now, attempted[run_id])) for run_id, found in samples.items()}


def sample_runs() -> None:
    """Sample every run that is being sent, so that whoever looks first sees its rate."""
    under_way = (
        DispatchBatch.objects.filter(state__in=["waiting", "leased"]).values("run_id").distinct()
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT run_id, sum(sent + delivered + read + failed + unknown)"
            " FROM delivery_dispatchbatch WHERE NOT is_extra AND run_id = ANY(%s) GROUP BY run_id",
            [[row["run_id"] for row in under_way]],
        )
        rates(dict(cursor.fetchall()), begun={})


def _key(run_id: uuid.UUID) -> str:
    return f"pace:{run_id}"


def _grown(known: list[Sample] | None, begun: dt.datetime | None, sample: Sample) -> list[Sample]:
    """The samples of the last minute and the newest one before it, no two within a second."""
    start = sample[0] - WINDOW
    samples = list(known or [])
    if not samples and begun and begun.timestamp() > start:
        samples = [(begun.timestamp(), 0)]
    if not samples or sample[0] - samples[-1][0] >= SPACING:
        samples.append(sample)
    while len(samples) > 1 and samples[1][0] <= start:
        del samples[0]
    return samples


def _rate(samples: list[Sample], latest: Sample) -> float:
    (since, before), (now, after) = samples[0], latest
    return max(after - before, 0) / (now - since) if now - since >= SPACING else 0.0
