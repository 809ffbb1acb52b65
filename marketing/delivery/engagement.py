"""Whom a message reached so that she opened it: what her facts count as engagement."""

import uuid
from collections.abc import Iterable

from customers import engagement, facts

# The first bound is a constant, so that older partitions are not even opened. A test goes to
# staff, whoever's name it shows.
READ_MESSAGES = f"""
SELECT m.customer_id, m.read_at AS at FROM chosen
JOIN delivery_message m ON m.customer_id = chosen.id AND m.tenant_id = %(tenant)s
WHERE m.id >= uuid_bound(%(now)s - interval '{2 * engagement.DAYS} days')
  AND m.id >= uuid_bound(chosen.at - interval '{engagement.DAYS} days')
  AND m.read_at IS NOT NULL AND m.kind <> 'test'
"""  # noqa: S608  a constant of customers


def note_reading(customer_ids: Iterable[uuid.UUID | None]) -> None:
    """Their messages were read just now, in the open transaction; None: was read before."""
    if people := {pk for pk in customer_ids if pk}:
        facts.mark_stale(people)
