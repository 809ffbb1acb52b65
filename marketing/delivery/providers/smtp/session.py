"""A conversation with a mail server over one connection: mail after mail, without waiting.

aiosmtplib greets, encrypts and logs in, but asks one thing at a time. From there on we speak
ourselves: where the server knows PIPELINING (RFC 2920), the three commands that ask it to take a
mail go out together, behind the text of the mail before.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from marketing.delivery.providers.smtp.replies import CLOSING, by_reply, by_silence
from marketing.delivery.rules import Result, ResultClass

# Many servers end a session after some hundred mails; better we do, between two.
MAILS_A_SESSION = 100
LONGEST_REPLY = 32_768
GOODBYE_SECONDS = 1.0


@dataclass(eq=False)
class Handover:
    """A mail on its way: what asks for it to be taken, and its text, dots stuffed, with the final
    dot. `is_begun` once any of the text may have been written. `verdict` is what the server said,
    `done` gets it when its answers are all there.
    """

    commands: tuple[bytes, bytes, bytes]
    text: bytes
    name: str
    done: "asyncio.Future[Result]"
    session: "Session | None" = None
    is_begun: bool = False
    verdict: Result | None = None

    def settle(self, result: Result) -> None:
        if not self.done.done():
            self.done.set_result(result)


class Owner(Protocol):
    """Who has the mails."""

    def take(self) -> Handover | None:
        """The next mail, if any waits."""

    def give_back(self, mail: Handover) -> None:
        """The mail was not begun, through no fault of its own."""

    def has_answered(self, session: "Session") -> None:
        """Nothing is under way."""

    def has_ended(self, session: "Session") -> None:
        """The connection is gone."""


class Session(asyncio.Protocol):
    """An open connection, whose transport it takes over. `mails` were begun on it."""

    def __init__(self, transport: asyncio.Transport, owner: Owner, *, pipelines: bool) -> None:
        self.mails = 0
        self.ended = asyncio.get_running_loop().create_future()
        self._transport, self._owner, self._pipelines = transport, owner, pipelines
        self._expected: deque[tuple[Handover, str]] = deque()
        self._unasked: deque[tuple[str, bytes]] = deque()
        self._received = b""
        self._lines: list[bytes] = []
        self._is_new = True
        self._is_dirty = False  # a mail that was refused is still begun
        transport.set_protocol(self)

    def begin(self, mail: Handover) -> None:
        """Ask the server to take a mail; nothing else is under way."""
        self._transport.write(self._asking(mail))

    def abort(self) -> None:
        """Hang up."""
        self._transport.abort()

    def quit(self) -> None:
        """Say goodbye, whereupon the server hangs up."""
        self._transport.write(b"QUIT\r\n")
        asyncio.get_running_loop().call_later(GOODBYE_SECONDS, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            self._lines.append(line[4:].strip())
            if line[3:4] == b"-":
                continue
            text, self._lines = b"\n".join(self._lines), []
            if not line[:3].isdigit():
                self.abort()
                return
            self._replied(int(line[:3]), text)
        if len(self._received) + sum(map(len, self._lines)) > LONGEST_REPLY:
            self.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """What was not begun may go elsewhere; only a new session's first mail is its fault."""
        under_way = list(dict.fromkeys(mail for mail, _ in self._expected))
        is_blamed = self._is_new
        self._expected.clear()
        self.ended.set_result(None)
        self._owner.has_ended(self)
        for mail in under_way:
            if mail.verdict or mail.is_begun or is_blamed:
                silence = by_silence(mail.is_begun, str(error or "the server hung up"))
                mail.settle(mail.verdict or silence)
            else:
                self._owner.give_back(mail)
            is_blamed = False

    def _asking(self, mail: Handover) -> bytes:
        """The commands that go out now."""
        mail.session = self
        self.mails += 1
        commands = list(zip(("mail", "rcpt", "data"), mail.commands, strict=True))
        if self._is_dirty:
            commands.insert(0, ("rset", b"RSET\r\n"))
            self._is_dirty = False
        if not self._pipelines:
            self._unasked.extend(commands[1:])
            del commands[1:]
        self._expected.extend([(mail, stage) for stage, _ in commands])
        return b"".join([command for _, command in commands])

    def _replied(self, code: int, text: bytes) -> None:
        if not self._expected:  # a goodbye, asked for or not
            return
        mail, stage = self._expected.popleft()
        is_good = code == 354 if stage == "data" else 200 <= code < 300 or stage == "rset"
        if not is_good:
            self._refuse(mail, stage, code, text)
        elif stage == "text":
            mail.verdict = mail.verdict or Result(ResultClass.ACCEPTED, reference=mail.name)
        elif stage == "data":
            self._write_text(mail)
        elif self._unasked:
            following, command = self._unasked.popleft()
            self._expected.append((mail, following))
            self._transport.write(command)
        is_done = not self._expected or self._expected[0][0] is not mail
        if is_done and mail.verdict:
            self._is_new = False
            mail.settle(mail.verdict)
        if not self._expected and not self._transport.is_closing():
            self._owner.has_answered(self)

    def _write_text(self, mail: Handover) -> None:
        self._expected.append((mail, "text"))
        if mail.verdict:  # refused, and yet the server listens
            self._transport.write(b".\r\n")
            return
        mail.is_begun = True
        following = None
        if self._pipelines and self.mails < MAILS_A_SESSION:
            following = self._owner.take()
        self._transport.write(mail.text + self._asking(following) if following else mail.text)

    def _refuse(self, mail: Handover, stage: str, code: int, text: bytes) -> None:
        """The first refusal says why; what follows it does so of itself."""
        mail.verdict = mail.verdict or by_reply(code, text.decode(errors="replace"), stage)
        self._unasked.clear()
        self._is_dirty = stage != "text"
        if code == CLOSING:
            self.abort()
