"""The line between a request that surely did not arrive and one that may have."""

import asyncio
import socket
import struct

import pytest

from marketing.delivery.dispatch.transport import NotAnswered, NotSent, Transport
from marketing.delivery.providers.base import Request

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nRetry-After: 7\r\n\r\nok"


async def ask(handler, *, times=1):
    """Ask a server whose connections `handler(reader, writer)` treats."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Transport() as transport:
        for _ in range(times):
            answer = await transport.ask(Request(f"http://127.0.0.1:{port}/x", {}, b"{}"))
    return answer


def test_answer_and_its_headers():
    async def answers(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    answer = asyncio.run(ask(answers))
    assert (answer.status, answer.body) == (200, b"ok")
    assert answer.headers.get("Retry-After") == "7"


def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def main():
        async with Transport() as transport:
            await transport.ask(Request(f"http://127.0.0.1:{port}/x", {}, b"{}"))

    with pytest.raises(NotSent):
        asyncio.run(main())


async def hang_up(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def reset(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.close()


async def half_an_answer(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")
    await writer.drain()
    writer.close()


async def gibberish(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"good morning\r\n\r\n")
    await writer.drain()
    writer.close()


@pytest.mark.parametrize("handler", [hang_up, reset, half_an_answer, gibberish])
def test_request_was_read_but_not_answered(handler):
    with pytest.raises(NotAnswered):
        asyncio.run(ask(handler))


def test_kept_connection_that_the_vendor_drops_is_not_asked_again():
    asked = []

    async def once(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await writer.drain()
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    with pytest.raises(NotAnswered):
        asyncio.run(ask(once, times=2))
    assert len(asked) == 1
