"""Send one HTTP request a message to the minimal sink, every row kept, by one worker and by two.

Beside each the same bodies posted to the same sink by a bare aiohttp client, and by a bare one
of the library that the worker uses.
"""

from collections.abc import Iterator
from typing import Any

from bench import ground, sending

PAIRS = 2
CONNECTIONS = 400
BAR_PER_SECOND, BAR_RATIO, BAR_CPU_MS = 5_000, 0.6, 0.2


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    ground.prepare_django()
    from marketing.policy.models import Provider

    # One in eleven or so may not be written to.
    tenant_id = ground.chain_of((n or 100_000) * 11 // 10)
    ground.open_account(tenant_id, Provider.META, max_concurrency=CONNECTIONS)
    by_aiohttp: dict[int, list[tuple[sending.Ours, sending.Bare]]] = {1: [], 2: []}
    by_pyreqwest: dict[int, list[tuple[sending.Ours, sending.Bare]]] = {1: [], 2: []}
    with ground.sink():
        for _ in range(PAIRS):
            for dispatchers in by_aiohttp:
                ground.forget_messages()
                run_id, sendable = sending.freeze(tenant_id, "whatsapp")
                request, together = sending.first_request(tenant_id, run_id)
                aiohttp, pyreqwest = (
                    sending.post_bare(client, request, together, sendable, CONNECTIONS)
                    for client in ("aiohttp", "pyreqwest")
                )
                ours = sending.send(tenant_id, run_id, dispatchers)
                by_aiohttp[dispatchers].append((ours, aiohttp))
                by_pyreqwest[dispatchers].append((ours, pyreqwest))
    ground.forget_messages()
    for dispatchers, pairs in by_aiohttp.items():
        yield {
            "bench": "send",
            "dispatchers": dispatchers,
            **sending.compared(pairs, "bare aiohttp client, same bodies, same sink"),
            "limit_of_same_client": sending.limit(
                by_pyreqwest[dispatchers], "bare pyreqwest client, same bodies, same sink"
            ),
            "bar": {"per_s": BAR_PER_SECOND, "ratio": BAR_RATIO, "cpu_ms": BAR_CPU_MS},
        }
