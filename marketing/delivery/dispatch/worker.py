"""The dispatch worker: leases batches, and has one sender for each provider account.

Database work happens in two threads beside the event loop, one marking what goes next, one
writing what became of it.
"""

import asyncio
import contextlib
import gc
import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import uvloop
from django.db import InterfaceError, OperationalError, connection

from marketing.core.prepared import keep_statements
from marketing.delivery.dispatch import lease as leases
from marketing.delivery.dispatch import recovery
from marketing.delivery.dispatch.account_sender import LARGEST_SLICE, AccountSender, Batch
from marketing.delivery.dispatch.journal import Journal
from marketing.delivery.dispatch.sending import Sending, load_sending
from marketing.delivery.dispatch.tokens import TokenBuckets
from marketing.delivery.dispatch.transport import Transport
from marketing.delivery.registry import close_clients

logger = logging.getLogger(__name__)

WORK_SECONDS = 40.0
FLUSH_SECONDS = 0.05
LOOK_SECONDS = 0.25
RENEW_SECONDS = 15.0
AGAIN_SECONDS = 0.5
DRAIN_SECONDS = 30.0
# Many runs may want to send at once: each gets its turns.
MAX_BATCHES = 64

T = TypeVar("T")


def run(seconds: float = WORK_SECONDS) -> bool:
    """Send due batches for at most `seconds`; returns whether more may be due."""
    calm_collector()
    recovery.recover_abandoned()
    return uvloop.run(Dispatcher(seconds).run())


@cache
def calm_collector() -> None:
    """Collect garbage seldom, and not among what stands from the start: a tenth of the CPU."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


class DatabaseThread:
    """One thread with a connection of its own, for work that must not hold up the loop."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(
            1, thread_name_prefix=name, initializer=lambda: keep_statements(connection)
        )

    async def do(self, work: Callable[..., T], *args: object) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._on_live_connection, work, *args)

    @staticmethod
    def _on_live_connection(work: Callable[..., T], *args: object) -> T:
        try:
            return work(*args)
        except (OperationalError, InterfaceError):
            connection.close()
            raise

    def close(self) -> None:
        self._executor.submit(lambda: connection.close()).result()
        self._executor.shutdown()


class Dispatcher:
    """One task's worth of dispatching."""

    def __init__(self, seconds: float) -> None:
        self._stop_at = time.monotonic() + seconds
        self._senders: dict[uuid.UUID, AccountSender] = {}
        self._known: dict[uuid.UUID, Sending] = {}
        self._to_write = asyncio.Event()
        self._wants_batches = asyncio.Event()
        self._buckets = TokenBuckets()

    async def run(self) -> bool:
        """Returns whether more may be due. Raises when the database stays away.

        Then the journal is left behind, and the next worker settles what it says.
        """
        self._marking, self._writing = DatabaseThread("marking"), DatabaseThread("writing")
        self._journal = Journal()
        try:
            async with Transport() as self._transport:
                writer = asyncio.create_task(self._write_forever())
                try:
                    more = await self._send_due()
                finally:
                    await self._drain()
                    await close_clients()
                    writer.cancel()
            self._journal.close()
        except BaseException:
            self._journal.leave()
            raise
        finally:
            self._marking.close()
            self._writing.close()
        return more

    async def _send_due(self) -> bool:
        looked_at = 0.0
        while time.monotonic() < self._stop_at:
            self._raise_failures()
            await self._renew()
            self._wants_batches.clear()
            is_hungry = any(sender.is_hungry for sender in self._senders.values())
            is_time = time.monotonic() - looked_at > LOOK_SECONDS
            claimed = None
            if (is_hungry or is_time) and len(self._batches()) < MAX_BATCHES:
                looked_at = time.monotonic()
                claimed = await self._marking.do(self._claim)
                if claimed is None and not self._batches():
                    return False
            if claimed is not None:
                self._sender_of(claimed).add(claimed)
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wants_batches.wait(), FLUSH_SECONDS)
        return True

    def _batches(self) -> list[Batch]:
        return [batch for sender in self._senders.values() for batch in sender.batches]

    def _claim(self) -> Batch | None:
        """A batch of a run of which there is not enough at hand: a second's worth, or a slice."""
        wanted: Counter[uuid.UUID] = Counter()
        for batch in self._batches():
            enough = min(batch.sending.account.rate_per_second, LARGEST_SLICE)
            wanted.setdefault(batch.lease.run_id, enough)
            wanted[batch.lease.run_id] -= batch.left
        enough_of = [run_id for run_id, count in wanted.items() if count <= 0]
        while lease := leases.claim(enough_of):
            self._journal.lease(lease)
            sending = load_sending(lease, self._known.get(lease.run_id))
            if sending is None:
                leases.release(lease)
                continue
            self._known[lease.run_id] = sending
            return Batch(lease, sending)
        return None

    def _sender_of(self, batch: Batch) -> AccountSender:
        account = batch.sending.account
        sender = self._senders.get(account.id)
        if sender is None:
            sender = self._senders[account.id] = AccountSender(
                transport=self._transport,
                buckets=self._buckets,
                journal=self._journal,
                marking=self._marking.do,
                to_write=self._to_write,
                wants_batches=self._wants_batches,
                stop_at=self._stop_at,
            )
        return sender

    def _raise_failures(self) -> None:
        for sender in self._senders.values():
            sender.raise_failure()

    async def _renew(self) -> None:
        """Leases of batches that wait for their turn must not run out meanwhile."""
        old = time.monotonic() - RENEW_SECONDS
        batches = [batch for batch in self._batches() if batch.renewed_at < old]
        if batches:
            now = time.monotonic()
            await self._marking.do(leases.renew, [batch.lease for batch in batches])
            for batch in batches:
                batch.renewed_at = now

    async def _write_forever(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._to_write.wait(), FLUSH_SECONDS)
            self._to_write.clear()
            try:
                for sender in list(self._senders.values()):
                    await sender.write(self._writing.do)
            except (OperationalError, InterfaceError):
                logger.exception("outcomes could not be written; trying again")
                await asyncio.sleep(AGAIN_SECONDS)

    async def _drain(self) -> None:
        """Let every started request end, write it, and give every batch back."""
        give_up_at = time.monotonic() + DRAIN_SECONDS
        for sender in self._senders.values():
            sender.stop()
        while any(sender.is_busy for sender in self._senders.values()):
            if time.monotonic() > give_up_at:
                raise TimeoutError("the outcomes could not be written")
            self._to_write.set()
            await asyncio.sleep(FLUSH_SECONDS / 5)
