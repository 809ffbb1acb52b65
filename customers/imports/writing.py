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
    source: str = SOURCE,
) -> Written:
    """Create and change the customers the chunk's lines mean. Doing it twice changes nothing."""
    written = Written()
    # A second time for lines whose person somebody entered between the two statements.
    for attempt in range(2):
        matching.match(branch_ids, is_check=False, unplaced_only=attempt > 0)
        known = _lock()
        if rule == matching.OVERWRITE:
            _keep_replaced()
        written.updated += _update(known, rule)
        wanted, created = _insert(home_branch_id, source)
        written.created += created
        if len(created) == wanted:
            break
    _add_beside(ConsentState, written.created)
    _add_beside(CustomerFacts, written.created)
    _add_primaries(written.created)
    _set_primaries(written.updated)
    mark_stale([*written.updated, *written.created])
    _tell(written, actor_id, source)
    return written


def _lock() -> list[uuid.UUID]:
    """The customers whom the chunk means, in id order.

    What is changed is read in a later statement, with a later snapshot.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT id FROM customers_customer
            WHERE id IN (SELECT customer_id FROM {CHUNK_TABLE} WHERE outcome <> 'invalid')
            ORDER BY id FOR NO KEY UPDATE
            """  # noqa: S608
        )
        return [customer_id for (customer_id,) in cursor.fetchall()]


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


def _update(known: list[uuid.UUID], rule: str) -> list[uuid.UUID]:
    columns = [*FIELDS, *COLLECTED]
    values = ", ".join(f"{column} = {merged(column, rule)}" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE customers_customer c
            SET {values}, version = c.version + 1, updated_at = %(now)s
            FROM {CHUNK_TABLE} g
            WHERE c.id = ANY (%(known)s) AND c.id = g.customer_id AND c.status = 'active'
              AND g.outcome <> 'invalid' AND {differs(rule)}
            RETURNING c.id
            """,  # noqa: S608
            {"known": known, "now": clock.now()},
        )
        return [customer_id for (customer_id,) in cursor.fetchall()]


def _insert(home_branch_id: uuid.UUID | None, source: str) -> tuple[int, list[uuid.UUID]]:
    """New customers under the ids of their lines: the same line never makes two.

    Returns for how many lines one was wanted, and those that were made.
    """
    own = {
        column: f"coalesce(g.{column}, {DEFAULTS.get(column, empty)})"
        for column, empty in {**FIELDS, "tags": "'{}'", "attributes": "'{}'"}.items()
    }
    own["home_branch_id"] = "coalesce(g.home_branch_id, %(home_branch)s::uuid)"
    own |= {"id": "g.id", "tenant_id": "g.tenant_id", "source": "%(source)s"}
    blank = _blank(Customer, set(own))
    own |= {column: f"%({column})s" for column in blank}
    unknown = "g.customer_id IS NULL AND g.outcome <> 'invalid'"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO customers_customer ({", ".join(own)})
            SELECT {", ".join(own.values())} FROM {CHUNK_TABLE} g
            WHERE {unknown} ORDER BY g.line
            ON CONFLICT DO NOTHING RETURNING id
            """,  # noqa: S608
            {**blank, "home_branch": home_branch_id, "source": source},
        )
        created = [customer_id for (customer_id,) in cursor.fetchall()]
        cursor.execute(f"SELECT count(*) FROM {CHUNK_TABLE} g WHERE {unknown}")  # noqa: S608
        return int(cursor.fetchone()[0]), created


def _add_beside(model: type[models.Model], customer_ids: Sequence[uuid.UUID]) -> None:
    """The row that each new customer has in a one-to-one table, with nothing in it."""
    blank = _blank(model, {"tenant_id", "customer_id"})
    columns = ", ".join(["tenant_id", "customer_id", *blank])
    values = ", ".join(["%(tenant)s", "id", *(f"%({column})s" for column in blank)])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({columns}) "  # noqa: S608
            f"SELECT {values} FROM unnest(%(ids)s::uuid[]) AS made(id)",
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


def _add_primaries(customer_ids: list[uuid.UUID]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT {_PRIMARIES}", [customer_ids])


def _set_primaries(customer_ids: list[uuid.UUID]) -> None:
    """Primary contact points in line with the customers' columns; replaced ones stay beside them.

    Of WhatsApp ids they go, as `set_primary` has it: nobody is known by one that was replaced.
    """
    if not customer_ids:
        return
    points = ContactPoint._meta.db_table
    replaced = f"""
        customers_customer c, LATERAL (VALUES {_KINDS}) AS own(kind, value)
        WHERE c.id = ANY (%s) AND p.customer_id = c.id AND p.is_primary
          AND p.kind = own.kind AND p.value <> own.value
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {points} p USING {replaced} AND p.kind = 'whatsapp'",  # noqa: S608
            [customer_ids],
        )
        cursor.execute(
            f"UPDATE {points} p SET is_primary = false FROM {replaced}",  # noqa: S608
            [customer_ids],
        )
        cursor.execute(
            f"""
            INSERT {_PRIMARIES} ON CONFLICT (tenant_id, customer_id, kind, value)
            DO UPDATE SET is_primary = true WHERE NOT known.is_primary
            """,
            [customer_ids],
        )


_KINDS = ", ".join(f"('{kind}', c.{column})" for kind, column in PRIMARY_FIELDS.items())
_PRIMARIES = f"""
    INTO {ContactPoint._meta.db_table} AS known (tenant_id, customer_id, kind, value, is_primary)
    SELECT c.tenant_id, c.id, own.kind, own.value, true
    FROM customers_customer c, LATERAL (VALUES {_KINDS}) AS own(kind, value)
    WHERE c.id = ANY (%s) AND own.value <> ''
"""  # noqa: S608


def _tell(written: Written, actor_id: uuid.UUID | None, source: str) -> None:
    told: tuple[tuple[str, list[uuid.UUID], dict[str, Any]], ...] = (
        ("customer.created", written.created, {"source": source}),
        ("customer.updated", written.updated, {"fields": []}),
    )
    for name, customer_ids, more in told:
        if events.has_subscribers(name):
            payloads = [{"customerId": str(customer_id), **more} for customer_id in customer_ids]
            events.record_all(name, payloads, actor_id=actor_id)
