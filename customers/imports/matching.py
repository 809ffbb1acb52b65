"""A chunk of lines in a temporary table: whom they mean, and what they would change.

Lines mean the customer with their Parlour id, else with their number of the other system, else
with their phone, else with their e-mail, be these primary or not. The id or number of somebody
who was merged means whom she became one with. Several people may share an address: then the one
of that name, else the only one whose primary address it is, else nobody. The dry run and the
import ask by the same statements; whom the dry run found, the import does not look for again, so
that what one chunk writes never decides whom the next one means.

Customers are looked up in an index by all that a chunk asks for at once (`= ANY`), or line by
line (LATERAL); OFFSET 0 keeps it so. In tables that have just grown from nothing, a planner that
may join walks through all of them for each chunk. What is looked for is reckoned before: beside a
policy, `coalesce` in a condition hides the index.
"""

import json
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from psycopg.types.json import Json

from customers.imports.reading import Line
from customers.imports.validation import Judged
from customers.models import ImportRow
from marketing.core.tenancy import current_tenant_id

CHUNK_TABLE = "import_chunk"
# Fields of a line that stand on the customer, and what is empty there.
FIELDS = {
    "external_id": "NULL",
    "first_name": "''",
    "last_name": "''",
    "phone": "''",
    "email": "''",
    "whatsapp_id": "''",
    "birth_date": "NULL",
    "anniversary": "NULL",
    "gender": "''",
    "language": "''",
    "preferred_channel": "''",
    "home_branch_id": "NULL",
    "latitude": "NULL",
    "longitude": "NULL",
}
COLLECTED = ("tags", "attributes")
JSON_FIELDS = ("attributes", "consents")
VALUES = ("given_id", *FIELDS, *COLLECTED, "consents")
# What a line's customer is sought by; the rest tells the planner nothing.
SOUGHT_BY = "id, customer_id, given_id, external_id, phone, email, outcome"
OVERWRITE, FILL = "overwrite", "fill"
MAX_TAGS = 50

# The name of the line `g`, as `search_name` spells it.
FULL_NAME = "lower(normalize(coalesce(g.first_name, '') || ' ' || coalesce(g.last_name, ''), NFKC))"


def stage(job_id: uuid.UUID, judged: Iterable[Judged]) -> None:
    """Copy judged lines into the chunk's table; `COPY` does not reach tables with policies."""
    _make_table(f"(LIKE {ImportRow._meta.db_table} INCLUDING DEFAULTS)")
    names = ("tenant_id", "job_id", "line", "outcome", "problems", "cells", *VALUES)
    tenant, job = str(current_tenant_id()), str(job_id)
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {CHUNK_TABLE} ({', '.join(names)}) FROM STDIN") as copy:
            for each in judged:
                values = {} if each.problems else each.values
                copy.write_row(
                    [
                        tenant,
                        job,
                        each.line,
                        "invalid" if each.problems else "new",
                        each.problems or "{}",
                        each.cells,
                        *(_copied(name, values.get(name)) for name in VALUES),
                    ]
                )
        cursor.execute(f"ANALYZE {CHUNK_TABLE} ({SOUGHT_BY})")


def unstage(job_id: uuid.UUID, after: int, count: int) -> tuple[int, int]:
    """Take the next `count` lines that are to be imported into the chunk's table.

    Returns how many there were, and the last one's number.
    """
    table = ImportRow._meta.db_table
    _make_table(
        f"""AS SELECT * FROM {table} WHERE tenant_id = %(tenant)s AND job_id = %(job)s
        AND line > %(after)s AND (outcome IN ('new', 'changed')
                                  OR outcome = 'unchanged' AND consents IS NOT NULL)
        ORDER BY line LIMIT %(count)s""",  # noqa: S608
        {"tenant": current_tenant_id(), "job": job_id, "after": after, "count": count},
    )
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {CHUNK_TABLE} ({SOUGHT_BY})")
        cursor.execute(f"SELECT count(*), max(line) FROM {CHUNK_TABLE}")  # noqa: S608
        found, last = cursor.fetchone()
    return found, last or after


def match(
    branch_ids: Sequence[uuid.UUID] | None, *, is_check: bool, unplaced_only: bool = False
) -> None:
    """Write into the chunk whom each line means, and which lines cannot be taken for whom."""
    which = "r.customer_id IS NULL" if unplaced_only else "true"
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_MATCH} AND {which}", {"tenant": current_tenant_id(), "is_check": is_check}
        )
        branches = None if branch_ids is None else list(branch_ids)
        cursor.execute(_REFUSE, {"tenant": current_tenant_id(), "branches": branches})


def judge_changes(rule: str) -> None:
    """Tell the chunk's lines that change their customer from those that do not."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE {CHUNK_TABLE} r SET outcome = judged.outcome
            FROM (
                SELECT g.id, CASE WHEN {differs(rule)} THEN 'changed' ELSE 'unchanged' END
                    AS outcome
                FROM {CHUNK_TABLE} g, LATERAL (
                    SELECT * FROM customers_customer WHERE id = g.customer_id OFFSET 0
                ) c
                WHERE g.outcome <> 'invalid'
            ) judged
            WHERE judged.id = r.id
            """  # noqa: S608  the names of our own columns
        )


def add_cells(lines: Iterable[Line]) -> None:
    """Give lines in which something was found since they were staged their cells, as they came."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT line FROM {CHUNK_TABLE} WHERE problems <> '{{}}' AND cells IS NULL"  # noqa: S608
        )
        wanted = {line for (line,) in cursor.fetchall()}
        if not wanted:
            return
        cells = {line.number: json.dumps(line.cells) for line in lines if line.number in wanted}
        cursor.execute(
            f"""
            UPDATE {CHUNK_TABLE} g SET cells = ARRAY(SELECT jsonb_array_elements_text(came.cells))
            FROM unnest(%s::int[], %s::jsonb[]) AS came(line, cells) WHERE came.line = g.line
            """,  # noqa: S608
            [list(cells), list(cells.values())],
        )


def keep_chunk() -> None:
    """Put the chunk into the staging table; lines that stand there already stay as they are."""
    names = ["id", "tenant_id", "job_id", "line", "outcome", "problems", "cells", "customer_id"]
    columns = ", ".join([*names, *VALUES])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {ImportRow._meta.db_table} ({columns}) "  # noqa: S608
            f"SELECT {columns} FROM {CHUNK_TABLE} ORDER BY line "
            "ON CONFLICT (tenant_id, job_id, line) DO NOTHING"
        )


def merged(column: str, rule: str) -> str:
    """SQL for what the customer `c` has in a column after the line `g`."""
    if column == "tags":
        # The customer's own spelling of a tag stays; what would be too many is left out.
        return f"""
            CASE WHEN g.tags IS NULL THEN c.tags ELSE (c.tags || ARRAY(
                SELECT tag FROM unnest(g.tags) AS tag
                WHERE lower(tag) <> ALL (SELECT lower(own) FROM unnest(c.tags) AS own)
            ))[:greatest({MAX_TAGS}, cardinality(c.tags))]::varchar(50)[] END"""  # noqa: S608
    if column == "attributes":
        pair = ("c", "g") if rule == OVERWRITE else ("g", "c")
        return " || ".join(f"coalesce({side}.attributes, '{{}}')" for side in pair)
    if column == "external_id":
        # The number of somebody merged into her leads to her already, and stays where it is.
        return f"""
            CASE WHEN g.external_id IS NULL OR g.external_id = c.external_id OR EXISTS (
                SELECT FROM customers_customer gone
                WHERE gone.tenant_id = c.tenant_id AND gone.external_id = g.external_id
                  AND gone.merged_into_id = c.id
            ) THEN c.external_id ELSE {_scalar(column, rule)} END"""
    return _scalar(column, rule)


def _scalar(column: str, rule: str) -> str:
    if rule == OVERWRITE:
        return f"coalesce(g.{column}, c.{column})"
    return f"coalesce(nullif(c.{column}, {FIELDS[column]}), g.{column}, c.{column})"


def differs(rule: str) -> str:
    """SQL for whether the line `g` changes anything of the customer `c`."""
    columns = [*FIELDS, *COLLECTED]
    before = ", ".join(f"c.{column}" for column in columns)
    after = ", ".join(merged(column, rule) for column in columns)
    return f"ROW({after}) IS DISTINCT FROM ROW({before})"


def _make_table(definition: str, parameters: dict[str, Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{CHUNK_TABLE}")
        how = "ON COMMIT DROP "
        text = definition + " " + how if definition.startswith("(") else how + definition
        cursor.execute(f"CREATE TEMPORARY TABLE {CHUNK_TABLE} {text}", parameters)


def _copied(name: str, value: Any) -> Any:
    if name in JSON_FIELDS and value is not None:
        return Json(value, dumps=DjangoJSONEncoder().encode)
    return value


def _by_address(column: str) -> str:
    """Whom a line means by an address that somebody has, as her primary one or beside it.

    Thousands may have one that a counter writes for everybody. Two of a kind are enough to see
    that there are several, so that no line is put beside all of them.
    """
    # An e-mail beside another phone is one that several people use, unless the name fits too.
    fits = "(l.phone IS NULL OR h.phone = '')" if column == "email" else "true"
    agrees = "(l.external_id IS NULL OR h.external_id IS NULL OR h.external_id = l.external_id)"
    kind_of_holder = "value, is_primary, external_id IS NULL"
    # Whom other lines of the file have made or mean is not hers: `repeats` says who is the same.
    rows = ImportRow._meta.db_table
    file = f"SELECT FROM {rows} r WHERE r.job_id = (SELECT job_id FROM job)"  # noqa: S608
    stranger = f"""
        c.status = 'active' AND NOT EXISTS ({file} AND r.id = c.id)
        AND (%(is_check)s OR NOT EXISTS ({file} AND r.customer_id = c.id))
    """
    sought = "ARRAY(SELECT value FROM addresses)"
    return f"""
        WITH job AS MATERIALIZED (
            SELECT job_id FROM {CHUNK_TABLE} LIMIT 1
        ), lines AS MATERIALIZED (
            SELECT g.id, g.{column} AS value, g.external_id, g.phone, {FULL_NAME} AS name
            FROM {CHUNK_TABLE} g
            WHERE g.outcome <> 'invalid' AND g.given_id IS NULL AND g.customer_id IS NULL
              AND g.{column} IS NOT NULL
        ), addresses AS MATERIALIZED (
            SELECT DISTINCT value FROM lines
        ), everybody AS (
            SELECT c.{column} AS value, c.id, c.external_id, c.phone, c.search_name,
                true AS is_primary
            FROM (
                SELECT * FROM customers_customer
                WHERE tenant_id = %(tenant)s AND {column} = ANY ({sought}) OFFSET 0
            ) c
            WHERE {stranger}
            UNION ALL
            SELECT p.value, c.id, c.external_id, c.phone, c.search_name, false
            FROM (
                SELECT value, customer_id FROM customers_contactpoint
                WHERE tenant_id = %(tenant)s AND kind = '{column}' AND value = ANY ({sought})
                OFFSET 0
            ) p, LATERAL (
                SELECT * FROM customers_customer WHERE id = p.customer_id OFFSET 0
            ) c
            WHERE c.{column} <> p.value AND {stranger}
        ), holders AS MATERIALIZED (
            SELECT *,
                row_number() OVER (PARTITION BY {kind_of_holder}, phone = '' ORDER BY id) AS place,
                row_number() OVER (PARTITION BY {kind_of_holder}, search_name ORDER BY id)
                    AS place_of_name
            FROM everybody
        ), known AS (
            SELECT l.id, h.id AS customer_id, h.is_primary, true AS is_named
            FROM lines l JOIN holders h ON h.value = l.value AND h.search_name = l.name
            WHERE h.place_of_name = 1 AND {agrees}
            UNION ALL
            SELECT l.id, h.id, h.is_primary, false
            FROM lines l JOIN holders h ON h.value = l.value
            WHERE h.place <= 2 AND h.search_name <> l.name AND {agrees} AND {fits}
        )
        SELECT id, NOT bool_or(is_named) AND CASE WHEN bool_or(is_primary)
                   THEN count(*) FILTER (WHERE is_primary) ELSE count(*) END > 1 AS is_ambiguous,
               (array_agg(customer_id ORDER BY is_named DESC, is_primary DESC, customer_id))[1]
                   AS customer_id
        FROM known GROUP BY id
    """  # noqa: S608


_MATCH = f"""
WITH asked AS MATERIALIZED (
    -- Whom the dry run found, whom the line names, or whom the import made of it.
    SELECT id, coalesce(customer_id, given_id, CASE WHEN NOT %(is_check)s THEN id END)
        AS customer_id FROM {CHUNK_TABLE}
), by_id AS (
    SELECT a.id, now.id AS customer_id FROM asked a JOIN (
        SELECT id, coalesce(merged_into_id, id) AS kept_id FROM customers_customer
        WHERE tenant_id = %(tenant)s AND id = ANY (ARRAY(SELECT customer_id FROM asked))
        OFFSET 0
    ) c ON c.id = a.customer_id, LATERAL (
        SELECT id FROM customers_customer WHERE id = c.kept_id AND status = 'active' OFFSET 0
    ) now
), by_external_id AS (
    SELECT g.id, c.customer_id FROM {CHUNK_TABLE} g JOIN (
        SELECT external_id, coalesce(merged_into_id, id) AS customer_id FROM customers_customer
        WHERE tenant_id = %(tenant)s
          AND external_id = ANY (ARRAY(SELECT external_id FROM {CHUNK_TABLE}))
        OFFSET 0
    ) c USING (external_id)
    WHERE g.given_id IS NULL AND g.customer_id IS NULL
), by_phone AS ({_by_address("phone")}), by_email AS ({_by_address("email")})
UPDATE {CHUNK_TABLE} r SET
    customer_id = found.customer_id,
    outcome = CASE WHEN found.is_ambiguous OR found.is_gone THEN 'invalid' ELSE 'new' END,
    problems = CASE WHEN found.is_ambiguous THEN ARRAY['ambiguous']
                    WHEN found.is_gone THEN ARRAY['gone'] ELSE r.problems END
FROM (
    SELECT g.id,
        coalesce(i.customer_id, x.customer_id, p.customer_id, e.customer_id) AS customer_id,
        i.id IS NULL AND x.id IS NULL
            AND coalesce(p.is_ambiguous, e.is_ambiguous, false) AS is_ambiguous,
        g.customer_id IS NOT NULL
            AND num_nonnulls(i.id, x.id, p.id, e.id) = 0 AS is_gone
    FROM {CHUNK_TABLE} g
    LEFT JOIN by_id i USING (id) LEFT JOIN by_external_id x USING (id)
    LEFT JOIN by_phone p USING (id) LEFT JOIN by_email e USING (id)
) found
WHERE r.id = found.id AND r.outcome <> 'invalid'
"""  # noqa: S608

# The first refusal that holds; `branches` NULL means every branch.
_REFUSE = f"""
UPDATE {CHUNK_TABLE} r SET outcome = 'invalid', problems = ARRAY[judged.problem]
FROM (
    SELECT g.id, CASE
        WHEN g.given_id IS NOT NULL AND c.id IS NULL THEN 'id'
        WHEN c.id IS NOT NULL AND %(branches)s::uuid[] IS NOT NULL
             AND (c.home_branch_id = ANY (%(branches)s::uuid[])) IS NOT TRUE THEN 'other_branch'
        WHEN c.id IS NULL AND g.first_name IS NULL THEN 'no_name'
        WHEN g.external_id IS DISTINCT FROM c.external_id AND EXISTS (
            SELECT FROM customers_customer other
            WHERE other.tenant_id = %(tenant)s AND other.external_id = g.external_id
              AND other.id <> c.id AND other.merged_into_id IS DISTINCT FROM c.id
        ) THEN 'id_taken'
    END AS problem
    FROM {CHUNK_TABLE} g LEFT JOIN LATERAL (
        SELECT * FROM customers_customer WHERE id = g.customer_id OFFSET 0
    ) c ON true
    WHERE g.outcome <> 'invalid'
) judged
WHERE judged.id = r.id AND judged.problem IS NOT NULL
"""  # noqa: S608
