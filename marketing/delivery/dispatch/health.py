"""How a vendor has been answering: whether it is down, and whether a message may be given up."""

import time
import uuid
from dataclasses import dataclass, replace

from marketing.delivery.rules import MAX_TRIES, MAX_TRIES_OF_OUTAGE, Result, ResultClass

# So many failures in a row over so long, and nothing accepted: the vendor is down. It may as
# well be silent as refuse: who went on asking would know nothing of everybody.
OUTAGE_FAILURES, OUTAGE_SECONDS = 20, 10.0
OUTAGE_CLASSES = (ResultClass.RETRY, ResultClass.UNKNOWN)
# A message's tries take at least so long; what a vendor took before tells nothing about them.
TRIES_SECONDS = 30.0

# When each account's vendor last took a message, as far as this process knows.
_taken_at: dict[uuid.UUID, float] = {}


@dataclass
class Health:
    """How the vendor has been answering; `down_since` the first of the failures in a row."""

    failures: int = 0
    down_since: float = 0.0

    def note(self, account_id: uuid.UUID, result: Result) -> None:
        if result.outcome is ResultClass.ACCEPTED:
            _taken_at[account_id] = time.monotonic()
        if result.outcome in OUTAGE_CLASSES and not result.slows:
            self.down_since = self.down_since if self.failures else time.monotonic()
            self.failures += 1
        else:
            self.failures = 0

    @property
    def is_down(self) -> bool:
        lasted = time.monotonic() - self.down_since
        return self.failures >= OUTAGE_FAILURES and lasted >= OUTAGE_SECONDS


def spare(account_id: uuid.UUID, result: Result, tries: int) -> Result:
    """The result of a message's last try, which does not count when the vendor is down.

    A run of a few people never comes to as many failures as `Health` asks for: they would all be
    given up on before. That nobody got through while they were tried tells as much.
    """
    is_last = MAX_TRIES <= tries < MAX_TRIES_OF_OUTAGE
    if not is_last or result.outcome is not ResultClass.RETRY or not result.is_outage:
        return result
    taken_at = _taken_at.get(account_id)
    others_got_through = taken_at is not None and time.monotonic() - taken_at < TRIES_SECONDS
    return result if others_got_through else replace(result, spares=True)
