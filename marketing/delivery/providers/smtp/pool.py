"""The sessions with a mail server, kept open between mails."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast
from weakref import WeakKeyDictionary

import aiosmtplib

from marketing.delivery.providers.base import Account
from marketing.delivery.providers.smtp import session as sessions
from marketing.delivery.providers.smtp.replies import by_refused_session, by_silence
from marketing.delivery.providers.smtp.session import Handover, Session

SESSIONS = 10
COMMAND_SECONDS = 8.0
CONNECT_SECONDS = 5.0


async def log_in(account: Account) -> aiosmtplib.SMTP:
    """A connection that is ready for mails. Raises SMTPException, OSError."""
    sender = account.sender
    secrets = account.credentials
    security = sender.get("security") or "starttls"
    smtp = aiosmtplib.SMTP(
        hostname=sender["host"],
        port=int(sender.get("port") or (465 if security == "tls" else 587)),
        username=secrets.get("username") or None,
        password=secrets.get("password") or None,
        # Asking the resolver for our own name can take long, and nobody reads it.
        local_hostname=sender["from_email"].rpartition("@")[2],
        timeout=COMMAND_SECONDS,
        use_tls=security == "tls",
        start_tls=security == "starttls",
    )
    try:
        await smtp.connect(timeout=CONNECT_SECONDS)
        await _greet(smtp)
    except BaseException:
        smtp.close()
        raise
    return smtp


async def _greet(smtp: aiosmtplib.SMTP) -> None:
    """Say hello, where logging in or encrypting has not: again after encrypting (RFC 3207)."""
    if smtp.is_ehlo_or_helo_needed:
        try:
            await smtp.ehlo()
        except aiosmtplib.SMTPHeloError:
            await smtp.helo()


@dataclass(eq=False)
class Pool:
    """At most `SESSIONS` of one account in one event loop, and the mails that wait for one."""

    account: Account
    waiting: deque[Handover] = field(default_factory=deque)
    idle: list[Session] = field(default_factory=list)
    open: set[Session] = field(default_factory=set)
    leaving: set[Session] = field(default_factory=set)
    opening: set[asyncio.Task[None]] = field(default_factory=set)
    is_closed: bool = False

    def add(self, mail: Handover) -> None:
        """Hand the mail over as soon as may be."""
        self.waiting.append(mail)
        self._serve()

    def expire(self, mail: Handover) -> None:
        """The mail has had its time."""
        mail.settle(by_silence(mail.is_begun, TimeoutError.__name__))
        if mail.session:
            mail.session.abort()

    def take(self) -> Handover | None:
        while self.waiting:
            mail = self.waiting.popleft()
            if not mail.done.done():
                return mail
        return None

    def give_back(self, mail: Handover) -> None:
        mail.session = None
        self.waiting.appendleft(mail)
        self._serve()

    def has_answered(self, session: Session) -> None:
        if session.mails >= sessions.MAILS_A_SESSION:
            self._end(session)
        elif mail := self.take():
            session.begin(mail)
        else:
            self.idle.append(session)

    def has_ended(self, session: Session) -> None:
        self.open.discard(session)
        self.leaving.discard(session)
        if session in self.idle:
            self.idle.remove(session)
        self._serve()

    async def close(self) -> None:
        """End every session, politely where no mail is under way."""
        self.is_closed = True
        for task in self.opening:
            task.cancel()
        for session in self.open.difference(self.idle):
            session.abort()
        while self.idle:
            self._end(self.idle.pop())
        if left := [session.ended for session in self.open | self.leaving]:
            await asyncio.wait(left)

    def _serve(self) -> None:
        if self.is_closed:
            return
        while self.idle and (mail := self.take()):
            self.idle.pop().begin(mail)
        while len(self.opening) < min(len(self.waiting), SESSIONS - len(self.open)):
            task = asyncio.create_task(self._open())
            self.opening.add(task)

    async def _open(self) -> None:
        task = asyncio.current_task()
        assert task
        try:
            smtp = await log_in(self.account)
        except (aiosmtplib.SMTPException, OSError) as error:
            self.opening.discard(task)
            self._note_refusal(error)
            return
        except BaseException:
            self.opening.discard(task)
            raise
        self.opening.discard(task)
        transport = cast(asyncio.Transport, smtp.transport)
        session = Session(transport, self, pipelines=smtp.supports_extension("pipelining"))
        self.open.add(session)
        self.has_answered(session)

    def _note_refusal(self, error: Exception) -> None:
        """One mail hears of it; all that wait, where nobody is left to take them."""
        result = by_refused_session(error)
        is_lonely = not self.open and not self.opening
        while mail := self.take():
            mail.settle(result)
            if not is_lonely:
                break
        self._serve()

    def _end(self, session: Session) -> None:
        self.open.discard(session)
        self.leaving.add(session)
        session.quit()
        self._serve()


_POOLS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[object, Pool]] = WeakKeyDictionary()


def pool_of(account: Account) -> Pool:
    """The running loop's pool for the account as it is set up now."""
    pools = _POOLS.setdefault(asyncio.get_running_loop(), {})
    known = pools.get(account.id)
    if known is not None and known.account is account:
        return known
    key = (account.id, *_settings(account.sender), *_settings(account.credentials))
    pool = pools.setdefault(key, Pool(account))
    pool.account = account
    pools[account.id] = pool  # found without looking through its settings
    return pool


def _settings(values: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(values.items())


async def close_pools() -> None:
    """End all sessions of the running loop."""
    for pool in set(_POOLS.pop(asyncio.get_running_loop(), {}).values()):
        await pool.close()
