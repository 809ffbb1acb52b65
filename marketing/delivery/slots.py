"""Cap slots of people, given back when what took them surely was not sent."""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db import connection

LOCK = """
SELECT 1 FROM delivery_contactload WHERE customer_id = ANY(%s) ORDER BY customer_id FOR UPDATE
"""
GIVE_BACK = """
UPDATE delivery_contactload l
SET sent = (SELECT coalesce(array_agg(at ORDER BY at), '{}') FROM unnest(l.sent) AS at
            WHERE at <> ALL (v.slots))
FROM (SELECT customer_id, array_agg(slot_at) AS slots
      FROM unnest(%s::uuid[], %s::timestamptz[]) AS s(customer_id, slot_at)
      GROUP BY customer_id) v
WHERE l.customer_id = v.customer_id
"""


def give_back(held: Sequence[tuple[uuid.UUID, dt.datetime]]) -> None:
    """Free the `(customer, slot)`s, the loads locked in customer order."""
    if not held:
        return
    customers = [customer_id for customer_id, _ in held]
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [customers])
        cursor.execute(GIVE_BACK, [customers, [slot_at for _, slot_at in held]])
