"""What every vendor's send endpoint does: wait, limit, strike faults, answer or not."""

import asyncio
import math
from dataclasses import dataclass

from aiohttp import web

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.faults import Fault, PlannedFault
from marketing.delivery.sandbox.outcomes import Refusal, refusal_for
from marketing.delivery.sandbox.state import Sandbox

WITHHELD_SECONDS = 60


class Refused(Exception):
    """The request is not accepted: `status` 429 or 500, in the vendor's own shape."""

    def __init__(self, status: int, retry_after: int = 0) -> None:
        self.status = status
        self.retry_after = retry_after
        super().__init__(status)

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after)} if self.retry_after else {}


@dataclass(frozen=True)
class Admission:
    """The request may be accepted; what is to happen to its answer and callbacks."""

    struck: dict[Fault, PlannedFault]
    withhold: bool

    @property
    def duplicate(self) -> bool:
        return Fault.DUPLICATE_CALLBACKS in self.struck

    @property
    def reorder(self) -> bool:
        return Fault.REORDER_CALLBACKS in self.struck


async def admit(
    sandbox: Sandbox, request: web.Request, account: Account, recipient: str
) -> Admission:
    """Let the request pass, or raise `Refused`."""
    if account.latency_ms:
        await asyncio.sleep(account.latency_ms / 1000)
    wait = sandbox.accounts.seconds_to_wait(account)
    if wait:
        raise Refused(429, math.ceil(wait))
    struck = sandbox.faults.strike(account.name, recipient)
    if Fault.DROP_BEFORE_ACCEPT in struck:
        hang_up(request)
        raise Refused(500)
    if Fault.RATE_LIMITED in struck:
        raise Refused(429, 1)
    refusal = refusal_for(recipient)
    if Fault.SERVER_ERROR in struck or refusal is Refusal.SERVER_ERROR:
        raise Refused(500)
    if refusal is Refusal.RATE_LIMITED_ONCE:
        place = (account.name, recipient)
        if place not in sandbox.limited_once:
            sandbox.limited_once.add(place)
            raise Refused(429, 1)
    return Admission(struck, refusal is Refusal.NO_ANSWER)


async def conclude(
    sandbox: Sandbox, request: web.Request, admission: Admission, response: web.Response
) -> web.Response:
    """Answer once the ledger is on disk, unless a fault says otherwise."""
    await sandbox.database.committed()
    if Fault.DROP_AFTER_ACCEPT in admission.struck:
        hang_up(request)
    elif admission.withhold:
        await asyncio.sleep(WITHHELD_SECONDS)
    elif late := admission.struck.get(Fault.ANSWER_LATE):
        await asyncio.sleep(late.delay_ms / 1000)
    return response


def hang_up(request: web.Request) -> None:
    """Close the connection without a word."""
    if request.transport is not None:
        request.transport.abort()
