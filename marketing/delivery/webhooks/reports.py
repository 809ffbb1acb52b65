"""What vendors say of messages, and what is known of these: plain values of one round."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import NamedTuple

from marketing.delivery.counters import cause_of
from marketing.delivery.providers.base import StatusUpdate
from marketing.delivery.rules import MAX_TRIES, RANK, ResultClass


class Report(NamedTuple):
    """A vendor's word, and the account it came to."""

    account_id: uuid.UUID
    update: StatusUpdate


@dataclass
class Said:
    """Everything one round of reports says of one message."""

    state: str = ""
    sent: dt.datetime | None = None
    delivered: dt.datetime | None = None
    read: dt.datetime | None = None
    failed: dt.datetime | None = None
    reference: str = ""
    code: str = ""
    error_class: str = ""
    detail: str = ""
    suppress: str = ""
    alias: str = ""
    is_free: bool = False
    is_on_dnd: bool = False
    most_tries: int = MAX_TRIES

    def add(self, update: StatusUpdate) -> None:
        """The furthest state counts, and the earliest time of each."""
        if state := update.state:
            earlier = getattr(self, state)
            if earlier is None or update.at < earlier:
                setattr(self, state, update.at)
            if not self.state or RANK[state] > RANK[self.state]:
                self.state = state
                self.reference = update.reference or self.reference
        if state == "failed":
            self.code = update.code[:30]
            self.error_class = update.error_class
            self.detail = update.detail[:255]
            self.most_tries = update.most_tries
        self.reference = self.reference or update.reference
        self.suppress = update.suppress or self.suppress
        self.alias = update.alias or self.alias
        self.is_free = self.is_free or update.is_free
        self.is_on_dnd = self.is_on_dnd or update.is_on_dnd


class Standing(NamedTuple):
    """A message as it stands, locked."""

    id: uuid.UUID
    batch_id: int
    state: str
    error_code: str
    error_class: str
    reference: str
    has_sent_at: bool
    has_delivered_at: bool
    has_read_at: bool
    is_superseded: bool

    @property
    def cause(self) -> str:
        """By what it is counted in its state."""
        return cause_of(self.state, self.error_code)

    @property
    def was_held_back_a_day(self) -> bool:
        """Whether it was held back once: it waits a day, or this is its one more try."""
        return self.error_class == ResultClass.RETRY_LATER_24H

    @property
    def awaits_another_try(self) -> bool:
        """Whether no answer is known of its last try: a reference it has is an earlier one's."""
        is_again = self.state == "sending" and self.error_class != ""
        return is_again or self.state in ("queued", "held", "unknown")

    def state_after(self, said: Said) -> str:
        """Never further back."""
        return said.state if RANK[said.state] > RANK[self.state] else self.state

    def learns_from(self, said: Said) -> bool:
        """Whether anything of it is new."""
        return bool(said.state) and (
            RANK[said.state] > RANK[self.state]
            or (said.sent is not None and not self.has_sent_at)
            or (said.delivered is not None and not self.has_delivered_at)
            or (said.read is not None and not self.has_read_at)
        )


class Details(NamedTuple):
    """Whose message it is, where it went, which cap slot it holds and what may follow it."""

    id: uuid.UUID
    account_id: uuid.UUID
    run_id: uuid.UUID
    customer_id: uuid.UUID
    channel: str
    address: str
    slot_at: dt.datetime | None
    sending_at: dt.datetime | None
    tries: int
    may_fall_back: bool
    is_test: bool
