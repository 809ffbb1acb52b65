"""How many calls a minute somebody may make: a number in Valkey, one round trip a call.

Another module's key speaks for all tills of a chain, so that it may do far more than a person.
Without Valkey nothing is counted and calls go on: a customer stands at the counter.
"""

import logging
import time
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from marketing.core import valkey

logger = logging.getLogger(__name__)

MINUTE = 60


class CallsAMinute(BaseThrottle):
    """`API_CALLS_A_MINUTE` says how many: of a `person` and of a `key`; 0 is any number."""

    waits = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        actor: Any = request.auth
        if actor is None:
            return True
        of, who = ("key", actor.api_key.pk) if actor.api_key else ("person", actor.user_id)
        most = settings.API_CALLS_A_MINUTE[of]
        if not most:
            return True
        minute, self.waits = divmod(_seconds(), MINUTE)
        self.waits = MINUTE - self.waits
        try:
            return _counted(f"parlour:calls:{who}:{minute}") <= most
        except valkey.AWAY as error:
            logger.warning("calls are not counted without Valkey: %s", error)
            return True

    def wait(self) -> float:
        """Seconds until the next minute."""
        return self.waits


def _seconds() -> int:
    return int(time.time())


def _counted(name: str) -> int:
    with valkey.impatient().pipeline(transaction=False) as asked:
        asked.incr(name)
        asked.expire(name, MINUTE)
        return int(asked.execute()[0])
