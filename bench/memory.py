"""The dispatch worker's memory over a long run: it must stay flat."""

from collections.abc import Iterator
from typing import Any

from bench import ground, sending

BAR_MB = 250


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    ground.prepare_django()
    from marketing.policy.models import Provider

    tenant_id = ground.chain_of(n or 300_000)
    ground.open_account(tenant_id, Provider.META)
    with ground.sink():
        ground.forget_messages()
        run_id, _ = sending.freeze(tenant_id, "whatsapp")
        ours = sending.send(tenant_id, run_id)
    ground.forget_messages()
    # Second by second: the worker's first ones are spent on getting under way.
    early, half, late = (ours.memory[len(ours.memory) * tenth // 10] for tenth in (1, 5, 9))
    yield {
        "bench": "memory",
        "n": ours.messages,
        "seconds": round(ours.seconds, 1),
        "per_s": round(ours.per_second),
        "rss_mb": round(ours.peak_mb),
        "after_a_tenth_mb": early,
        "after_half_mb": half,
        "after_nine_tenths_mb": late,
        "foreign_cpu": ours.load.foreign_share,
        "limit": {"what": "memory after a tenth of the run", "mb": early},
        "ratio_to_limit": round(late / early, 2),
        "bar": {"mb": BAR_MB},
    }
