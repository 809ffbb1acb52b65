"""The nine counters of dispatch batches, moved by the old → new states that really changed."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection

from marketing.delivery.models import MessageState
from marketing.delivery.windows import OUTSIDE_WINDOW

STATES = tuple(MessageState.values)
# What people ask the cause of: counted by it too, in `BatchReason`.
EXPLAINED = frozenset({"skipped", "held", "failed", "unknown"})


def cause_of(state: str, error_code: str) -> str:
    """By what a message is counted in its state; what was skipped has its `reason` for it."""
    return OUTSIDE_WINDOW if state == MessageState.HELD else error_code


class Move(NamedTuple):
    """Messages of a batch that went from a state to another, with the cause of each.

    `old` or `new` is empty when the messages were not counted before, or are no more. A move of
    no messages says that only the batch's money changed.
    """

    batch_id: int
    old: str
    new: str
    messages: int
    old_code: str = ""
    new_code: str = ""


def move_counters(moves: Iterable[Move]) -> None:
    """Count the moves; the batches' money is to be settled again, and fallbacks looked for.

    Readings change no money: a million of them would have every batch settled anew.

    The batches are locked in the order of their ids, in a statement of its own: an update
    that had to wait inside one statement would work on what it saw before.
    """
    deltas: dict[int, Counter[str]] = defaultdict(Counter)
    causes: Counter[tuple[int, str, str]] = Counter()
    unsettled: set[int] = set()
    for batch_id, old, new, count, old_code, new_code in moves:
        if (old, new) != ("delivered", "read"):
            unsettled.add(batch_id)
        for state, code, delta in ((old, old_code, -count), (new, new_code, count)):
            deltas[batch_id][state] += delta
            if state in EXPLAINED:
                causes[batch_id, state, code] += delta
    if not deltas:
        return
    batch_ids = sorted(deltas)
    changes = ", ".join(f"{state} = b.{state} + d.{state}" for state in STATES)
    arrays = ", ".join("%s::int[]" for _ in STATES)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM delivery_dispatchbatch WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
            [batch_ids],
        )
        cursor.execute(
            f"""
            UPDATE delivery_dispatchbatch b SET {changes},
                is_settled = b.is_settled AND NOT b.id = ANY(%s),
                fallback_at = CASE
                    WHEN b.fallback_minutes IS NULL THEN NULL
                    WHEN d.failed > 0 THEN least(b.fallback_at, now())
                    WHEN d.sent > 0 THEN least(b.fallback_at,
                        now() + make_interval(mins => b.fallback_minutes))
                    ELSE b.fallback_at END
            FROM unnest(%s::bigint[], {arrays}) AS d(id, {", ".join(STATES)})
            WHERE b.id = d.id
            """,  # noqa: S608  the names of our own columns
            [
                list(unsettled),
                batch_ids,
                *([deltas[batch_id][state] for batch_id in batch_ids] for state in STATES),
            ],
        )
    count_causes({cause: count for cause, count in causes.items() if count})


def count_causes(causes: dict[tuple[int, str, str], int]) -> None:
    """Add to the counts of `(batch, state, code)`; their batches are locked or new."""
    if not causes:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO delivery_batchreason AS r (tenant_id, run_id, batch_id, state, code, count)
            SELECT b.tenant_id, b.run_id, v.batch_id, v.state, left(v.code, 30), v.count
            FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::int[])
                 AS v(batch_id, state, code, count)
            JOIN delivery_dispatchbatch b ON b.id = v.batch_id
            ON CONFLICT (batch_id, state, code) DO UPDATE SET count = r.count + excluded.count
            """,
            [*map(list, zip(*causes, strict=True)), list(causes.values())],
        )
