"""Sending by one provider account: its rate and window, shared fairly by the batches at hand.

Runs take turns: a small campaign started behind a large one gets half the rate at once. The
window rolls: as many messages are marked as there are tokens and room for, their start is
noted, their calls are made, the answers noted and written in sets.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import InterfaceError, OperationalError

from marketing.delivery.dispatch import lease as leases
from marketing.delivery.dispatch import outcomes
from marketing.delivery.dispatch.health import OUTAGE_CLASSES, Health, spare
from marketing.delivery.dispatch.journal import Journal
from marketing.delivery.dispatch.lease import Lease, Marked
from marketing.delivery.dispatch.marking import Slice, mark
from marketing.delivery.dispatch.outcomes import Outcome
from marketing.delivery.dispatch.sending import Sending, pause_for_account
from marketing.delivery.dispatch.tokens import TokenBuckets
from marketing.delivery.dispatch.transport import HTTP_TIMEOUT, NotAnswered, NotSent, Transport
from marketing.delivery.dispatch.turns import Turns
from marketing.delivery.providers.base import Envelope
from marketing.delivery.registry import vendor
from marketing.delivery.rules import LEASE, Result, ResultClass

logger = logging.getLogger(__name__)

# How many messages are marked at once at most; the fewer, the more each costs.
LARGEST_SLICE = 500
# Vendors that take many messages a call: how many may be under way at most.
MAX_WINDOW = 4_000
FLUSH_ROWS = 200
AGAIN_SECONDS = 0.5

InThread = Callable[..., Awaitable[Any]]


@dataclass(eq=False)
class Batch:
    """A leased batch and what is under way of it."""

    lease: Lease
    sending: Sending
    renewed_at: float = field(default_factory=time.monotonic)
    marked: int = 0
    under_way: int = 0
    unwritten: list[Outcome] = field(default_factory=list)
    is_closing: bool = False

    @property
    def left(self) -> int:
        """How many messages may still be marked, as far as is known."""
        return 0 if self.is_closing else max(self.lease.waiting - self.marked, 1)

    @property
    def is_over(self) -> bool:
        return self.is_closing and not self.under_way and not self.unwritten

    def may_start(self) -> bool:
        """The lease must outlive the request, else another worker could take the message."""
        last_start = self.renewed_at + LEASE.total_seconds() - HTTP_TIMEOUT
        return time.monotonic() <= last_start


class AccountSender:
    """Sends the batches of one account until it is stopped."""

    def __init__(
        self,
        *,
        transport: Transport,
        buckets: TokenBuckets,
        journal: Journal,
        marking: InThread,
        to_write: asyncio.Event,
        wants_batches: asyncio.Event,
        stop_at: float,
    ) -> None:
        self.batches: list[Batch] = []
        self._turns: Turns[Batch] = Turns()
        self._transport, self._buckets, self._journal = transport, buckets, journal
        self._marking, self._to_write, self._wants = marking, to_write, wants_batches
        self._stop_at = stop_at
        self._under_way = 0
        self._room = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._health = Health()
        self._is_marking = False
        self._answered: list[Outcome] = []
        self._feeding = asyncio.create_task(self._feed())

    def add(self, batch: Batch) -> None:
        self.batches.append(batch)
        self._turns.add(batch)
        self._room.set()

    @property
    def is_hungry(self) -> bool:
        """What is at hand will soon be gone."""
        return sum(batch.left for batch in self.batches) < 2 * LARGEST_SLICE

    @property
    def is_busy(self) -> bool:
        return bool(self.batches or self._tasks or self._is_marking)

    def stop(self) -> None:
        """Start nothing more."""
        self._stop_at = 0.0
        self._room.set()
        for batch in self.batches:
            self._close(batch)

    def raise_failure(self) -> None:
        """Raise what ended the feeding, if it ended by an error."""
        if self._feeding.done() and not self._feeding.cancelled():
            self._feeding.result()

    async def _feed(self) -> None:
        while time.monotonic() < self._stop_at:
            batch = self._turns.next()
            if batch is None:
                self._wants.set()
                self._room.clear()
                await self._room.wait()
                continue
            wanted = self._wanted(batch)
            if not wanted:
                self._room.clear()
                await self._room.wait()
                continue
            self._is_marking = True
            try:
                taken, marked = await self._marking(self._mark, batch, wanted)
            except (OperationalError, InterfaceError):
                logger.exception("messages could not be marked; trying again")
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            finally:
                self._is_marking = False
            if not taken:
                rate = batch.sending.account.rate_per_second
                await asyncio.sleep(min(1.0 / rate, 0.1))
            elif marked.lost or marked.exhausted:
                self._close(batch)
            elif marked.messages:
                self._start(batch, marked.messages)

    def _window(self, batch: Batch) -> int:
        account = batch.sending.account
        size = vendor(account.provider).batch_size(account)
        return (
            account.max_concurrency
            if size == 1
            else min(account.max_concurrency * size, MAX_WINDOW)
        )

    def _wanted(self, batch: Batch) -> int:
        """How many messages to mark now: not few when there may be many, and each its share."""
        window = self._window(batch)
        size = max(min(window // 2, LARGEST_SLICE), 1)
        room = min(window - self._under_way, size)
        if room < max(size // 2, 1):
            return 0
        fewest = max(min(batch.sending.account.rate_per_second // 10, 20), 1)
        return min(room, max(size // len(self._turns), fewest))

    def _mark(self, batch: Batch, wanted: int) -> tuple[int, Slice]:
        account = batch.sending.account
        taken = self._buckets.take(account.id, account.rate_per_second, wanted)
        if not taken:
            return 0, Slice([])
        renewed_at = time.monotonic()
        marked = mark(batch.lease, batch.sending, taken)
        batch.renewed_at = renewed_at
        if marked.messages:
            self._journal.start([message.id for message in marked.messages])
        if unused := taken - len(marked.messages):
            self._buckets.give_back(account.id, unused)
        return taken, marked

    def _start(self, batch: Batch, messages: Sequence[Marked]) -> None:
        batch.marked += len(messages)
        batch.under_way += len(messages)
        self._under_way += len(messages)
        if self.is_hungry:
            self._wants.set()
        account = batch.sending.account
        ready: dict[uuid.UUID, tuple[Marked, int]] = {}
        envelopes: list[Envelope] = []
        for message in messages:
            try:
                envelope, segments = batch.sending.renderer.render(message)
            except Exception as error:
                logger.exception("message %s could not be rendered", message.id)
                result = Result(ResultClass.FAIL_CONTENT, code="render", detail=str(error))
                self._note(batch, [Outcome(message.id, result, message.tries, message.segments)])
                continue
            ready[message.id] = message, segments
            envelopes.append(envelope)
        calls = [envelopes] if not envelopes else vendor(account.provider).calls(account, envelopes)
        for call in calls:
            if call:
                task = asyncio.create_task(self._call(batch, call, ready))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _call(
        self, batch: Batch, envelopes: list[Envelope], ready: dict[uuid.UUID, tuple[Marked, int]]
    ) -> None:
        account_id = batch.sending.account.id
        results = await self._ask(batch, envelopes)
        noted = []
        for envelope, result in zip(envelopes, results, strict=True):
            message, segments = ready[envelope.message_id]
            self._health.note(account_id, result)
            judged = spare(account_id, result, message.tries)
            noted.append(Outcome(message.id, judged, message.tries, segments))
        self._note(batch, noted)
        slowing = [result for result in results if result.slows]
        if slowing:
            wait = max(result.retry_after or 0.0 for result in slowing)
            await self._marking(self._buckets.slow_down, account_id, wait)

    async def _ask(self, batch: Batch, envelopes: list[Envelope]) -> list[Result]:
        account = batch.sending.account
        its = vendor(account.provider)
        if not batch.may_start():
            return _same(Result(ResultClass.RETRY, code="lease_over"), envelopes)
        try:
            if hasattr(its.client, "deliver"):
                delivered: list[Result] = await its.client.deliver(account, envelopes)
                return delivered
            try:
                request = its.client.build(account, envelopes)
            except ValueError as error:
                result = Result(ResultClass.FAIL_CONTENT, code="request", detail=str(error))
                return _same(result, envelopes)
            answer = await self._transport.ask(request)
            results: list[Result] = its.client.interpret(envelopes, answer)
            return results
        except NotSent as error:
            result = Result(ResultClass.RETRY, code="unreachable", detail=str(error))
        except NotAnswered as error:
            # It may have arrived: sent again only where the vendor knows a repeat for one.
            kind = ResultClass.RETRY if its.is_idempotent else ResultClass.UNKNOWN
            result = Result(kind, code="no_answer", detail=str(error))
        except Exception as error:
            logger.exception("the answer of %s could not be understood", account.provider)
            result = Result(ResultClass.UNKNOWN, code="not_understood", detail=str(error))
        return _same(result, envelopes)

    def _note(self, batch: Batch, noted: Sequence[Outcome]) -> None:
        # What the same turn of the loop reads from many connections is one line of the journal.
        if not self._answered:
            asyncio.get_running_loop().call_soon(self._write_answered)
        self._answered += noted
        batch.unwritten += noted
        batch.under_way -= len(noted)
        self._under_way -= len(noted)
        self._room.set()
        if len(batch.unwritten) >= FLUSH_ROWS:
            self._to_write.set()

    def _write_answered(self) -> None:
        answered, self._answered = self._answered, []
        self._journal.answers(answered)

    def _close(self, batch: Batch) -> None:
        """Mark no more of the batch; it is given back when its last outcome is written."""
        if batch.is_closing:
            return
        batch.is_closing = True
        self._turns.remove(batch)
        self._wants.set()
        self._to_write.set()

    async def write(self, in_thread: InThread) -> None:
        """Write what was answered; give back batches of which nothing is under way."""
        for batch in list(self.batches):
            if batch.unwritten:
                written = batch.unwritten[:]
                await in_thread(self._write_outcomes, batch, written)
                del batch.unwritten[: len(written)]
                await self._stop_on_fault(batch, written, in_thread)
            if batch.is_over and not self._is_marking:
                await in_thread(leases.release, batch.lease)
                self.batches.remove(batch)

    @staticmethod
    def _write_outcomes(batch: Batch, written: list[Outcome]) -> None:
        lease = batch.lease
        outcomes.write(lease.tenant_id, written, lease.first_id, lease.last_id)

    async def _stop_on_fault(
        self, batch: Batch, written: list[Outcome], in_thread: InThread
    ) -> None:
        """The account itself is refused, or the vendor is down: the run pauses and says why."""
        faults = [o.result for o in written if o.result.outcome is ResultClass.FAIL_ACCOUNT]
        is_down = self._health.is_down or any(o.result.spares for o in written)
        is_outage = not faults and is_down
        if is_outage:
            faults = [o.result for o in written if o.result.outcome in OUTAGE_CLASSES]
        if faults:
            for other in list(self.batches):
                self._close(other)
            self._health = Health()
            await in_thread(lambda: pause_for_account(batch.lease, faults[0], is_outage=is_outage))


def _same(result: Result, envelopes: Sequence[Envelope]) -> list[Result]:
    return [result] * len(envelopes)
