"""Send one HTTP request a message to the minimal sink, every row kept.

Beside it a bare aiohttp client that posts the same bodies to the same sink.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from bench import ground

CONNECTIONS = 200
BAR_PER_SECOND, BAR_RATIO, BAR_CPU_MS = 5_000, 0.6, 0.2


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    ground.prepare_django()
    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.models import Message
    from marketing.delivery.services import freeze_run
    from tests.factories.delivery import everyone, make_run

    people = n or 20_000
    tenant_id = ground.chain_of(people)
    ground.forget_messages()
    with ground.sink() as url:
        limit = _bare_client(url, min(people, 50_000))
        with tenant_scope(tenant_id):
            run = make_run()
            frozen = freeze_run(run=run, audience=everyone())
        told = run_dispatcher()
        with tenant_scope(tenant_id):
            sent = Message.objects.filter(run=run, state="sent").count()
    if sent != frozen.sendable:
        raise RuntimeError(f"{sent} of {frozen.sendable} were sent")
    per_second = sent / told["seconds"]
    ground.forget_messages()
    yield {
        "bench": "send",
        "n": sent,
        "seconds": round(told["seconds"], 2),
        "per_s": round(per_second),
        "cpu_ms": round(told["cpu_seconds"] / sent * 1000, 3),
        "rss_mb": round(told["peak_mb"]),
        "limit": {"what": "bare aiohttp client, same bodies, same sink", "per_s": round(limit)},
        "ratio_to_limit": round(per_second / limit, 2),
        "bar": {"per_s": BAR_PER_SECOND, "ratio": BAR_RATIO, "cpu_ms": BAR_CPU_MS},
    }


def run_dispatcher() -> dict[str, Any]:
    """Run a dispatch worker in a process of its own until nothing is due."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.dispatcher"],
        cwd=ground.ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _bare_client(url: str, count: int) -> float:
    """Requests a second of a client that does nothing but post, in a process of its own."""
    code = f"from bench.send import post_bare; post_bare({url!r}, {count})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ground.ROOT, stdout=subprocess.PIPE, check=True
    )
    return count / float(done.stdout)


def post_bare(url: str, count: int) -> None:
    """Post `count` template messages as the worker would, and print the seconds it took."""
    import uvloop

    print(uvloop.run(_post_all(url, count)))


async def _post_all(url: str, count: int) -> float:
    import aiohttp

    address = f"{url}/v23.0/106540352242922/messages"
    numbers = iter(range(count))

    async def post(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            async with session.post(address, data=_body(number), headers=HEADERS) as response:
                await response.read()

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        begun = time.perf_counter()
        await asyncio.gather(*(post(session) for _ in range(CONNECTIONS)))
        return time.perf_counter() - begun


HEADERS = {"Authorization": "Bearer EAAG-test-token-0001", "Content-Type": "application/json"}


def _body(number: int) -> bytes:
    return json.dumps(
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "type": "template",
            "template": {
                "name": "template_0123456789abcdef0123456789abcdef_v1",
                "language": {"code": "en"},
                "components": [
                    {"type": "body", "parameters": [{"type": "text", "text": f"Asha{number}"}]}
                ],
            },
            "biz_opaque_callback_data": f"019a0000-0000-7000-8000-{number:012}",
            "to": f"9190{number:08}",
        },
        separators=(",", ":"),
    ).encode()
