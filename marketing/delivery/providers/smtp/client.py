"""Handing mails to a server, one by one, over sessions that stay open."""

import asyncio
from collections.abc import Sequence

import aiosmtplib

from marketing.delivery.providers.base import Account, Envelope
from marketing.delivery.providers.mail import bad_address, wire_address
from marketing.delivery.providers.smtp import mailbox
from marketing.delivery.providers.smtp.mime import compose
from marketing.delivery.providers.smtp.naming import name_of
from marketing.delivery.providers.smtp.pool import close_pools, log_in, pool_of
from marketing.delivery.providers.smtp.replies import by_refused_session
from marketing.delivery.providers.smtp.session import Handover
from marketing.delivery.rules import Result, ResultClass

MAX_BATCH = 1
CHARGED_ON = "sent"

TOTAL_SECONDS = 9.0


async def deliver(account: Account, envelopes: Sequence[Envelope]) -> list[Result]:
    """One result a mail. What got no answer after the mail was begun is unknown."""
    return [await _deliver(account, envelope) for envelope in envelopes]


async def close() -> None:
    """End the sessions of the running loop."""
    await close_pools()


async def probe(account: Account) -> str:
    """Log in and out again, at the mailbox of bounces too; what is wrong, empty if nothing."""
    try:
        async with asyncio.timeout(TOTAL_SECONDS):
            smtp = await log_in(account)
            try:
                await smtp.noop()
                await smtp.quit()
            finally:
                smtp.close()
    except (aiosmtplib.SMTPException, OSError) as error:
        result = by_refused_session(error)
        return result.detail or result.code
    return await asyncio.to_thread(mailbox.check, account) if mailbox.is_set(account) else ""


async def _deliver(account: Account, envelope: Envelope) -> Result:
    try:
        address = wire_address(envelope.address)
    except ValueError as error:
        return bad_address(error)
    try:
        mail = _handover(account, envelope, address)
    except ValueError as error:  # all else in its head is the sender's
        return Result(ResultClass.FAIL_ACCOUNT, code="sender", detail=str(error))
    pool = pool_of(account)
    timer = asyncio.get_running_loop().call_later(TOTAL_SECONDS, pool.expire, mail)
    pool.add(mail)
    try:
        return await mail.done
    finally:
        timer.cancel()


def _handover(account: Account, envelope: Envelope, address: str) -> Handover:
    """Raises ValueError."""
    sender = account.sender.get("return_path") or account.sender["from_email"]
    text = compose(account, envelope, address)
    return Handover(
        commands=(
            f"MAIL FROM:<{wire_address(sender)}>\r\n".encode(),
            f"RCPT TO:<{address}>\r\n".encode(),
            b"DATA\r\n",
        ),
        # It ends with a line's end, and does not begin with a dot.
        text=text.replace(b"\r\n.", b"\r\n..") + b".\r\n",
        name=name_of(account, envelope),
        done=asyncio.get_running_loop().create_future(),
    )
