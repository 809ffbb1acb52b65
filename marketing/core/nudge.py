"""Waking a worker. Rows are the truth: when the broker is away, the sweep finds them later."""

import logging
import time
from typing import Any

from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


# When the task that was asked for last begins, by its name and arguments.
_begins: dict[tuple[Any, ...], float] = {}
SOON = 1.0


def nudge(task: Any, *args: Any, countdown: float | None = None) -> None:
    """Ask for the task; a broker that is away costs a sweep's delay, never the caller's work."""
    try:
        task.apply_async(args=args, countdown=countdown, retry=False)
    except OperationalError as error:
        logger.warning("%s waits for the next sweep: %s", task.name, error)


def nudge_soon(task: Any, *args: Any) -> None:
    """Ask for a task that takes all that is due: within a second, and once for all who ask then.

    Called after the commit: the task that begins later finds what was committed.
    """
    asked, now = (task.name, *args), time.monotonic()
    if now >= _begins.get(asked, 0):
        _begins[asked] = now + SOON
        nudge(task, *args, countdown=SOON)
