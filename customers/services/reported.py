"""What other modules report by the thousand: events, visits, memberships and packages as sets.

Each may come twice and late: the sender's ids tell what is known, `as_of` which of two reports of
a membership or package is the newer.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from customers import changed
from customers.facts import mark_stale
from customers.models import CustomerEventKey, Membership, Package
from customers.services.activity import as_json
from customers.services.standing import standing_ids
from marketing.core import events
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id


@dataclass(frozen=True)
class ReportedEvent:
    """An event of any name; `external_id` is the sender's id."""

    external_id: str
    name: str
    customer_id: uuid.UUID
    occurred_at: dt.datetime
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class ReportedVisit:
    """`is_of_the_day`: none where the customer was at the branch on that day anyhow."""

    external_id: str
    customer_id: uuid.UUID
    branch_id: uuid.UUID
    staff_id: uuid.UUID | None
    visited_at: dt.datetime
    is_of_the_day: bool = False


COLUMNS = "tenant_id, external_id, customer_id, branch_id, staff_id, visited_at"
GIVEN = """
unnest(%s::text[], %s::uuid[], %s::uuid[], %s::uuid[], %s::timestamptz[])
    AS given(external_id, customer_id, branch_id, staff_id, visited_at)
"""
VISITS = f"""
INSERT INTO customers_visit ({COLUMNS})
SELECT %s, * FROM {GIVEN}
ON CONFLICT (tenant_id, external_id) WHERE external_id <> '' DO NOTHING
RETURNING id, customer_id, branch_id
"""  # noqa: S608  constants
# The same day as a bill's (`activity._visit_of_the_day`): that of the branch.
OF_THE_DAY = f"""
INSERT INTO customers_visit ({COLUMNS})
SELECT DISTINCT ON (customer_id, branch_id, day)
       %s::uuid, external_id, customer_id, branch_id, staff_id, visited_at
FROM {GIVEN}
JOIN core_branch branch ON branch.id = given.branch_id
CROSS JOIN LATERAL date_trunc('day', visited_at, branch.time_zone) AS day
WHERE NOT EXISTS (
    SELECT FROM customers_visit known
    WHERE known.customer_id = given.customer_id AND known.branch_id = given.branch_id
      AND known.visited_at >= day
      AND known.visited_at < date_add(day, interval '1 day', branch.time_zone)
)
ORDER BY customer_id, branch_id, day, visited_at, external_id
ON CONFLICT (tenant_id, external_id) WHERE external_id <> '' DO NOTHING
RETURNING id, customer_id, branch_id
"""  # noqa: S608  constants


def known_events(external_ids: Sequence[str]) -> set[str]:
    """Those of the sender's ids that were taken in before."""
    keys = CustomerEventKey.objects.filter(external_id__in=external_ids)
    return set(keys.values_list("external_id", flat=True))


def write_events(reported: Sequence[ReportedEvent]) -> set[str]:
    """Keep the events whose id is new, in one statement; returns those ids.

    Part of the transaction in which the customers are locked.
    """
    if not reported:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH given AS (
                SELECT DISTINCT ON (external_id) *
                FROM unnest(%(ids)s::text[], %(names)s::text[], %(customers)s::uuid[],
                            %(times)s::timestamptz[], %(properties)s::jsonb[])
                    AS given(external_id, name, customer_id, occurred_at, properties)
                ORDER BY external_id
            ), fresh AS (
                INSERT INTO customers_customereventkey (tenant_id, external_id, event_id)
                SELECT %(tenant)s, external_id, uuidv7() FROM given
                ON CONFLICT (tenant_id, external_id) DO NOTHING
                RETURNING external_id, event_id
            ), written AS (
                INSERT INTO customers_customerevent
                    (id, tenant_id, customer_id, name, properties, occurred_at)
                SELECT fresh.event_id, %(tenant)s, customer_id, name, properties, occurred_at
                FROM fresh JOIN given USING (external_id)
            )
            SELECT external_id, customer_id FROM fresh JOIN given USING (external_id)
            """,
            {
                "tenant": current_tenant_id(),
                "ids": [each.external_id for each in reported],
                "names": [each.name for each in reported],
                "customers": [each.customer_id for each in reported],
                "times": [each.occurred_at for each in reported],
                "properties": [Jsonb(each.properties, dumps=as_json) for each in reported],
            },
        )
        written = cursor.fetchall()
    changed.tell(list({customer_id for _id, customer_id in written}))
    return {external_id for external_id, _customer_id in written}


@transaction.atomic
def record_events(*, actor: Actor, events: Sequence[ReportedEvent]) -> int:
    """Take in events, each of whoever stands for its customer now, those with a known id left out.

    Returns how many were new.
    """
    now = standing_ids(event.customer_id for event in events)
    return len(
        write_events([replace(event, customer_id=now[event.customer_id]) for event in events])
    )


@transaction.atomic
def record_visits(*, actor: Actor, visits: Sequence[ReportedVisit]) -> int:
    """Visits that took place, those with a known id left out; returns how many were new.

    Those that are no more than of their day come last.
    """
    new = [
        *_insert(VISITS, [each for each in visits if not each.is_of_the_day]),
        *_insert(OF_THE_DAY, [each for each in visits if each.is_of_the_day]),
    ]
    if not new:
        return 0
    payloads = [
        {"customerId": str(customer), "visitId": str(pk), "branchId": str(branch)}
        for pk, customer, branch in new
    ]
    events.record_all("visit.completed", payloads, actor_id=actor.user_id)
    mark_stale({customer for _pk, customer, _branch in new})
    return len(new)


def _insert(statement: str, visits: Sequence[ReportedVisit]) -> list[tuple[uuid.UUID, ...]]:
    if not visits:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            [
                current_tenant_id(),
                [each.external_id for each in visits],
                [each.customer_id for each in visits],
                [each.branch_id for each in visits],
                [each.staff_id for each in visits],
                [each.visited_at for each in visits],
            ],
        )
        new: list[tuple[uuid.UUID, ...]] = cursor.fetchall()
    return new


@transaction.atomic
def put_held(*, model: type[Membership] | type[Package], rows: Iterable[Mapping[str, Any]]) -> int:
    """Memberships or packages as the selling system knew them at `as_of`; how many it changed.

    `rows` have every column of the model, one for each `external_id`. What is known from later
    stays as it is.
    """
    given = list(rows)
    if not given:
        return 0
    names = [field for field in model._meta.concrete_fields if field.name not in ("id", "tenant")]
    columns = ", ".join(str(field.column) for field in names)
    typed = ", ".join(f"%s::{_type(field)}[]" for field in names)
    own = ", ".join(f"{field.column} = excluded.{field.column}" for field in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {model._meta.db_table} AS known (tenant_id, {columns})
            SELECT %s, * FROM unnest({typed})
            ON CONFLICT (tenant_id, external_id) WHERE external_id <> ''
            DO UPDATE SET {own}
            WHERE known.as_of IS NULL OR known.as_of <= excluded.as_of
            RETURNING customer_id
            """,  # noqa: S608  the names of our own columns
            [current_tenant_id(), *([row[field.attname] for row in given] for field in names)],
        )
        moved = {customer_id for (customer_id,) in cursor.fetchall()}
    mark_stale(moved)
    return len(moved)


def _type(field: Any) -> str:
    target = field.target_field if field.is_relation else field
    return str(target.db_type(connection))
