"""A load client that costs little itself: prepared requests, so many at once at most.

Without a rate each connection sends its next request when the last one is answered, as fast as
the server goes. With one, requests are due by the clock, and waiting for a free connection counts
as part of the answer's time: a slow answer does not spare the server the requests after it. Where
the server keeps no connection each request opens its own when it is due.
"""

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import ground

HOST = "127.0.0.1"
# In the place of a path: each line is a request by itself.
WHOLE = "*"

RECONNECT_SECONDS = 0.2
GIVE_UP_SECONDS = 30
CONTENT_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class Sender(asyncio.Protocol):
    """Sends one request after another on one connection, as long as there are some and the server
    keeps it."""

    def __init__(self, load: "Load", number: int) -> None:
        self.load = load
        self.number: int | None = number

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.received = b""
        self.due_at = self.load.due_at(self.number)
        self.send()

    def send_next(self) -> None:
        self.number = next(self.load.numbers, None)
        if self.number is None:
            self.transport.close()
            return
        self.due_at = self.load.due_at(self.number)
        wait = self.due_at - time.perf_counter()
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self.send)
        else:
            self.send()

    def send(self) -> None:
        if self.number is not None and not self.transport.is_closing():
            self.transport.write(self.load.requests[self.number])

    def data_received(self, data: bytes) -> None:
        """Every answer says how long its body is."""
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end or len(body) < int(CONTENT_LENGTH.search(head)[1]):  # type: ignore[index]
            return
        self.received = b""
        self.load.note(self.number, int(head[9:12]), time.perf_counter() - self.due_at)
        if b"connection: close" in head.lower():
            self.number = None
            self.transport.close()
        else:
            self.send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        self.load.lost_connection(self.number)


class Load:
    """Requests sent once each, `rate` a second if there is one.

    `answered` are the numbers of those that got a 2xx or were led on; `took` is seconds by number.
    """

    def __init__(self, host: str, port: int, requests: list[bytes], rate: float) -> None:
        self.host, self.port, self.requests, self.rate = host, port, requests, rate
        self.numbers: Iterator[int] = iter(range(len(requests)))
        self.took: dict[int, float] = {}
        self.answered: list[int] = []
        self.others: dict[int, int] = {}
        self.open = 0
        self.coming: set[asyncio.Task[None]] = set()

    def due_at(self, number: int | None) -> float:
        """When the request is to be sent; without a rate, now."""
        return self.begun + (number or 0) / self.rate if self.rate else time.perf_counter()

    def note(self, number: int | None, status: int, seconds: float) -> None:
        if number is not None:
            self.took[number] = seconds
        if 200 <= status < 400 and number is not None:
            self.answered.append(number)
        else:
            self.others[status] = self.others.get(status, 0) + 1

    def lost_connection(self, number: int | None) -> None:
        """A server that keeps none, or was killed: the rest of the requests goes by another."""
        if number is not None:
            self.others[0] = self.others.get(0, 0) + 1
        self.open_next()

    def open_next(self) -> None:
        number = next(self.numbers, None)
        if number is not None:
            self.coming.add(task := asyncio.get_running_loop().create_task(self.connect(number)))
            task.add_done_callback(self.coming.discard)
            return
        self.open -= 1
        if not self.open:
            self.over.set_result(None)

    async def connect(self, number: int) -> None:
        """As a till that comes when its bill is due: who waits on an open line has chosen one of
        the server's processes already."""
        loop, give_up_at = asyncio.get_running_loop(), time.monotonic() + GIVE_UP_SECONDS
        await asyncio.sleep(max(0, self.due_at(number) - time.perf_counter()))
        while True:
            try:
                await loop.create_connection(lambda: Sender(self, number), self.host, self.port)
                return
            except OSError as error:
                if time.monotonic() > give_up_at:
                    self.over.set_exception(error)
                    return
                await asyncio.sleep(RECONNECT_SECONDS)

    async def run(self, connections: int) -> dict[str, Any]:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.begun = time.perf_counter()
        self.open = connections
        for _ in range(connections):
            self.open_next()
        await self.over
        seconds = time.perf_counter() - self.begun
        return {
            "seconds": seconds,
            **times(self.took.values()),
            "each_ms": [round(self.took[place] * 1000, 1) for place in sorted(self.took)],
            "answered": self.answered,
            "others": self.others,
        }


def times(seconds: Iterable[float]) -> dict[str, float]:
    """Milliseconds, of the middle one, of those that one in twenty and in a hundred is above."""
    ordered = sorted(seconds)
    return {
        "p50_ms": round(ordered[len(ordered) // 2] * 1000, 1),
        "p95_ms": round(ordered[len(ordered) * 95 // 100] * 1000, 1),
        "p99_ms": round(ordered[len(ordered) * 99 // 100] * 1000, 1),
        "max_ms": round(ordered[-1] * 1000, 1),
    }


Sending = tuple[subprocess.Popen[bytes], Path]


def send(port: int, path: str, lines: Sequence[str], connections: int, rate: float = 0) -> Any:
    """Send everything from a process of its own. Raises when something was refused.

    `busy` counts those that were told to ask again (503), which nobody does here.
    """
    told = end(begin(port, path, lines, connections, rate))
    told["busy"] = told["others"].pop("503", 0)
    if told["others"]:
        raise RuntimeError(f"refused, by status: {told['others']}")
    return told


def begin(port: int, path: str, lines: Sequence[str], connections: int, rate: float = 0) -> Sending:
    with tempfile.NamedTemporaryFile("w", delete=False) as source:
        source.write("\n".join(lines))
    words = ["-m", "bench.load", HOST, str(port), path, str(connections), str(rate), source.name]
    process = subprocess.Popen([sys.executable, *words], cwd=ground.ROOT, stdout=subprocess.PIPE)
    return process, Path(source.name)


def end(sending: Sending) -> dict[str, Any]:
    process, source = sending
    output, _ = process.communicate()
    source.unlink()
    if process.returncode:
        raise RuntimeError("the load client failed")
    told: dict[str, Any] = json.loads(output)
    return told


def main() -> None:
    """Reads host, port, path, connections, rate (0: as fast as it goes) and a file of lines.

    A line is `signature body` of what is posted to the path; or, where the path has a `{}`,
    what stands in its place in the path of a GET; or, where the path is `*`, a whole request as
    `whole` writes it.
    """
    import uvloop

    host, port, path, connections, rate, source = sys.argv[1:]
    with open(source) as lines:
        make = _whole if path == WHOLE else _get if "{}" in path else _post
        requests = [make(host, path, line.rstrip("\n")) for line in lines]
    load = Load(host, int(port), requests, float(rate))
    json.dump(uvloop.run(load.run(int(connections))), sys.stdout)


def _post(host: str, path: str, line: str) -> bytes:
    signature, body = line.split(" ", 1)
    content = body.encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"X-Hub-Signature-256: {signature}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def whole(method: str, path: str, headers: Mapping[str, str], body: str = "") -> str:
    """A line for the path `*`: a request of its own path and headers."""
    return json.dumps([method, path, dict(headers), body], ensure_ascii=False)


def _whole(host: str, path: str, line: str) -> bytes:
    method, path, headers, body = json.loads(line)
    content = body.encode()
    said = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"{said}Content-Length: {len(content)}\r\n\r\n"
    )
    request: bytes = head.encode() + content
    return request


def _get(host: str, path: str, line: str) -> bytes:
    agent = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36"
    head = f"GET {path.format(line)} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\n\r\n"
    return head.encode()


if __name__ == "__main__":
    main()
