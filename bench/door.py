"""How fast vendors' callbacks are answered while they come by the clock, not as fast as they can.

Open load: requests are due at their times, whether or not the ones before were answered. Beside
each the same requests as fast as the server goes, where the 99th percentile is a queue's.
"""

import itertools
import time
import uuid
from collections.abc import Iterator
from typing import Any

from bench import clocked, ground, load, product
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
            told = clocked.send(web, path, lines, CONNECTIONS, rate)
            closed = load.send(web.port, path, lines, CLOSED_CONNECTIONS)
        clocked.require_rows("delivery_webhookevent", 2 * requests + max(requests // 20, 1))
        yield {
            "bench": "door",
            "what": f"{together} event{'s' if together > 1 else ''} a request, {rate} a second",
            **told,
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
