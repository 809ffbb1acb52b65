"""What a person's contact load holds for a message, given back when it surely was not sent."""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db import connection

# Customer, cap slot (None: it took none), and when it was marked.
Held = tuple[uuid.UUID, dt.datetime | None, dt.datetime | None]

LOCK = """
SELECT 1 FROM delivery_contactload WHERE customer_id = ANY(%s) ORDER BY customer_id FOR UPDATE
"""
GIVE_BACK = """
UPDATE delivery_contactload l
SET sent = (SELECT coalesce(array_agg(at ORDER BY at), '{}') FROM unnest(l.sent) AS at
            WHERE at <> ALL (v.slots)),
    whatsapp_at = CASE WHEN l.whatsapp_at = ANY (v.marks) THEN NULL ELSE l.whatsapp_at END
FROM (SELECT customer_id, array_remove(array_agg(slot_at), NULL) AS slots,
             array_remove(array_agg(marked_at), NULL) AS marks
      FROM unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[])
           AS s(customer_id, slot_at, marked_at)
      GROUP BY customer_id) v
WHERE l.customer_id = v.customer_id
"""


def give_back(held: Sequence[Held]) -> None:
    """Free cap slots and WhatsApp's pace, the loads locked in customer order."""
    if not held:
        return
    columns = [list(column) for column in zip(*held, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [columns[0]])
        cursor.execute(GIVE_BACK, columns)
