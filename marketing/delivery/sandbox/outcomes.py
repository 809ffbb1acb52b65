"""What becomes of a message: by its recipient's ending, the account's rates and its past."""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from marketing.delivery.sandbox.accounts import Account

ENDING = re.compile(r"(\d{4})(?:@.*)?$")


class State(IntEnum):
    """What the vendor knows of a message. It only rises."""

    ACCEPTED = 0
    SENT = 1
    DELIVERED = 2
    READ = 3
    FAILED = 4
    COMPLAINED = 5


class Cause(StrEnum):
    """Why a message failed; each vendor module has its own code for it."""

    NONE = ""
    UNDELIVERABLE = "undeliverable"
    ENGAGEMENT_LIMIT = "engagement_limit"
    STOPPED = "stopped"
    WINDOW_CLOSED = "window_closed"
    CONTENT = "content"
    VENDOR_FAULT = "vendor_fault"


class Refusal(StrEnum):
    """What happens to the request itself."""

    NONE = ""
    RATE_LIMITED_ONCE = "0429"
    SERVER_ERROR = "0500"
    NO_ANSWER = "0999"


CAUSE_OF_ENDING = {
    "0026": Cause.UNDELIVERABLE,
    "0049": Cause.ENGAGEMENT_LIMIT,
    "0050": Cause.STOPPED,
    "0130": Cause.VENDOR_FAULT,
}
COMPLAINS = "0051"
REFUSALS = {refusal.value: refusal for refusal in Refusal if refusal}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing the vendor reports of a message, so many milliseconds after accepting it."""

    state: State
    after_ms: int
    cause: Cause = Cause.NONE


def ending(recipient: str) -> str:
    """The last four digits of a number or of an address's local part, else empty."""
    match = ENDING.search(recipient)
    return match[1] if match else ""


def refusal_for(recipient: str) -> Refusal:
    return REFUSALS.get(ending(recipient), Refusal.NONE)


def cause_for(recipient: str) -> Cause:
    return CAUSE_OF_ENDING.get(ending(recipient), Cause.NONE)


def steps_for(account: Account, recipient: str, cause: Cause = Cause.NONE) -> list[Step]:
    """What will be reported of an accepted message, in order of time.

    ``cause`` is a failure the caller already knows of; the recipient's ending comes next, then
    chance by the account's rates: most that fail have no such number any more.
    """
    cause = cause or cause_for(recipient)
    if not cause and _happens(account.failure_rate):
        cause = Cause.UNDELIVERABLE
    if cause:
        return [Step(State.FAILED, account.sent_delay_ms, cause)]
    steps = [Step(State.SENT, account.sent_delay_ms)]
    if _happens(account.delivered_rate):
        steps.append(Step(State.DELIVERED, account.delivered_delay_ms))
        if ending(recipient) == COMPLAINS:
            steps.append(Step(State.COMPLAINED, account.read_delay_ms))
        elif _happens(account.read_rate):
            steps.append(Step(State.READ, account.read_delay_ms))
    return steps


def only(steps: Iterable[Step], *states: State) -> list[Step]:
    """The steps a vendor reports that tells of no others."""
    return [step for step in steps if step.state in states]


def written(steps: Iterable[Step]) -> str:
    """Steps as the ledger keeps them: ``1:200: 4:800:undeliverable``."""
    return " ".join(f"{step.state.value}:{step.after_ms}:{step.cause}" for step in steps)


def reached(steps: str, accepted_ms: int, at_ms: int) -> Step:
    """The last of a ledger's steps that has happened by then. ``after_ms`` 0: none yet."""
    latest = Step(State.ACCEPTED, 0)
    for step in steps.split():
        state, after_ms, cause = step.split(":")
        if accepted_ms + int(after_ms) <= at_ms and int(state) > latest.state:
            latest = Step(State(int(state)), int(after_ms), Cause(cause))
    return latest


def _happens(rate: float) -> bool:
    return random.random() < rate  # noqa: S311  chance, not a secret
