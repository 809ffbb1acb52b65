"""Reading the ledger: the proof that nothing was lost or doubled, and vendors' own look-ups."""

import sqlite3
from typing import Any

from marketing.delivery.sandbox.database import Database
from marketing.delivery.sandbox.faults import Answer
from marketing.delivery.sandbox.ledger import now_ms
from marketing.delivery.sandbox.outcomes import reached

LONGEST_PAGE = 10_000
SUMMARY = """
WITH repeated AS (
    SELECT reference, min(id) AS first FROM message WHERE reference <> ''
    GROUP BY reference HAVING count(*) > 1
)
SELECT
    (SELECT count(*) FROM message) AS accepted,
    (SELECT count(DISTINCT reference) FROM message WHERE reference <> '') AS referenced,
    (SELECT count(*) FROM repeated) AS duplicated,
    (SELECT count(*) FROM repeated JOIN message ON message.id = first WHERE answer = :clean)
        AS duplicated_after_answer,
    (SELECT count(*) FROM message WHERE answer <> :clean) AS unanswered,
    (SELECT count(*) FROM callback) AS owed
"""
IDS = """
SELECT message.reference, message.account, message.recipient, message.vendor_id, message.answer,
       counted.accepted
FROM (
    SELECT reference, min(id) AS first, count(*) AS accepted FROM message
    WHERE reference > :after GROUP BY reference ORDER BY reference LIMIT :limit
) counted JOIN message ON message.id = counted.first
WHERE :account IN ('', message.account) ORDER BY message.reference
"""
LISTED = """
SELECT id, account, provider, vendor_id, recipient, reference, accepted_ms, steps, answer
FROM message WHERE (:to = '' OR recipient = :to) AND id > :since ORDER BY id LIMIT :limit
"""


async def summary(database: Database) -> dict[str, int]:
    """How much was accepted, and whether any message of the client's came twice.

    Of the ``duplicated``, ``duplicated_after_answer`` had their first request answered cleanly:
    the client's own fault. The others' first answer was dropped, late or never sent.
    """
    row = await database.read(
        lambda reader: reader.execute(SUMMARY, {"clean": Answer.CLEAN.value}).fetchone()
    )
    return dict(row)


async def ids(database: Database, *, after: str, limit: int, account: str) -> dict[str, Any]:
    """A page of the client's message ids in their order, each with how often it was accepted.

    ``answer`` is of the first request. ``next`` is the ``after`` of the next page, null at the end.
    """
    limit = max(1, min(limit, LONGEST_PAGE))
    values = {"after": after, "limit": limit, "account": account}

    def page(reader: sqlite3.Connection) -> tuple[list[sqlite3.Row], str | None]:
        rows = reader.execute(IDS, values).fetchall()
        (last, read) = reader.execute(
            "SELECT max(reference), count(*) FROM (SELECT DISTINCT reference FROM message"
            " WHERE reference > :after ORDER BY reference LIMIT :limit)",
            values,
        ).fetchone()
        return rows, last if read == limit else None

    rows, following = await database.read(page)
    found = [{**dict(row), "answer": Answer(row["answer"]).name.lower()} for row in rows]
    return {"ids": found, "next": following}


async def messages(database: Database, *, to: str, since: int, limit: int) -> list[dict[str, Any]]:
    """Accepted messages, oldest first, each with the state it has reached."""
    values = {"to": to, "since": since, "limit": limit}
    rows = await database.read(lambda reader: reader.execute(LISTED, values).fetchall())
    at = now_ms()
    found = []
    for row in rows:
        step = reached(row["steps"], row["accepted_ms"], at)
        message = {key: row[key] for key in row.keys() if key != "steps"}  # noqa: SIM118
        found.append(
            message
            | {
                "state": step.state.name.lower(),
                "cause": step.cause.value,
                "answer": Answer(row["answer"]).name.lower(),
            }
        )
    return found
