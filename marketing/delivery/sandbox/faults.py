"""Faults a test orders: each strikes the next requests of an account, so many or a share."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from marketing.delivery.sandbox.database import Database

KEYS = {"kind", "count", "share", "to", "delay_ms", "retry_after"}


class Fault(StrEnum):
    DROP_BEFORE_ACCEPT = "drop_before_accept"
    DROP_AFTER_ACCEPT = "drop_after_accept"
    ANSWER_LATE = "answer_late"
    SLOW_ANSWER = "slow_answer"
    SERVER_ERROR = "server_error"
    RATE_LIMITED = "rate_limited"
    DUPLICATE_CALLBACKS = "duplicate_callbacks"
    REORDER_CALLBACKS = "reorder_callbacks"


# So long the faults that take time take when the plan does not say: a whole answer withheld,
# and each byte of one that drips.
DEFAULT_DELAY_MS = {Fault.ANSWER_LATE: 1000, Fault.SLOW_ANSWER: 20}


class Answer(IntEnum):
    """What became of the answer to a request that was accepted."""

    PENDING = 0
    CLEAN = 1
    DROPPED = 2
    LATE = 3


class PlanError(Exception):
    """A fault plan cannot be used; the message says why."""


@dataclass(slots=True)
class PlannedFault:
    """Strikes ``count`` requests (None: until removed), or a ``share`` of them by chance.

    ``to`` limits it to one first recipient; ``retry_after`` is in seconds.
    """

    kind: Fault
    count: int | None = None
    share: float = 1.0
    to: str = ""
    delay_ms: int = 0
    retry_after: int = 1

    @classmethod
    def from_json(cls, fault: Any) -> "PlannedFault":
        """Check a fault as it came in. Raises PlanError."""
        if not isinstance(fault, dict) or fault.keys() - KEYS:
            raise PlanError(f"A fault has kind, and may have {', '.join(sorted(KEYS - {'kind'}))}.")
        if fault.get("kind") not in list(Fault):
            raise PlanError(f"kind must be one of {', '.join(Fault)}.")
        kind = Fault(fault["kind"])
        count, share = fault.get("count"), fault.get("share", 1.0)
        if count is not None and (not _is_whole(count) or count < 1):
            raise PlanError("count must be a positive whole number or null.")
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise PlanError("share must be a number from 0 to 1.")
        delay_ms = fault.get("delay_ms", DEFAULT_DELAY_MS.get(kind, 0))
        retry_after = fault.get("retry_after", 1)
        if not _is_whole(delay_ms) or not _is_whole(retry_after) or min(delay_ms, retry_after) < 0:
            raise PlanError("delay_ms and retry_after must be whole numbers, 0 or more.")
        return cls(kind, count, share, str(fault.get("to", "")), delay_ms, retry_after)

    def strikes(self, recipient: str) -> bool:
        """Whether it strikes this request; counts down if it does."""
        if self.count == 0 or self.to not in ("", recipient):
            return False
        if random.random() >= self.share:  # noqa: S311  chance, not a secret
            return False
        if self.count is not None:
            self.count -= 1
        return True


@dataclass(frozen=True)
class Treatment:
    """What befalls one request. ``no_answer``: its recipient's ending withholds the answer."""

    struck: Mapping[Fault, PlannedFault] = field(default_factory=dict)
    no_answer: bool = False

    @property
    def answer(self) -> Answer:
        """What its answer is bound to be; `PENDING` is one that should come at once."""
        if Fault.DROP_AFTER_ACCEPT in self.struck:
            return Answer.DROPPED
        if self.no_answer or self.struck.keys() & {Fault.ANSWER_LATE, Fault.SLOW_ANSWER}:
            return Answer.LATE
        return Answer.PENDING

    @property
    def duplicates_callbacks(self) -> bool:
        return Fault.DUPLICATE_CALLBACKS in self.struck

    @property
    def reorders_callbacks(self) -> bool:
        return Fault.REORDER_CALLBACKS in self.struck


UNTOUCHED = Treatment()


class FaultPlan:
    """The faults ordered for each account. A restart forgets only those with a count."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._planned = {
            row["account"]: [PlannedFault.from_json(fault) for fault in json.loads(row["faults"])]
            for row in database.rows("SELECT account, faults FROM plan")
        }

    def replace(self, account: str, faults: Any) -> None:
        """Set an account's plan from its JSON form; an empty list clears it. Raises PlanError."""
        if not isinstance(faults, list):
            raise PlanError("faults must be a list.")
        self._planned[account] = [PlannedFault.from_json(fault) for fault in faults]
        lasting = [fault for fault in faults if fault.get("count") is None]
        self._database.write(
            "INSERT INTO plan VALUES (?, ?)"
            " ON CONFLICT (account) DO UPDATE SET faults = excluded.faults",
            (account, json.dumps(lasting)),
        )

    def strike(self, account: str, recipient: str) -> dict[Fault, PlannedFault]:
        """The faults that strike this request."""
        planned = self._planned.get(account, ())
        return {fault.kind: fault for fault in planned if fault.strikes(recipient)}


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
