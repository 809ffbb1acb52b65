"""Pure rules of delivery: how states move, what a result means, when to try again."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

# A late or repeated report never moves a message back; "failed" after "sent" is allowed.
RANK = {
    "queued": 0,
    "held": 0,
    "sending": 1,
    "unknown": 2,
    "sent": 3,
    "failed": 4,
    "delivered": 5,
    "read": 6,
    "skipped": 7,
}
MAX_TRIES = 5
# Of a message that only met a vendor that was down: about two hours, as the waits grow.
MAX_TRIES_OF_OUTAGE = 25
# So long a worker has a batch to itself without renewing its lease.
LEASE = dt.timedelta(seconds=60)
# Who had enough offers from everybody is tried once more after this time.
PUT_OFF_FOR = dt.timedelta(hours=24)


class ResultClass(StrEnum):
    """What a vendor's answer means to us, whoever the vendor is."""

    ACCEPTED = "accepted"
    RETRY = "retry"
    RETRY_LATER_24H = "retry_later_24h"
    FAIL_RECIPIENT = "fail_recipient"
    FAIL_OPTOUT = "fail_optout"
    FAIL_CONTENT = "fail_content"
    FAIL_ACCOUNT = "fail_account"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Result:
    """How one attempt ended as far as the HTTP call tells.

    `slows`: the account is asked to send slower. `spares`: the vendor was down for everybody, so
    that no try of the message's is used up. `retry_after` is in seconds. `suppress`, if not empty,
    is why nothing may be sent to this address again: a value of `customers.Suppression.Reason`.
    """

    outcome: ResultClass
    reference: str = ""
    code: str = ""
    detail: str = ""
    retry_after: float | None = None
    slows: bool = False
    spares: bool = False
    suppress: str = ""

    @property
    def is_outage(self) -> bool:
        """Whether the vendor was not there, or broke down before it said what was wrong."""
        return self.code in ("unreachable", "no_answer") or self.code.startswith("http_5")


def by_http_status(status: int) -> ResultClass:
    """The class of an answer whose code is not in the vendor's table."""
    if status < 300:
        return ResultClass.ACCEPTED
    if status == 429 or status in (500, 502, 503):
        return ResultClass.RETRY
    if status > 503:
        # A gateway that gave up waiting among them: the message may have been passed on.
        return ResultClass.UNKNOWN
    if status in (401, 403):
        return ResultClass.FAIL_ACCOUNT
    return ResultClass.FAIL_CONTENT


def may_be_retried(error_class: str) -> bool:
    """Whether sending again may help: not to who stopped it, nor to who cannot be reached."""
    return error_class not in (ResultClass.FAIL_RECIPIENT, ResultClass.FAIL_OPTOUT)


def retry_delay(tries: int, retry_after: float | None, spread: float = 0.0) -> dt.timedelta:
    """How long to wait after the `tries`-th refusal: 2, 4, 8 … seconds, at most 5 minutes.

    And up to half as long again by `spread` (0 to 1): what was refused together comes back
    apart. Never less than the vendor asks for.
    """
    wait = min(2.0**tries, 300.0) * (1 + spread / 2)
    return dt.timedelta(seconds=max(wait, retry_after or 0.0))


def reported_retry_delay(tries: int) -> dt.timedelta:
    """How long to wait when a vendor gave up on the `tries`-th try: 5, 20, 80 … minutes."""
    return dt.timedelta(minutes=5 * 4 ** (max(tries, 1) - 1))


def seconds_of(retry_after: str) -> float | None:
    """A `Retry-After` header in seconds; None when it is missing or a date."""
    return float(retry_after) if retry_after.replace(".", "", 1).isdigit() else None
