"""Connections to a mail server, kept open between mails."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import aiosmtplib

from marketing.delivery.providers.base import Account

CONNECTIONS = 10
# Many servers end a session after some hundred mails; better we do, between two.
MAILS_A_CONNECTION = 100
COMMAND_SECONDS = 8.0
CONNECT_SECONDS = 5.0


@dataclass
class Connection:
    """A session with the server; `mails` counts what it took.

    `is_new` until it has been used, `is_dirty` while a refused mail is still begun on it.
    """

    smtp: aiosmtplib.SMTP
    mails: int = 0
    is_new: bool = True
    is_dirty: bool = False


@dataclass
class Pool:
    """At most `CONNECTIONS` sessions of one account in one event loop."""

    account: Account
    idle: deque[Connection] = field(default_factory=deque)
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CONNECTIONS))

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """An open session; kept for the next mail unless the block raises."""
        async with self.room:
            connection = self._kept() or await self._open()
            try:
                yield connection
            except BaseException:
                connection.smtp.close()
                raise
            connection.is_new = False
            if connection.mails < MAILS_A_CONNECTION and connection.smtp.is_connected:
                self.idle.append(connection)
            else:
                await _end(connection)

    def _kept(self) -> Connection | None:
        while self.idle:
            connection = self.idle.pop()
            if connection.smtp.is_connected:
                return connection
        return None

    async def _open(self) -> Connection:
        sender = self.account.sender
        secrets = self.account.credentials
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
        except BaseException:
            smtp.close()
            raise
        return Connection(smtp)

    async def close(self) -> None:
        """End the sessions that are not in use."""
        while self.idle:
            await _end(self.idle.pop())


async def _end(connection: Connection) -> None:
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        await connection.smtp.quit(timeout=1.0)
    connection.smtp.close()


_POOLS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[object, Pool]] = WeakKeyDictionary()


def pool_of(account: Account) -> Pool:
    """The running loop's pool for the account as it is set up now."""
    pools = _POOLS.setdefault(asyncio.get_running_loop(), {})
    key = (account.id, *sorted(account.sender.items()), *sorted(account.credentials.items()))
    return pools.setdefault(key, Pool(account))


async def close_pools() -> None:
    """End all sessions of the running loop."""
    for pool in _POOLS.pop(asyncio.get_running_loop(), {}).values():
        await pool.close()
