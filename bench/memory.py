"""The dispatch worker's memory over a long run: it must stay flat."""

from collections.abc import Iterator
from typing import Any

from bench import ground
from bench.send import run_dispatcher

BAR_MB = 250


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    ground.prepare_django()
    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.services import freeze_run
    from tests.factories.delivery import everyone, make_run

    people = n or 1_000_000
    tenant_id = ground.chain_of(people)
    ground.forget_messages()
    with tenant_scope(tenant_id):
        frozen = freeze_run(run=make_run(), audience=everyone())
    with ground.sink():
        told = run_dispatcher()
    ground.forget_messages()
    samples = told["rss_mb"]
    early = samples[len(samples) // 10]
    yield {
        "bench": "memory",
        "n": frozen.sendable,
        "seconds": round(told["seconds"], 1),
        "per_s": round(frozen.sendable / told["seconds"]),
        "rss_mb": round(told["peak_mb"]),
        "after_a_tenth_mb": early,
        "at_the_end_mb": samples[-1],
        "limit": {"what": "memory after a tenth of the run", "mb": early},
        "ratio_to_limit": round(samples[-1] / early, 2),
        "bar": {"mb": BAR_MB},
    }
