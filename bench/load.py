"""A load client that costs little itself: keep-alive connections that post prepared bodies."""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

RECONNECT_SECONDS = 0.2
GIVE_UP_SECONDS = 30


class Poster(asyncio.Protocol):
    """Posts one request after another on one connection, as long as there are some."""

    def __init__(self, load: "Load") -> None:
        self.load = load
        self.number: int | None = None
        self.is_done = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.post_next()

    def post_next(self) -> None:
        self.number = next(self.load.numbers, None)
        if self.number is None:
            self.is_done = True
            self.transport.close()
        else:
            self.posted_at = time.perf_counter()
            self.transport.write(self.load.requests[self.number])

    def data_received(self, data: bytes) -> None:
        """Answers have no body and come in one piece."""
        self.load.note(self.number, int(data[9:12]), time.perf_counter() - self.posted_at)
        if b"connection: close" in data.lower():
            self.number = None
            self.transport.close()
        else:
            self.post_next()

    def connection_lost(self, exc: Exception | None) -> None:
        self.load.lost_connection(self.number, self.is_done)


class Load:
    """Requests posted once each; `answered` are the numbers of those that got a 200."""

    def __init__(self, host: str, port: int, requests: list[bytes]) -> None:
        self.host, self.port, self.requests = host, port, requests
        self.numbers: Iterator[int] = iter(range(len(requests)))
        self.seconds: list[float] = []
        self.answered: list[int] = []
        self.others: dict[int, int] = {}
        self.open = 0
        self.coming: list[asyncio.Task[None]] = []
        self.over = asyncio.Event()

    def note(self, number: int | None, status: int, seconds: float) -> None:
        self.seconds.append(seconds)
        if status == 200 and number is not None:
            self.answered.append(number)
        else:
            self.others[status] = self.others.get(status, 0) + 1

    def lost_connection(self, number: int | None, is_done: bool) -> None:
        """A server that was killed comes back; the rest of the requests goes to it."""
        if number is not None:
            self.others[0] = self.others.get(0, 0) + 1
        if not is_done:
            self.coming.append(asyncio.get_running_loop().create_task(self.connect()))
            return
        self.open -= 1
        if not self.open:
            self.over.set()

    async def connect(self) -> None:
        loop, give_up_at = asyncio.get_running_loop(), time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                await loop.create_connection(lambda: Poster(self), self.host, self.port)
                return
            except OSError:
                if time.monotonic() > give_up_at:
                    raise
                await asyncio.sleep(RECONNECT_SECONDS)

    async def run(self, connections: int) -> dict[str, Any]:
        begun = time.perf_counter()
        self.open = connections
        await asyncio.gather(*(self.connect() for _ in range(connections)))
        await self.over.wait()
        seconds = time.perf_counter() - begun
        ordered = sorted(self.seconds)
        return {
            "seconds": seconds,
            "p50_ms": round(ordered[len(ordered) // 2] * 1000, 1),
            "p99_ms": round(ordered[len(ordered) * 99 // 100] * 1000, 1),
            "answered": self.answered,
            "others": self.others,
        }


def main() -> None:
    """Reads host, port, path, connections and a file of lines `signature body`."""
    import uvloop

    host, port, path, connections, source = sys.argv[1:]
    requests = []
    with open(source) as lines:
        for line in lines:
            signature, body = line.rstrip("\n").split(" ", 1)
            content = body.encode()
            head = (
                f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
                f"X-Hub-Signature-256: {signature}\r\nContent-Length: {len(content)}\r\n\r\n"
            )
            requests.append(head.encode() + content)
    json.dump(uvloop.run(_run(host, int(port), requests, int(connections))), sys.stdout)


async def _run(host: str, port: int, requests: list[bytes], connections: int) -> dict[str, Any]:
    return await Load(host, port, requests).run(connections)


if __name__ == "__main__":
    main()
