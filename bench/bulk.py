"""Send by vendors that take many messages a call to the minimal sink, every row kept.

By one worker and by two; beside each the same bodies, as many messages in each, posted by a bare
aiohttp client.
"""

import uuid
from collections.abc import Iterator
from typing import Any

from bench import ground, sending
from bench.mail import MAIL

PAIRS = 2
BAR_PER_SECOND = 10_000


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    ground.prepare_django()
    from marketing.policy.models import Provider

    tenant_id = ground.chain_of((n or 100_000) * 11 // 10)
    with ground.sink():
        for dispatchers in (1, 2):
            yield _measure(tenant_id, dispatchers, "sms", Provider.MSG91)
        for dispatchers in (1, 2):
            yield _measure(
                tenant_id, dispatchers, "email", Provider.SENDGRID, contents={"en": MAIL}
            )
    ground.forget_messages()


def _measure(
    tenant_id: uuid.UUID, dispatchers: int, channel: str, provider: str, **contents: Any
) -> dict[str, Any]:
    from marketing.delivery.dispatch.account_sender import MAX_WINDOW

    ground.open_account(tenant_id, provider)
    pairs = []
    for _ in range(PAIRS):
        ground.forget_messages()
        run_id, sendable = sending.freeze(tenant_id, channel, **contents)
        request, together = sending.first_request(tenant_id, run_id)
        connections = MAX_WINDOW // together  # as many calls as a worker has under way
        limit = sending.post_bare("aiohttp", request, together, sendable, connections)
        pairs.append((sending.send(tenant_id, run_id, dispatchers), limit))
    return {
        "bench": "bulk",
        "what": provider,
        "dispatchers": dispatchers,
        "messages_a_call": together,
        **sending.compared(pairs, "bare aiohttp client, same bodies, same sink"),
        "bar": {"per_s": BAR_PER_SECOND},
    }
