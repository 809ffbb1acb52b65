"""Handing mails to a server, one by one, over sessions that stay open."""

import asyncio
import re
from collections.abc import Sequence

import aiosmtplib

from marketing.delivery.providers.base import Account, Envelope
from marketing.delivery.providers.mail import wire_address
from marketing.delivery.providers.smtp.mime import compose, message_id
from marketing.delivery.providers.smtp.pool import Connection, close_pools, pool_of
from marketing.delivery.rules import Result, ResultClass

MAX_BATCH = 1
CHARGED_ON = "sent"

TOTAL_SECONDS = 9.0
# RFC 3463: what is wrong with the address itself, not with the mail or the sender.
NO_SUCH_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
ACCOUNT_CODES = frozenset({530, 534, 535, 538})
RECIPIENT_CODES = frozenset({550, 551, 553})
# A server that puts off a mail (greylisting, a full mailbox) does so for minutes.
PUT_OFF_SECONDS = 60.0


async def deliver(account: Account, envelopes: Sequence[Envelope]) -> list[Result]:
    """One result a mail. What got no answer after the mail was begun is unknown."""
    return [await _deliver(account, envelope) for envelope in envelopes]


async def close() -> None:
    """End the sessions of the running loop."""
    await close_pools()


async def probe(account: Account) -> str:
    """Log in and out again; what is wrong, empty if nothing."""
    try:
        async with asyncio.timeout(TOTAL_SECONDS), pool_of(account).connection() as connection:
            await connection.smtp.noop()
    except (aiosmtplib.SMTPException, OSError) as error:
        result = _refusal(error, "connect")
        return result.detail or result.code
    finally:
        await close_pools()
    return ""


async def _deliver(account: Account, envelope: Envelope) -> Result:
    try:
        address = wire_address(envelope.address)
    except ValueError as error:
        return Result(
            ResultClass.FAIL_RECIPIENT, code="address", detail=str(error), suppress="invalid"
        )
    try:
        mail = compose(account, envelope, address)
    except ValueError as error:  # all else in its head is the sender's
        return Result(ResultClass.FAIL_ACCOUNT, code="sender", detail=str(error))
    attempt = _Attempt(account, address, mail, message_id(account, envelope))
    try:
        async with asyncio.timeout(TOTAL_SECONDS):
            return await attempt.run()
    except (aiosmtplib.SMTPException, OSError) as error:
        return _refusal(error, attempt.stage)


class _Attempt:
    """One mail on its way; `stage` is how far it has come: connect, mail, rcpt or data."""

    def __init__(self, account: Account, address: str, mail: bytes, name: str) -> None:
        self._account = account
        self._address = address
        self._mail = mail
        self._name = name
        self.stage = "connect"

    async def run(self) -> Result:
        pool = pool_of(self._account)
        while True:
            async with pool.connection() as connection:
                try:
                    await self._hand_over(connection)
                except aiosmtplib.SMTPServerDisconnected:
                    # The server had ended the kept session; the mail was not begun on it.
                    if connection.is_new or self.stage == "data":
                        raise
                    self.stage = "connect"
                    continue
                except aiosmtplib.SMTPResponseException as error:
                    if error.code == 421:
                        raise
                    connection.is_dirty = True
                    return _refusal(error, self.stage)
                connection.mails += 1
                return Result(ResultClass.ACCEPTED, reference=self._name)

    async def _hand_over(self, connection: Connection) -> None:
        sender = self._account.sender
        self.stage = "mail"
        if connection.is_dirty:
            await connection.smtp.rset()
            connection.is_dirty = False
        await connection.smtp.mail(sender.get("return_path") or sender["from_email"])
        self.stage = "rcpt"
        await connection.smtp.rcpt(self._address)
        self.stage = "data"
        await connection.smtp.data(self._mail)


def _refusal(error: Exception, stage: str) -> Result:
    """What an error means for the mail that had come to the stage."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _by_reply(error.code, error.message, stage)
    if not isinstance(error, OSError):  # the server has no such thing as we are set up to use
        return Result(ResultClass.FAIL_ACCOUNT, code="not_supported", detail=str(error))
    if stage == "data":
        return Result(ResultClass.UNKNOWN, code="no_answer", detail=type(error).__name__)
    return Result(ResultClass.RETRY, code="unreachable", detail=str(error) or type(error).__name__)


def _by_reply(code: int, text: str, stage: str) -> Result:
    """The class of a reply code; every reply says that the mail was not taken."""
    enhanced = match[0] if (match := ENHANCED.match(text)) else ""
    suppress = ""
    retry_after = None
    if 400 <= code < 500:
        outcome = ResultClass.RETRY
        retry_after = PUT_OFF_SECONDS if stage in ("rcpt", "data") and code != 421 else None
    elif code in ACCOUNT_CODES or stage in ("connect", "mail"):
        outcome = ResultClass.FAIL_ACCOUNT
    elif code in RECIPIENT_CODES and not (stage == "data" and enhanced.startswith("5.7.")):
        outcome = ResultClass.FAIL_RECIPIENT
        suppress = "hard_bounce" if enhanced in NO_SUCH_ADDRESS else ""
    else:
        outcome = ResultClass.FAIL_CONTENT
    return Result(
        outcome,
        code=f"{code} {enhanced}".strip(),
        detail=text,
        retry_after=retry_after,
        slows=code == 421,
        suppress=suppress,
    )
