"""How fast vendors' callbacks are answered while they come by the clock, not as fast as they can.

Open load: requests are due at their times, whether or not the ones before were answered. Beside
each the same requests as fast as the server goes, where the 99th percentile is a queue's.
"""

import itertools
import time
import uuid
from collections.abc import Iterator
from typing import Any

from bench import ground, load, machine, product
from bench.webhooks import signed, status

SECONDS = 10
CONNECTIONS = 48
CLOSED_CONNECTIONS = 24
BAR_MS = 50


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    """`n`: requests of each kind; without, those of ten seconds."""
    ground.prepare_django()
    path, secret = _address(ground.chain_of(1_000))
    for together, rate in ((1, 1_500), (100, 100)):
        requests = n or rate * SECONDS
        ids = (str(uuid.uuid4()) for _ in itertools.count())
        lines = signed(
            (
                [status(i, "delivered", int(time.time())) for i in itertools.islice(ids, together)]
                for _ in range(requests)
            ),
            secret,
        )
        with product.web() as web:
            load.send(web.port, path, lines[: max(requests // 20, 1)], CLOSED_CONNECTIONS)
            before = web.cpu_seconds()
            with machine.watched() as watched:
                told = load.send(web.port, path, lines, CONNECTIONS, rate)
            cpu = web.cpu_seconds() - before
            closed = load.send(web.port, path, lines, CLOSED_CONNECTIONS)
        _require_stored(2 * requests + max(requests // 20, 1))
        yield {
            "bench": "door",
            "what": f"{together} event{'s' if together > 1 else ''} a request, {rate} a second",
            "n": requests,
            "seconds": round(told["seconds"], 1),
            "requests_per_s": round(requests / told["seconds"]),
            "p50_ms": told["p50_ms"],
            "p99_ms": told["p99_ms"],
            "max_ms": told["max_ms"],
            "cpu_ms": round(cpu / requests * 1000, 3),
            "database_cpu_ms": watched.database and round(watched.database / requests * 1000, 3),
            "foreign_cpu": watched.foreign_share,
            "limit": {
                "what": "the same requests as fast as the server goes",
                "requests_per_s": round(requests / closed["seconds"]),
                "p50_ms": closed["p50_ms"],
                "p99_ms": closed["p99_ms"],
            },
            "bar": {"p99_ms": BAR_MS},
            "reached": told["p99_ms"] <= BAR_MS,
        }


def _address(tenant_id: uuid.UUID) -> tuple[str, str]:
    """Where the chain's WhatsApp vendor calls, and what it signs with."""
    from marketing.core.tenancy import tenant_scope
    from marketing.policy.models import ProviderAccount, WebhookAddress

    with tenant_scope(tenant_id):
        account = ProviderAccount.objects.get(provider="meta")
        token = WebhookAddress.objects.get(account_id=account.pk).token
    return f"/api/v1/webhooks/meta/{token}", account.credentials["app_secret"]


def _require_stored(requests: int) -> None:
    """What was answered must be there; then it is thrown away."""
    with ground.admin() as server:
        row = server.execute("SELECT count(*) FROM delivery_webhookevent").fetchone()
        server.execute("TRUNCATE delivery_webhookevent")
    if not row or row[0] != requests:
        raise RuntimeError(f"of {requests} answered requests {row and row[0]} are stored")
