"""Handing mails to SES, one call each: it has no call for mails that are written here."""

import asyncio
import re
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache

from anymail.backends.amazon_ses import EmailBackend
from anymail.exceptions import AnymailAPIError, AnymailInvalidAddress
from anymail.message import AnymailMessage
from botocore import exceptions as aws

from marketing.delivery.providers.base import Account, Envelope
from marketing.delivery.providers.mail import (
    bad_address,
    from_header,
    unsubscribe_headers,
    wire_address,
)
from marketing.delivery.providers.ses.codes import class_of, daily_wait
from marketing.delivery.rules import Result, ResultClass

MAX_BATCH = 1
CHARGED_ON = "sent"

THREADS = 32
TOTAL_SECONDS = 9.0
CONFIG = {
    "connect_timeout": 3,
    "read_timeout": 6,
    # A second try of the library's could send a second mail.
    "retries": {"total_max_attempts": 1},
    "max_pool_connections": THREADS,
}
REGION = re.compile(r"https://email(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com")
# The request was not written, or not with our key: nothing can have been sent.
NOT_SENT = (aws.EndpointConnectionError, aws.ConnectTimeoutError, aws.ProxyConnectionError)
NO_KEY = (aws.NoCredentialsError, aws.PartialCredentialsError)

_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="ses")
_opening = threading.Lock()


async def deliver(account: Account, envelopes: Sequence[Envelope]) -> list[Result]:
    """One result a mail. Boto blocks, so it works in threads of its own."""
    sent = [_threads.submit(_deliver, account, envelope) for envelope in envelopes]
    await asyncio.wait([asyncio.wrap_future(one) for one in sent], timeout=TOTAL_SECONDS)
    return [_settled(one) for one in sent]


async def probe(account: Account) -> str:
    """What keeps the account from sending as fast as it is set to; empty if nothing."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _probe, account)


def _settled(sent: Future[Result]) -> Result:
    if sent.done():
        return sent.result()
    if sent.cancel():
        return Result(ResultClass.RETRY, code="busy")
    return Result(ResultClass.UNKNOWN, code="no_answer")


def _deliver(account: Account, envelope: Envelope) -> Result:
    try:
        address = wire_address(envelope.address)
    except ValueError as error:
        return bad_address(error)
    try:
        message = _mail(account, envelope, address)
        _backend(account).send_messages([message])
    except AnymailAPIError as error:
        return _failure(error.__cause__ or error)
    except (AnymailInvalidAddress, ValueError) as error:  # all but the sender's is plain
        return Result(ResultClass.FAIL_ACCOUNT, code="sender", detail=str(error))
    return Result(ResultClass.ACCEPTED, reference=message.anymail_status.message_id)


def _mail(account: Account, envelope: Envelope, address: str) -> AnymailMessage:
    """Raises ValueError, AnymailInvalidAddress."""
    rendered = envelope.rendered
    message = AnymailMessage(
        subject=" ".join(rendered.subject.split()),
        body=rendered.body,
        from_email=from_header(account),
        to=[address],
        reply_to=[account.sender["reply_to"]] if account.sender.get("reply_to") else [],
        headers=unsubscribe_headers(account, envelope),
        metadata={"message_id": str(envelope.message_id)},
    )
    if rendered.html:
        message.attach_alternative(rendered.html, "text/html")
    return message


def _backend(account: Account) -> EmailBackend:
    secrets = account.credentials
    with _opening:
        return _open(
            account.base_url,
            secrets["access_key_id"],
            secrets["secret_access_key"],
            account.sender.get("configuration_set", ""),
        )


@lru_cache(maxsize=64)
def _open(base_url: str, key_id: str, secret: str, configuration_set: str) -> EmailBackend:
    """A backend with its client, which takes a quarter of a second to make."""
    region = REGION.match(base_url)
    backend = EmailBackend(
        session_params={
            "aws_access_key_id": key_id,
            "aws_secret_access_key": secret,
            "region_name": region[1] if region else "us-east-1",
        },
        client_params={"endpoint_url": base_url, "config": CONFIG},
        configuration_set_name=configuration_set or None,
    )
    backend.open()
    return backend


def _failure(error: BaseException) -> Result:
    if isinstance(error, aws.ClientError):
        said = error.response.get("Error", {})
        code, text = str(said.get("Code", "")), str(said.get("Message", ""))
        outcome, suppress = class_of(code, text, error.response["ResponseMetadata"])
        return Result(
            outcome,
            code=code.removesuffix("Exception"),
            detail=text,
            retry_after=daily_wait(text),
            slows=code in ("TooManyRequestsException", "LimitExceededException"),
            suppress=suppress,
        )
    detail = type(error).__name__
    if isinstance(error, NO_KEY):
        return Result(ResultClass.FAIL_ACCOUNT, code="no_key", detail=detail)
    if isinstance(error, aws.ParamValidationError):
        return Result(ResultClass.FAIL_CONTENT, code="parameters", detail=str(error))
    if isinstance(error, NOT_SENT):
        return Result(ResultClass.RETRY, code="unreachable", detail=detail)
    return Result(ResultClass.UNKNOWN, code="no_answer", detail=detail)


def _probe(account: Account) -> str:
    try:
        told = _backend(account).client.get_account()
    except (aws.ClientError, aws.BotoCoreError) as error:
        result = _failure(error)
        return result.detail or result.code
    rate = told.get("SendQuota", {}).get("MaxSendRate", 0)
    if not told.get("SendingEnabled"):
        return "Sending is switched off for this account in this region."
    if not told.get("ProductionAccessEnabled"):
        return "The account is in SES's sandbox: it may only write to verified addresses."
    if account.rate_per_second > rate:
        return f"SES takes {rate:g} mails a second from this account; set its rate to that."
    return ""
