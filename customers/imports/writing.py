"""One chunk of an import written to the customers, set-based, in the caller's transaction."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, models

from customers.facts import mark_stale
from customers.imports import matching
from customers.imports.matching import CHUNK_TABLE, COLLECTED, FIELDS, differs, merged
from customers.models import ConsentState, ContactPoint, Customer, CustomerFacts
from customers.services.contact_points import PRIMARY_FIELDS
from marketing.core import clock, events
from marketing.core.tenancy import current_tenant_id

SOURCE = "import"
# Where a line says nothing, a new customer has this.
DEFAULTS = {"language": "'en'", "preferred_channel": "'whatsapp'", "tags": "'{}'"}


@dataclass
class Written:
    created: list[uuid.UUID] = field(default_factory=list)
    updated: list[uuid.UUID] = field(default_factory=list)


def serialise() -> None:
    """Let chunks of one chain follow each other: two files may bring the same new person."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('customer import'), hashtext(%s))",
            [str(current_tenant_id())],
        )


def write_chunk(
    *,
    rule: str,
    branch_ids: Sequence[uuid.UUID] | None,
    home_branch_id: uuid.UUID | None,
    actor_id: uuid.UUID | None,
) -> Written:
    """Create and change the customers the chunk's lines mean. Doing it twice changes nothing."""
    written = Written()
    # A second time for lines whose person somebody entered between the two statements.
    for attempt in range(2):
        matching.match(branch_ids, is_check=False, unplaced_only=attempt > 0)
        _lock()
        if rule == matching.OVERWRITE:
            _keep_replaced()
        written.updated += _update(rule)
        written.created += _insert(home_branch_id)
        if not _unplaced():
            break
    _add_beside(ConsentState, written.created)
    _add_beside(CustomerFacts, written.created)
    _set_primaries(written)
    mark_stale([*written.updated, *written.created])
    _tell(written, actor_id)
    return written


def _lock() -> None:
    """In id order; what is changed is read in a later statement, with a later snapshot."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT id FROM customers_customer
            WHERE id IN (SELECT customer_id FROM {CHUNK_TABLE} WHERE outcome <> 'invalid')
            ORDER BY id FOR NO KEY UPDATE
            """  # noqa: S608
        )


def _keep_replaced() -> None:
    """Leave a phone or e-mail that a line replaces beside the new one.

    Whoever opted out under it is known by it when another file brings it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {ContactPoint._meta.db_table}
                (tenant_id, customer_id, kind, value, is_primary)
            SELECT c.tenant_id, c.id, own.kind, own.value, false
            FROM {CHUNK_TABLE} g JOIN customers_customer c ON c.id = g.customer_id,
                LATERAL (VALUES ('phone', c.phone, g.phone), ('email', c.email, g.email))
                    AS own(kind, value, new)
            WHERE c.status = 'active' AND g.outcome <> 'invalid'
              AND own.value <> '' AND own.value <> own.new
            ON CONFLICT (tenant_id, customer_id, kind, value) DO NOTHING
            """  # noqa: S608
        )


def _update(rule: str) -> list[uuid.UUID]:
    columns = [*FIELDS, *COLLECTED]
    values = ", ".join(f"{column} = {merged(column, rule)}" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE customers_customer c
            SET {values}, version = c.version + 1, updated_at = %(now)s
            FROM {CHUNK_TABLE} g
            WHERE c.id = g.customer_id AND c.status = 'active' AND g.outcome <> 'invalid'
              AND {differs(rule)}
            RETURNING c.id
            """,  # noqa: S608
            {"now": clock.now()},
        )
        return [customer_id for (customer_id,) in cursor.fetchall()]


def _insert(home_branch_id: uuid.UUID | None) -> list[uuid.UUID]:
    """New customers under the ids of their lines: the same line never makes two."""
    own = {
        column: f"coalesce(g.{column}, {DEFAULTS.get(column, empty)})"
        for column, empty in {**FIELDS, "tags": "'{}'", "attributes": "'{}'"}.items()
    }
    own["home_branch_id"] = "coalesce(g.home_branch_id, %(home_branch)s::uuid)"
    own |= {"id": "g.id", "tenant_id": "g.tenant_id", "source": "%(source)s"}
    blank = _blank(Customer, set(own))
    own |= {column: f"%({column})s" for column in blank}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO customers_customer ({", ".join(own)})
            SELECT {", ".join(own.values())} FROM {CHUNK_TABLE} g
            WHERE g.customer_id IS NULL AND g.outcome <> 'invalid'
            ORDER BY g.line
            ON CONFLICT DO NOTHING RETURNING id
            """,  # noqa: S608
            {**blank, "home_branch": home_branch_id, "source": SOURCE},
        )
        created = [customer_id for (customer_id,) in cursor.fetchall()]
        cursor.execute(
            f"UPDATE {CHUNK_TABLE} SET customer_id = id WHERE id = ANY (%s)",  # noqa: S608
            [created],
        )
    return created


def _unplaced() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {CHUNK_TABLE} "  # noqa: S608
            "WHERE customer_id IS NULL AND outcome <> 'invalid'"
        )
        return int(cursor.fetchone()[0])


def _add_beside(model: type[models.Model], customer_ids: Sequence[uuid.UUID]) -> None:
    """The row that each customer has in a one-to-one table, with nothing in it."""
    blank = _blank(model, {"tenant_id", "customer_id"})
    columns = ", ".join(["tenant_id", "customer_id", *blank])
    values = ", ".join(["%(tenant)s", "id", *(f"%({column})s" for column in blank)])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({columns}) "  # noqa: S608
            f"SELECT {values} FROM unnest(%(ids)s::uuid[]) AS made(id) ON CONFLICT DO NOTHING",
            {**blank, "tenant": current_tenant_id(), "ids": list(customer_ids)},
        )


def _blank(model: type[models.Model], given: set[str]) -> dict[str, Any]:
    """What the columns that are not given hold in a new row; the database knows the others."""
    values: dict[str, Any] = {}
    for each in model._meta.concrete_fields:
        if each.attname in given or each.generated or each.has_db_default():
            continue
        values[each.attname] = (
            clock.now() if getattr(each, "auto_now", False) else each.get_default()
        )
    return values


def _set_primaries(written: Written) -> None:
    """Primary contact points in line with the customers' columns; replaced ones stay beside them.

    Of WhatsApp ids they go, as `set_primary` has it: nobody is known by one that was replaced.
    """
    points = ContactPoint._meta.db_table
    kinds = ", ".join(f"('{kind}', c.{column})" for kind, column in PRIMARY_FIELDS.items())
    replaced = f"""
        customers_customer c, LATERAL (VALUES {kinds}) AS own(kind, value)
        WHERE c.id = ANY (%s) AND p.customer_id = c.id AND p.is_primary
          AND p.kind = own.kind AND p.value <> own.value
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {points} p USING {replaced} AND p.kind = 'whatsapp'",  # noqa: S608
            [written.updated],
        )
        cursor.execute(
            f"UPDATE {points} p SET is_primary = false FROM {replaced}",  # noqa: S608
            [written.updated],
        )
        cursor.execute(
            f"""
            INSERT INTO {points} AS known (tenant_id, customer_id, kind, value, is_primary)
            SELECT c.tenant_id, c.id, own.kind, own.value, true
            FROM customers_customer c, LATERAL (VALUES {kinds}) AS own(kind, value)
            WHERE c.id = ANY (%s) AND own.value <> ''
            ON CONFLICT (tenant_id, customer_id, kind, value)
            DO UPDATE SET is_primary = true WHERE NOT known.is_primary
            """,  # noqa: S608
            [[*written.created, *written.updated]],
        )


def _tell(written: Written, actor_id: uuid.UUID | None) -> None:
    told: tuple[tuple[str, list[uuid.UUID], dict[str, Any]], ...] = (
        ("customer.created", written.created, {"source": SOURCE}),
        ("customer.updated", written.updated, {"fields": []}),
    )
    for name, customer_ids, more in told:
        if events.has_subscribers(name):
            for customer_id in customer_ids:
                events.record(name, {"customerId": str(customer_id), **more}, actor_id=actor_id)
