"""A mail server that takes everything, keeps nothing, and at its end says what came.

    python -m bench.smtp_sink PORT

Told to stop it writes `{"mails", "recipients", "personal"}`: mails taken, different recipients,
and mails that hold the name of the person they are addressed to.
"""

import asyncio
import json
import signal
import sys

# asha123@example.com reads "Dear Asha123".
DOMAIN = b"@example.com"
READY = b"220 sink ESMTP\r\n"
HELLO = b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
TAKEN, GO_ON, GOODBYE = b"250 OK\r\n", b"354 Go on\r\n", b"221 Goodbye\r\n"


class Taken:
    """What came so far."""

    def __init__(self) -> None:
        self.mails = 0
        self.recipients: set[bytes] = set()
        self.personal = 0


class Session(asyncio.Protocol):
    """One connection; commands may come together."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken
        self._received = b""
        self._recipient = b""
        self._in_data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._transport.write(READY)

    def data_received(self, data: bytes) -> None:
        self._received += data
        answers = []
        while True:
            end = b"\r\n.\r\n" if self._in_data else b"\r\n"
            piece, found, rest = self._received.partition(end)
            if not found:
                break
            self._received = rest
            answers.append(self._take(piece) if self._in_data else self._obey(piece))
        if answers:
            self._transport.write(b"".join(answers))

    def _obey(self, line: bytes) -> bytes:
        command = line[:4].upper()
        if command == b"DATA":
            self._in_data = True
            return GO_ON
        if command == b"RCPT":
            self._recipient = line.partition(b"<")[2].partition(b">")[0]
        return {b"EHLO": HELLO, b"QUIT": GOODBYE}.get(command, TAKEN)

    def _take(self, mail: bytes) -> bytes:
        self._in_data = False
        self._taken.mails += 1
        self._taken.recipients.add(self._recipient)
        name = self._recipient.removesuffix(DOMAIN).capitalize()
        # Quoted-printable may break a line anywhere.
        self._taken.personal += b"Dear %b " % name in mail.replace(b"=\r\n", b"")
        return TAKEN


async def serve(port: int) -> Taken:
    taken, stop = Taken(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(lambda: Session(taken), "127.0.0.1", port)
    async with server:
        await stop.wait()
    return taken


def main() -> None:
    import uvloop

    taken = uvloop.run(serve(int(sys.argv[1])))
    told = {"mails": taken.mails, "recipients": len(taken.recipients), "personal": taken.personal}
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
