"""Faults a test orders: each strikes the next requests of an account, so many times."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    DROP_BEFORE_ACCEPT = "drop_before_accept"
    DROP_AFTER_ACCEPT = "drop_after_accept"
    ANSWER_LATE = "answer_late"
    SERVER_ERROR = "server_error"
    RATE_LIMITED = "rate_limited"
    DUPLICATE_CALLBACKS = "duplicate_callbacks"
    REORDER_CALLBACKS = "reorder_callbacks"


class PlanError(Exception):
    """A fault plan cannot be used; the message says why."""


@dataclass(slots=True)
class PlannedFault:
    """``count`` requests are struck, None means all; ``to`` limits it to one first recipient."""

    kind: Fault
    count: int | None
    to: str
    delay_ms: int


class FaultPlan:
    """The faults ordered for each account. Kept in memory only: a restart clears it."""

    def __init__(self) -> None:
        self._planned: dict[str, list[PlannedFault]] = {}

    def replace(self, account: str, faults: Any) -> None:
        """Set an account's plan from its JSON form; an empty list clears it. Raises PlanError."""
        if not isinstance(faults, list):
            raise PlanError("faults must be a list.")
        self._planned[account] = [_planned_fault(fault) for fault in faults]

    def strike(self, account: str, recipient: str) -> dict[Fault, PlannedFault]:
        """The faults that strike this request; each counts down by one."""
        planned = self._planned.get(account)
        if not planned:
            return {}
        struck = {
            fault.kind: fault
            for fault in planned
            if fault.to in ("", recipient) and fault.count != 0
        }
        for fault in struck.values():
            if fault.count is not None:
                fault.count -= 1
        return struck


def _planned_fault(fault: Any) -> PlannedFault:
    if not isinstance(fault, dict) or fault.keys() - {"kind", "count", "to", "delay_ms"}:
        raise PlanError("A fault has kind, and may have count, to and delay_ms.")
    if fault.get("kind") not in list(Fault):
        raise PlanError(f"kind must be one of {', '.join(Fault)}.")
    count, delay_ms = fault.get("count"), fault.get("delay_ms", 0)
    if count is not None and (not isinstance(count, int) or count < 1):
        raise PlanError("count must be a positive whole number or null.")
    if not isinstance(delay_ms, int) or delay_ms < 0:
        raise PlanError("delay_ms must be a whole number of milliseconds, 0 or more.")
    return PlannedFault(Fault(fault["kind"]), count, str(fault.get("to", "")), delay_ms)
