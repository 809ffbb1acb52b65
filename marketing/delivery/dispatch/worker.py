"""The dispatch worker: an event loop that keeps a rolling window of requests under way.

Per batch: take tokens, mark that many, note their start, send, note the answers, write
outcomes every 200 rows or 50 ms. Database work happens in one thread beside the loop.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import aiohttp
import uvloop
from django.db import InterfaceError, OperationalError, connection

from marketing.delivery.dispatch import lease as leases
from marketing.delivery.dispatch import outcomes, recovery
from marketing.delivery.dispatch.journal import Journal
from marketing.delivery.dispatch.outcomes import Outcome
from marketing.delivery.dispatch.rendering import MessageRenderer
from marketing.delivery.dispatch.sending import load_sending, pause_for_account
from marketing.delivery.dispatch.tokens import TokenBuckets
from marketing.delivery.providers.base import Account, Answer, Envelope
from marketing.delivery.registry import vendor
from marketing.delivery.rules import Result, ResultClass

logger = logging.getLogger(__name__)

WORK_SECONDS = 40.0
HTTP_TIMEOUT = 10.0
SLICE = 100
FLUSH_ROWS = 200
FLUSH_SECONDS = 0.05
AGAIN_SECONDS = 0.5
DRAIN_SECONDS = 30.0

T = TypeVar("T")


@dataclass
class Batch:
    """A leased batch and what is under way of it."""

    lease: leases.Lease
    account: Account
    renderer: MessageRenderer
    last_start: float
    under_way: int = 0
    unwritten: list[Outcome] = field(default_factory=list)
    is_closing: bool = False


def run(seconds: float = WORK_SECONDS) -> bool:
    """Send due batches for at most `seconds`; returns whether more may be due."""
    recovery.recover_abandoned()
    return uvloop.run(Dispatcher(seconds).run())


class Dispatcher:
    """One task's worth of dispatching."""

    def __init__(self, seconds: float) -> None:
        self._stop_at = time.monotonic() + seconds
        self._batches: list[Batch] = []
        self._under_way = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._to_write = asyncio.Event()
        self._buckets = TokenBuckets()

    async def run(self) -> bool:
        """Returns whether more may be due. Raises when the database stays away.

        Then the journal is left behind, and the next worker settles what it says.
        """
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dispatch-db")
        self._journal = Journal()
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=15)
        timeout = aiohttp.ClientTimeout(total=HTTP_TIMEOUT)
        try:
            async with aiohttp.ClientSession(connector=connector, timeout=timeout) as self._session:
                writer = asyncio.create_task(self._write_forever())
                try:
                    more = await self._send_due()
                finally:
                    await self._drain()
                    writer.cancel()
            self._journal.close()
        except BaseException:
            self._journal.leave()
            raise
        finally:
            self._thread.submit(lambda: connection.close()).result()
            self._thread.shutdown()
        return more

    async def _send_due(self) -> bool:
        while time.monotonic() < self._stop_at:
            batch = await self._in_thread(self._claim)
            if batch is not None:
                await self._send_batch(batch)
            elif self._batches:
                await asyncio.sleep(FLUSH_SECONDS)
            else:
                return False
        return True

    async def _in_thread(self, work: Callable[..., T], *args: object) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._on_live_connection, work, *args)

    @staticmethod
    def _on_live_connection(work: Callable[..., T], *args: object) -> T:
        try:
            return work(*args)
        except (OperationalError, InterfaceError):
            connection.close()
            raise

    def _claim(self) -> Batch | None:
        while lease := leases.claim():
            self._journal.lease(lease)
            sending = load_sending(lease)
            if sending is None:
                leases.release(lease)
                continue
            batch = Batch(lease, sending.account, sending.renderer, time.monotonic())
            self._batches.append(batch)
            return batch
        return None

    async def _send_batch(self, batch: Batch) -> None:
        """Start every message of the batch that may go, as window and rate allow."""
        limit = batch.account.max_concurrency
        while time.monotonic() < self._stop_at and not batch.is_closing:
            wanted = min(limit - self._under_way, SLICE)
            if wanted < min(limit, SLICE) // 4 or wanted < 1:
                self._room.clear()
                await self._room.wait()
                continue
            taken, marked = await self._in_thread(self._mark, batch, wanted)
            if not taken:
                await asyncio.sleep(min(1.0 / batch.account.rate_per_second, 0.1))
                continue
            if marked.lost or marked.exhausted:
                break
            if marked.messages:
                batch.last_start = time.monotonic()
                self._journal.start([message.id for message in marked.messages])
            for message in marked.messages:
                batch.under_way += 1
                self._under_way += 1
                task = asyncio.create_task(self._send(batch, message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        batch.is_closing = True
        self._to_write.set()

    def _mark(self, batch: Batch, wanted: int) -> tuple[int, leases.Slice]:
        account = batch.account
        taken = self._buckets.take(account.id, account.rate_per_second, wanted)
        if not taken:
            return 0, leases.Slice([])
        marked = leases.mark(batch.lease, taken)
        if unused := taken - len(marked.messages):
            self._buckets.give_back(account.id, unused)
        return taken, marked

    async def _send(self, batch: Batch, message: leases.Marked) -> None:
        segments = message.segments
        try:
            envelope, segments = batch.renderer.render(message)
            result = await self._post(batch, envelope)
        except Exception as error:
            logger.exception("message %s could not be rendered", message.id)
            result = Result(ResultClass.FAIL_CONTENT, code="render", detail=str(error))
        outcome = Outcome(message.id, result, message.tries, segments)
        self._journal.answer(outcome)
        batch.unwritten.append(outcome)
        batch.under_way -= 1
        self._under_way -= 1
        self._room.set()
        if len(batch.unwritten) >= FLUSH_ROWS:
            self._to_write.set()

    async def _post(self, batch: Batch, envelope: Envelope) -> Result:
        client = vendor(batch.account.provider).client
        request = client.build(batch.account, [envelope])
        # The lease must outlive the request, else another worker could take the message.
        if time.monotonic() > batch.last_start + leases.LEASE.total_seconds() - HTTP_TIMEOUT:
            return Result(ResultClass.RETRY, code="lease_over")
        try:
            async with self._session.post(
                request.url, data=request.body, headers=request.headers, allow_redirects=False
            ) as response:
                answer = Answer(response.status, response.headers, await response.read())
                result: Result = client.interpret([envelope], answer)[0]
                return result
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Result(ResultClass.RETRY, code="unreachable", detail=type(error).__name__)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # The request may have arrived: never sent again, matched later by our reference.
            return Result(ResultClass.UNKNOWN, code="no_answer", detail=type(error).__name__)

    async def _write_forever(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._to_write.wait(), FLUSH_SECONDS)
            self._to_write.clear()
            try:
                await self._write()
            except (OperationalError, InterfaceError):
                logger.exception("outcomes could not be written; trying again")
                await asyncio.sleep(AGAIN_SECONDS)

    async def _write(self) -> None:
        """Write what was answered; give back batches of which nothing is under way."""
        for batch in list(self._batches):
            if batch.unwritten:
                written = batch.unwritten[:]
                await self._in_thread(self._write_outcomes, batch, written)
                del batch.unwritten[: len(written)]
            if batch.is_closing and not batch.under_way and not batch.unwritten:
                await self._in_thread(leases.release, batch.lease)
                self._batches.remove(batch)

    def _write_outcomes(self, batch: Batch, written: list[Outcome]) -> None:
        lease = batch.lease
        outcomes.write(lease.tenant_id, written, lease.first_id, lease.last_id)
        faults = [o.result for o in written if o.result.outcome is ResultClass.FAIL_ACCOUNT]
        if faults:
            batch.is_closing = True
            pause_for_account(lease, faults[0])

    async def _drain(self) -> None:
        """Let every started request end, write it, and give every batch back."""
        give_up_at = time.monotonic() + DRAIN_SECONDS
        for batch in self._batches:
            batch.is_closing = True
        while self._tasks or self._batches:
            if time.monotonic() > give_up_at:
                raise TimeoutError("the outcomes could not be written")
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=FLUSH_SECONDS)
            self._to_write.set()
            await asyncio.sleep(FLUSH_SECONDS / 5)
