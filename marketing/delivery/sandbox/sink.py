"""The sink: answers success to every message and keeps nothing but two counts.

It is the physical limit that benches of the sending side are held against, so it reads just enough
HTTP/1.1 to stay out of the way: Content-Length bodies, kept connections, pipelined requests.
"""

import asyncio
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

CONTENT_LENGTH = re.compile(rb"(?i)\r\ncontent-length:[ \t]*(\d+)")
LONGEST_HEAD = 16 * 1024
# As long as the numbers that replace it, so that every answer of a kind has one length.
NUMBER = b"0" * 19


@dataclass(frozen=True, slots=True)
class Kind:
    """How one vendor's requests are answered, and what in a body stands once for each message."""

    answer: bytes
    marker: bytes = b""


def _kind(status: bytes, body: bytes, marker: bytes = b"", header: bytes = b"") -> Kind:
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n"
    return Kind(head % (status, header, len(body)) + body, marker)


META = _kind(
    b"200 OK",
    b'{"messaging_product":"whatsapp","messages":[{"id":"wamid.%b","message_status":"accepted"}]}'
    % NUMBER,
)
# What a path contains names the vendor; any other POST is Meta's.
KINDS = {
    b"/v3/mail/send": _kind(b"202 Accepted", b"", b'"to":', b"X-Message-Id: sink-%b\r\n" % NUMBER),
    b"/api/v5/flow": _kind(b"200 OK", b'{"type":"success","message":"%b"}' % NUMBER, b'"mobiles":'),
    b"/api/v3/send-sms": _kind(
        b"200 OK",
        b'{"status":"SUCCESS","status_code":200,"error_message":"","smsinfo":'
        b'[{"sms_status":"SUCCESS","reference_id":"%b"}]}' % NUMBER,
        b'"880',
    ),
    b"/wa/api/v1/": _kind(b"202 Accepted", b'{"status":"submitted","messageId":"%b"}' % NUMBER),
    b"/2010-04-01/": _kind(
        b"201 Created", b'{"sid":"SM%b","status":"queued","error_code":null}' % NUMBER
    ),
    b"/v2/email/outbound-emails": _kind(b"200 OK", b'{"MessageId":"%b"}' % NUMBER),
}
BAD = b"HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Counts:
    """What was taken since the start; ``numbers`` make the ids unique over restarts too."""

    def __init__(self) -> None:
        self.requests = 0
        self.messages = 0
        self.numbers = time.time_ns()


class SinkProtocol(asyncio.Protocol):
    """One connection."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport is one by shape, not by class.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        received = self._received + data if self._received else data
        answers: list[bytes] = []
        start = 0
        while (head_end := received.find(b"\r\n\r\n", start)) >= 0:
            line_end = received.find(b"\r\n", start)
            length = CONTENT_LENGTH.search(received, line_end, head_end)
            is_post = received.startswith(b"POST", start)
            if is_post and length is None:
                self._refuse(answers)
                return
            body_start = head_end + 4
            end = body_start + (int(length[1]) if length else 0)
            if end > len(received):
                break
            line = received[start:line_end]
            answers.append(
                self._take(line, received, body_start, end) if is_post else self._told(line)
            )
            start = end
        else:
            if len(received) - start > LONGEST_HEAD:
                self._refuse(answers)
                return
        self._received = received[start:]
        if answers:
            self._transport.write(b"".join(answers) if len(answers) > 1 else answers[0])

    def _take(self, line: bytes, received: bytes, body_start: int, end: int) -> bytes:
        counts = self._counts
        kind = next((kind for path, kind in KINDS.items() if path in line), META)
        counts.requests += 1
        counts.numbers += 1
        counts.messages += received.count(kind.marker, body_start, end) or 1 if kind.marker else 1
        return kind.answer.replace(NUMBER, b"%d" % counts.numbers, 1)

    def _told(self, line: bytes) -> bytes:
        counts = self._counts
        if line.split(b" ")[1] == b"/count":
            body = b'{"requests": %d, "messages": %d}' % (counts.requests, counts.messages)
        else:
            body = b'{"status": "ok"}'
        return _kind(b"200 OK", body).answer

    def _refuse(self, answers: list[bytes]) -> None:
        self._transport.write(b"".join([*answers, BAD]))
        self._transport.close()


async def serve(listening: socket.socket, announce: Callable[[str], None]) -> None:
    """Take connections on a bound socket until cancelled."""
    counts = Counts()
    server = await asyncio.get_running_loop().create_server(
        lambda: SinkProtocol(counts), sock=listening, backlog=1024
    )
    host, port = listening.getsockname()[:2]
    announce(f"Running on http://{host}:{port}")
    async with server:
        await server.serve_forever()
