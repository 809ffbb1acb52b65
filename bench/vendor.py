"""A vendor on loopback that speaks Meta's language, remembers when it was asked, and may refuse.

It lives in a thread of the bench: at the rates of an account it costs next to nothing.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bench import ground

OKAY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    b'{"messaging_product":"whatsapp","messages":[{"id":"wamid.%s","message_status":"accepted"}]}'
)
BODY_LENGTH = len(OKAY.split(b"\r\n\r\n", 1)[1]) - len(b"%s") + 36


@dataclass(frozen=True)
class Arrival:
    """A request: when it came (`time.monotonic`), by which number, for which message of ours."""

    at: float
    number: str
    message_id: str
    status: int


@dataclass
class Refusal:
    """429 until `until`, with the seconds of `Retry-After` if there are any."""

    until: float
    retry_after: int | None


@dataclass
class Vendor:
    """`arrivals` in order; `delay` is how long an answer takes, in seconds."""

    delay: float = 0.05
    arrivals: list[Arrival] = field(default_factory=list)
    refusals: dict[str, Refusal] = field(default_factory=dict)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def refuse(self, number: str, seconds: float, retry_after: int | None = None) -> None:
        """Answer 429 to whatever this sender's number asks in the next seconds."""
        self.refusals[number] = Refusal(time.monotonic() + seconds, retry_after)

    def since(self, at: float, chosen: Callable[[Arrival], bool] = bool) -> list[Arrival]:
        """The chosen arrivals from then on."""
        return [a for a in self.arrivals[:] if a.at >= at and chosen(a)]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with closing(writer), suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                body = json.loads(await reader.readexactly(length))
                number = head.split(b" ", 2)[1].split(b"/")[2].decode()
                writer.write(await self._answer(number, body["biz_opaque_callback_data"]))

    async def _answer(self, number: str, message_id: str) -> bytes:
        at, refusal = time.monotonic(), self.refusals.get(number)
        is_refused = refusal is not None and at < refusal.until
        self.arrivals.append(Arrival(at, number, message_id, 429 if is_refused else 200))
        await asyncio.sleep(self.delay)
        if refusal is None or not is_refused:
            return OKAY % (BODY_LENGTH, message_id.encode())
        wait = b"" if refusal.retry_after is None else b"Retry-After: %d\r\n" % refusal.retry_after
        return b"HTTP/1.1 429 Too Many Requests\r\n%bContent-Length: 0\r\n\r\n" % wait

    async def end(self, server: asyncio.Server) -> None:
        """Take no more connections, and hang up on those there are."""
        server.close()
        for writer in self._open:
            writer.close()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))


@contextmanager
def standing() -> Iterator[Vendor]:
    """The vendor at the address of the sink."""
    vendor = Vendor()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    address = urlsplit(ground.sink_url())
    opening = asyncio.start_server(vendor.serve, address.hostname, address.port)
    server = asyncio.run_coroutine_threadsafe(opening, loop).result(10)
    try:
        yield vendor
    finally:
        asyncio.run_coroutine_threadsafe(vendor.end(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
