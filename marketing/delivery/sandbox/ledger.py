"""The ledger: what was accepted, what came in, and which callbacks are still owed."""

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.database import Database, Values
from marketing.delivery.sandbox.faults import UNTOUCHED, Answer, Treatment
from marketing.delivery.sandbox.outcomes import Cause, State, Step, written

# Mails are kept whole for the inbox; a million of them would fill the disk.
MAILS_KEPT = 5_000

STATUS_EVENT = "status"
# What a vendor tells of a message's charge, beside its states.
BILLING_EVENT = "billing-event"

# How long after a person's last WhatsApp message she may be written to freely.
WINDOW_MS = 24 * 60 * 60 * 1000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A message about to be accepted.

    ``reference`` is the client's own id, empty when it gave none. ``variables`` is JSON, what the
    shared content is filled with; ``echo`` is whatever the vendor module needs for its callbacks.
    ``reported`` are the steps the vendor calls back, all of them unless given; ``billed`` those
    at which it tells in a callback of its own what it charges.
    """

    vendor_id: str
    recipient: str
    steps: Sequence[Step]
    reference: str = ""
    content_id: int | None = None
    variables: str = "{}"
    language: str = ""
    echo: str = ""
    reported: Sequence[Step] | None = None
    billed: Sequence[Step] = ()


@dataclass(frozen=True, slots=True)
class OwedCallback:
    """One event to report: of a message (``status``, ``billing-event``), or a vendor's own.

    ``payload`` is JSON, empty for what is told of a message.
    """

    due_ms: int
    id: int
    happened_ms: int
    event: str
    state: State
    cause: Cause
    payload: str
    message_id: int | None
    vendor_id: str
    recipient: str
    reference: str
    echo: str


class Ledger:
    """Writes join the database's group commit: callers answer after ``database.committed()``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Ids count on from the microsecond of the start: none is used twice, whatever was deleted.
        start = now_ms() * 1000
        for table in ("message", "callback"):
            (last,) = database.rows(f"SELECT coalesce(max(id), 0) FROM {table}")[0]  # noqa: S608
            start = max(start, last + 1)
        self._message_ids, self._callback_ids = count(start), count(start)
        self._stopped = {
            (row["account"], row["recipient"]) for row in database.rows("SELECT * FROM stopped")
        }

    def accept(
        self,
        account: Account,
        messages: Iterable[Acceptance],
        treatment: Treatment = UNTOUCHED,
        *,
        mail: str | None = None,
    ) -> range:
        """Record messages with the callbacks they will be owed; returns their ids.

        ``mail`` is their shared content. Duplicated callbacks are owed twice; reordered ones are
        all owed at the last one's time, latest first.
        """
        accepted_ms = now_ms()
        mail_id = self._keep_mail(mail) if mail is not None else None
        accepted, owed, first_id = [], [], 0
        for message in messages:
            message_id = next(self._message_ids)
            first_id = first_id or message_id
            accepted.append(
                (
                    message_id,
                    account.name,
                    account.provider,
                    message.vendor_id,
                    message.recipient,
                    message.reference,
                    accepted_ms,
                    written(message.steps),
                    treatment.answer.value,
                    message.language,
                    mail_id or message.content_id,
                    message.variables,
                    message.echo,
                )
            )
            if account.callbacks:
                owed += self._callbacks(account, message_id, accepted_ms, message, treatment)
        self._database.write_many(
            "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", accepted
        )
        self._database.write_many("INSERT INTO callback VALUES (?, ?, ?, ?, ?, ?, ?, ?)", owed)
        return range(first_id, first_id + len(accepted))

    def _callbacks(
        self,
        account: Account,
        message_id: int,
        accepted_ms: int,
        message: Acceptance,
        treatment: Treatment,
    ) -> list[Values]:
        reported = message.steps if message.reported is None else message.reported
        told = [(STATUS_EVENT, step) for step in reported]
        told += [(BILLING_EVENT, step) for step in message.billed]
        reorder = treatment.reorders_callbacks
        last_ms = max((step.after_ms for _, step in told), default=0)
        return [
            (
                account.name,
                accepted_ms + (last_ms if reorder else step.after_ms),
                next(self._callback_ids),
                accepted_ms + step.after_ms,
                message_id,
                event,
                step.cause.value,
                str(step.state.value),
            )
            for event, step in (reversed(told) if reorder else told)
            for _ in range(2 if treatment.duplicates_callbacks else 1)
        ]

    async def accepted_of(self, account: Account) -> int:
        """How many messages the account sent within the last 24 hours."""
        values = (account.name, now_ms() - WINDOW_MS)
        rows = await self._database.read(
            lambda reader: reader.execute(
                "SELECT count(*) FROM message WHERE account = ? AND accepted_ms > ?", values
            ).fetchall()
        )
        return int(rows[0][0])

    def answered(self, ids: range) -> None:
        """The client was told, at once and in full, that these are accepted."""
        if ids:
            self._database.write(
                "UPDATE message SET answer = ? WHERE id BETWEEN ? AND ?",
                (Answer.CLEAN.value, ids[0], ids[-1]),
            )

    def has_reference(self, account: Account, reference: str) -> bool:
        """Whether the account sent a message under this id of its own before."""
        return bool(
            self._database.rows(
                "SELECT 1 FROM message WHERE reference = ? AND account = ? LIMIT 1",
                (reference, account.name),
            )
        )

    def _keep_mail(self, mail: str) -> int:
        mail_id = self._database.write(
            "INSERT INTO content (kind, body) VALUES ('mail', ?)", (mail,)
        ).lastrowid
        assert mail_id is not None
        self._database.write(
            "DELETE FROM content WHERE kind = 'mail' AND id <= ?", (mail_id - MAILS_KEPT,)
        )
        return mail_id

    def receive(self, account: Account, sender: str, text: str) -> int:
        """Record something a person sent. Returns when, in epoch milliseconds."""
        received_ms = now_ms()
        self._database.write(
            "INSERT INTO inbound (account, provider, sender, received_ms, text)"
            " VALUES (?, ?, ?, ?, ?)",
            (account.name, account.provider, sender, received_ms, text),
        )
        return received_ms

    def is_window_open(self, account: Account, person: str) -> bool:
        """Whether she wrote to this account within the last 24 hours."""
        rows = self._database.rows(
            "SELECT max(received_ms) FROM inbound WHERE sender = ? AND account = ?",
            (person, account.name),
        )
        return (rows[0][0] or 0) > now_ms() - WINDOW_MS

    def set_stopped(self, account: Account, recipient: str, stopped: bool) -> None:
        if stopped:
            self._database.write(
                "INSERT OR IGNORE INTO stopped VALUES (?, ?)", (account.name, recipient)
            )
            self._stopped.add((account.name, recipient))
        else:
            self._database.write(
                "DELETE FROM stopped WHERE account = ? AND recipient = ?", (account.name, recipient)
            )
            self._stopped.discard((account.name, recipient))

    def has_stopped(self, account: Account, recipient: str) -> bool:
        return (account.name, recipient) in self._stopped

    def owe(self, account: Account, event: str, payload: Any, *, after_ms: int = 0) -> None:
        """Owe a callback that is not about a message's status."""
        due_ms = now_ms() + after_ms
        self._database.write(
            "INSERT INTO callback VALUES (?, ?, ?, ?, NULL, ?, '', ?)",
            (account.name, due_ms, next(self._callback_ids), due_ms, event, json.dumps(payload)),
        )

    def owed(self, account: Account, limit: int) -> list[OwedCallback]:
        """What is due now, earliest first."""
        rows = self._database.rows(
            "SELECT callback.due_ms, callback.id, callback.happened_ms, callback.event,"
            " callback.cause, callback.payload, callback.message_id, message.vendor_id,"
            " message.recipient, message.reference, message.echo"
            " FROM callback LEFT JOIN message ON message.id = callback.message_id"
            " WHERE callback.account = ? AND callback.due_ms <= ?"
            " ORDER BY callback.due_ms, callback.id LIMIT ?",
            (account.name, now_ms(), limit),
        )
        return [_owed_callback(row) for row in rows]

    def settle(self, account: Account, callbacks: Sequence[OwedCallback]) -> None:
        """These callbacks were taken by their receiver."""
        self._database.write_many(
            "DELETE FROM callback WHERE account = ? AND due_ms = ? AND id = ?",
            [(account.name, callback.due_ms, callback.id) for callback in callbacks],
        )

    def postpone(self, account: Account, callbacks: Sequence[OwedCallback], by_ms: int) -> None:
        """These callbacks cannot be posted now."""
        self._database.write_many(
            "UPDATE callback SET due_ms = ? WHERE account = ? AND due_ms = ? AND id = ?",
            [(now_ms() + by_ms, account.name, one.due_ms, one.id) for one in callbacks],
        )

    def clear(self) -> None:
        """Forget messages, what came in, and the callbacks owed for both."""
        for statement in (
            "DELETE FROM message",
            "DELETE FROM inbound",
            "DELETE FROM stopped",
            "DELETE FROM content WHERE kind = 'mail'",
            "DELETE FROM callback WHERE event NOT IN ('template', 'confirmation')",
        ):
            self._database.write(statement)
        self._stopped.clear()


def _owed_callback(row: sqlite3.Row) -> OwedCallback:
    is_of_message = row["event"] in (STATUS_EVENT, BILLING_EVENT)
    return OwedCallback(
        due_ms=row["due_ms"],
        id=row["id"],
        happened_ms=row["happened_ms"],
        event=row["event"],
        state=State(int(row["payload"])) if is_of_message else State.ACCEPTED,
        cause=Cause(row["cause"]),
        payload="" if is_of_message else row["payload"],
        message_id=row["message_id"],
        vendor_id=row["vendor_id"] or "",
        recipient=row["recipient"] or "",
        reference=row["reference"] or "",
        echo=row["echo"] or "",
    )
