"""SES v2's exceptions (its API reference, `SendEmail`) as result classes."""

from collections.abc import Mapping
from typing import Any

from marketing.delivery.rules import ResultClass, by_http_status

CODES = {
    "TooManyRequestsException": ResultClass.RETRY,
    "LimitExceededException": ResultClass.RETRY,
    "InternalServiceErrorException": ResultClass.RETRY,
    "AccountSuspendedException": ResultClass.FAIL_ACCOUNT,
    "SendingPausedException": ResultClass.FAIL_ACCOUNT,
    "MailFromDomainNotVerifiedException": ResultClass.FAIL_ACCOUNT,
    "NotFoundException": ResultClass.FAIL_ACCOUNT,
    "MessageRejected": ResultClass.FAIL_CONTENT,
    "BadRequestException": ResultClass.FAIL_CONTENT,
}
# Of a sender (or, in SES's own sandbox, of anyone) that AWS has not verified.
UNVERIFIED = "not verified"
ILLEGAL_ADDRESS = ("illegal address", "missing final '@domain'", "domain contains", "local address")
DAILY_QUOTA = "daily message quota"
# The quota is of the last 24 hours.
DAY_SECONDS = 86_400.0


def class_of(code: str, text: str, metadata: Mapping[str, Any]) -> tuple[ResultClass, str]:
    """The class of an exception, and why to suppress the address, if at all."""
    said = text.lower()
    if UNVERIFIED in said:
        return ResultClass.FAIL_ACCOUNT, ""
    if code == "BadRequestException" and said.startswith(ILLEGAL_ADDRESS):
        return ResultClass.FAIL_RECIPIENT, "invalid"
    status = int(metadata.get("HTTPStatusCode", 0))
    return CODES.get(code) or by_http_status(status), ""


def daily_wait(text: str) -> float | None:
    """Seconds until the day's quota is surely free again, where the text speaks of it."""
    return DAY_SECONDS if DAILY_QUOTA in text.lower() else None
