"""The nine counters of dispatch batches, moved by the old → new states that really changed."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import Decimal

from django.db import connection

from marketing.delivery.models import MessageState

STATES = tuple(MessageState.values)


def move_counters(
    moves: Iterable[tuple[int, str, str, int]], costs: dict[int, Decimal] | None = None
) -> None:
    """Apply `(batch, old state, new state, how many)`, and what each batch's messages cost.

    The batches are locked in the order of their ids, in a statement of its own: an update
    that had to wait inside one statement would work on what it saw before.
    """
    deltas: dict[int, Counter[str]] = defaultdict(Counter)
    for batch_id, old, new, count in moves:
        deltas[batch_id][old] -= count
        deltas[batch_id][new] += count
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
            UPDATE delivery_dispatchbatch b SET {changes}, cost = b.cost + d.spent
            FROM unnest(%s::bigint[], %s::numeric[], {arrays})
                 AS d(id, spent, {", ".join(STATES)})
            WHERE b.id = d.id
            """,  # noqa: S608  the names of our own columns
            [
                batch_ids,
                [(costs or {}).get(batch_id, Decimal(0)) for batch_id in batch_ids],
                *([deltas[batch_id][state] for batch_id in batch_ids] for state in STATES),
            ],
        )
