"""A client that does nothing but make JSON and post it: the limit that senders are held against.

python -m bench.bare aiohttp|pyreqwest REQUESTS CONNECTIONS < request.json
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

Post = Callable[[bytes], Awaitable[None]]


def main() -> None:
    import uvloop

    client, requests, connections = sys.argv[1:]
    request = json.load(sys.stdin)
    ask = {"aiohttp": _by_aiohttp, "pyreqwest": _by_pyreqwest}[client]
    begun, cpu = time.perf_counter(), time.process_time()
    uvloop.run(ask(request, int(requests), int(connections)))
    told = {"seconds": time.perf_counter() - begun, "cpu_seconds": time.process_time() - cpu}
    json.dump(told, sys.stdout)


async def _post_all(post: Post, body: dict[str, Any], requests: int, connections: int) -> None:
    numbers = iter(range(requests))

    async def work() -> None:
        for _ in numbers:
            await post(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())

    await asyncio.gather(*(work() for _ in range(connections)))


async def _by_aiohttp(request: dict[str, Any], requests: int, connections: int) -> None:
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def post(body: bytes) -> None:
            async with session.post(
                request["url"], data=body, headers=request["headers"]
            ) as response:
                response.raise_for_status()
                await response.read()

        await _post_all(post, request["body"], requests, connections)


async def _by_pyreqwest(request: dict[str, Any], requests: int, connections: int) -> None:
    from pyreqwest.client import ClientBuilder

    builder = ClientBuilder().http1_only().no_proxy().error_for_status(True)
    async with builder.build() as client:

        async def post(body: bytes) -> None:
            asked = client.post(request["url"]).headers(request["headers"]).body_bytes(body)
            response = await asked.build().send()
            await response.bytes()

        await _post_all(post, request["body"], requests, connections)


if __name__ == "__main__":
    main()
