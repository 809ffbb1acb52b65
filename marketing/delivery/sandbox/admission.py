"""What every vendor's send endpoint does: wait, limit, strike faults, answer or not."""

import asyncio
import math

from aiohttp import web

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.faults import Answer, Fault, Treatment
from marketing.delivery.sandbox.outcomes import Refusal, refusal_for
from marketing.delivery.sandbox.state import Sandbox

WITHHELD_SECONDS = 60


class Refused(Exception):
    """The request is not accepted: `status` 429 or 500, in the vendor's own shape.

    ``hangs_up``: it gets no answer at all.
    """

    def __init__(self, status: int, retry_after: int = 0, *, hangs_up: bool = False) -> None:
        self.status = status
        self.retry_after = retry_after
        self.hangs_up = hangs_up
        super().__init__(status)

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after)} if self.retry_after else {}


async def treat(sandbox: Sandbox, account: Account, recipient: str) -> Treatment:
    """Let a request pass, or raise `Refused`; ``recipient`` is its first."""
    if account.latency_ms:
        await asyncio.sleep(account.latency_ms / 1000)
    wait = sandbox.accounts.seconds_to_wait(account)
    if wait:
        raise Refused(429, math.ceil(wait))
    struck = sandbox.faults.strike(account.name, recipient)
    if Fault.DROP_BEFORE_ACCEPT in struck:
        raise Refused(500, hangs_up=True)
    if limited := struck.get(Fault.RATE_LIMITED):
        raise Refused(429, limited.retry_after)
    refusal = refusal_for(recipient)
    if Fault.SERVER_ERROR in struck or refusal is Refusal.SERVER_ERROR:
        raise Refused(500)
    if refusal is Refusal.RATE_LIMITED_ONCE:
        place = (account.name, recipient)
        if place not in sandbox.limited_once:
            sandbox.limited_once.add(place)
            raise Refused(429, 1)
    return Treatment(struck, refusal is Refusal.NO_ANSWER)


async def admit(
    sandbox: Sandbox, request: web.Request, account: Account, recipient: str
) -> Treatment:
    """`treat` for a request over HTTP."""
    try:
        return await treat(sandbox, account, recipient)
    except Refused as refused:
        if refused.hangs_up:
            hang_up(request)
        raise


async def conclude(
    sandbox: Sandbox,
    request: web.Request,
    treatment: Treatment,
    accepted: range,
    response: web.Response,
) -> web.Response:
    """Answer once the ledger is on disk, unless a fault says otherwise."""
    await sandbox.database.committed()
    if Fault.DROP_AFTER_ACCEPT in treatment.struck:
        hang_up(request)
        return response
    if treatment.no_answer:
        await asyncio.sleep(WITHHELD_SECONDS)
    elif late := treatment.struck.get(Fault.ANSWER_LATE):
        await asyncio.sleep(late.delay_ms / 1000)
    if slow := treatment.struck.get(Fault.SLOW_ANSWER):
        await _drip(request, response, slow.delay_ms / 1000)
    elif treatment.answer is Answer.PENDING and _is_listening(request):
        sandbox.ledger.answered(accepted)
    return response


def hang_up(request: web.Request) -> None:
    """Close the connection without a word."""
    if request.transport is not None:
        request.transport.abort()


def _is_listening(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


async def _drip(request: web.Request, response: web.Response, pause: float) -> None:
    """Answer byte by byte, then close."""
    body = response.body if isinstance(response.body, bytes) else b""
    headers = {**response.headers, "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"HTTP/1.1 {response.status} {response.reason}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    for byte in "\r\n".join([*lines, "", ""]).encode() + body:
        if not _is_listening(request):
            return
        assert request.transport is not None
        request.transport.write(bytes([byte]))
        await asyncio.sleep(pause)
    if request.transport is not None:
        request.transport.close()
