"""Waking a worker. Rows are the truth: when the broker is away, the sweep finds them later."""

import logging
from typing import Any

from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def nudge(task: Any, *args: Any, countdown: float | None = None) -> None:
    """Ask for the task; a broker that is away costs a sweep's delay, never the caller's work."""
    try:
        task.apply_async(args=args, countdown=countdown, retry=False)
    except OperationalError as error:
        logger.warning("%s waits for the next sweep: %s", task.name, error)
