"""What people were sent lately, counted against their caps: one row a person.

Rows are made and locked in customer order, within the transaction that marks their messages.
"""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection

from marketing.core.ids import uuid_array
from marketing.delivery.dispatch.lease import Lease
from marketing.delivery.dispatch.sending import Sending
from marketing.delivery.gate import CAPS, Gate


@dataclass(frozen=True)
class Load:
    """A locked row: when WhatsApp was used last, and the cap that is reached, if any."""

    customer_id: uuid.UUID
    whatsapp_at: dt.datetime | None
    cap: str | None


def make_loads(
    gate: Gate,
    customers: Collection[uuid.UUID],
    *,
    slot_at: dt.datetime | None,
    whatsapp_at: dt.datetime | None,
) -> set[uuid.UUID]:
    """Make the rows that are missing, a first slot taken in them; returns whose they are."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO delivery_contactload (tenant_id, customer_id, sent, whatsapp_at)
            SELECT %(tenant_id)s, person, %(sent)s::timestamptz[], %(whatsapp_at)s::timestamptz
            FROM unnest(%(customers)s::uuid[]) AS person
            WHERE NOT EXISTS (SELECT FROM delivery_contactload l WHERE l.customer_id = person)
            ORDER BY person ON CONFLICT (customer_id) DO NOTHING RETURNING customer_id
            """,
            {
                **gate.values,
                "customers": uuid_array(customers),
                "sent": [slot_at] if slot_at else [],
                "whatsapp_at": whatsapp_at,
            },
        )
        return {customer_id for (customer_id,) in cursor.fetchall()}


def lock_loads(gate: Gate, customers: Collection[uuid.UUID]) -> list[Load]:
    """Lock the rows of these people, and look whether they have room."""
    if not customers:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT l.customer_id, l.whatsapp_at, {gate.case(only=CAPS)}
            FROM delivery_contactload l
            LEFT JOIN customers_consentstate s
              ON s.customer_id = l.customer_id AND s.tenant_id = %(tenant_id)s
            WHERE l.customer_id = ANY(%(customers)s::uuid[])
            ORDER BY l.customer_id FOR UPDATE OF l
            """,  # noqa: S608  the gate's SQL is ours, its values are parameters
            {**gate.values, "customers": uuid_array(customers)},
        )
        return [Load(*row) for row in cursor.fetchall()]


def slot_holders(
    lease: Lease, sending: Sending, customers: Collection[uuid.UUID]
) -> set[uuid.UUID]:
    """Who of these people has a slot through another attempt of the run; their rows are locked."""
    if sending.mode == "single":
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT customer_id FROM delivery_message WHERE customer_id = ANY(%s)"
            " AND run_id = %s AND slot_at IS NOT NULL AND id >= uuid_bound(%s)",
            [list(customers), lease.run_id, sending.begun_at],
        )
        return {customer_id for (customer_id,) in cursor.fetchall()}


def write_loads(
    gate: Gate,
    *,
    slots: Collection[uuid.UUID],
    whatsapp: Collection[uuid.UUID],
    now: dt.datetime,
) -> None:
    """Write who takes a slot and to whom WhatsApp is used; the rows are locked."""
    touched = {*slots, *whatsapp}
    if not touched:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE delivery_contactload l
            SET sent = CASE WHEN l.customer_id = ANY(%(slotless)s::uuid[]) THEN l.sent
                    ELSE array_append(ARRAY(SELECT at FROM unnest(l.sent) AS at
                         WHERE at > %(week_ago)s ORDER BY at), %(now)s) END,
                whatsapp_at = CASE WHEN %(is_whatsapp)s THEN %(now)s ELSE l.whatsapp_at END
            WHERE l.customer_id = ANY(%(touched)s::uuid[])
            """,
            {
                "slotless": uuid_array(touched.difference(slots)),
                "touched": uuid_array(touched),
                "week_ago": gate.values["week_ago"],
                "now": now,
                "is_whatsapp": bool(whatsapp),
            },
        )
