"""Lines of one file that mean the same person, made one."""

import uuid

from django.db import connection

from customers.imports.matching import COLLECTED, FIELDS, FULL_NAME, MAX_TAGS, differs
from customers.models import ImportRow
from marketing.core.tenancy import current_tenant_id

LAST, FIRST = "last", "first"
TABLE = ImportRow._meta.db_table


def merge_repeats(job_id: uuid.UUID, *, wins: str, rule: str) -> None:
    """Keep of each person the line that wins, filled up from the others; mark those.

    Tags and attributes are gathered. Of consents said differently, the refusal stands. Where the
    line that wins says nothing of the customer whom another means, she stands in it all the same.
    """
    parameters = {"tenant": current_tenant_id(), "job": job_id}
    with connection.cursor() as cursor:
        # The table has just grown from nothing: the planner takes it for a small one.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(_CLAIMS, parameters)
        cursor.execute("DROP TABLE IF EXISTS pg_temp.import_repeats")
        cursor.execute(_gather(wins), parameters)
        cursor.execute("ANALYZE import_repeats")
        cursor.execute(_fill(), parameters)
        cursor.execute(
            f"""
            UPDATE {TABLE} r SET outcome = 'duplicate' FROM import_repeats twin
            WHERE twin.id = r.id AND twin.place > 1 AND r.tenant_id = %(tenant)s
            """,  # noqa: S608
            parameters,
        )
        cursor.execute(
            f"""
            UPDATE {TABLE} g
            SET outcome = CASE WHEN {differs(rule)} THEN 'changed' ELSE 'unchanged' END
            FROM customers_customer c, import_repeats winner
            WHERE winner.id = g.id AND winner.place = 1 AND c.id = g.customer_id
              AND g.tenant_id = %(tenant)s
            """,  # noqa: S608
            parameters,
        )
        cursor.execute(_REFUSE_TAKEN, parameters)
        cursor.execute("DROP TABLE import_repeats")
        cursor.execute("SET LOCAL enable_nestloop = on")


# Who is known by her address alone, and has no number of the other system yet, is one of those
# whom the file numbers: the one of her name, else the first. The others are new.
_CLAIMS = f"""
UPDATE {TABLE} r SET customer_id = NULL, outcome = 'new'
FROM (
    SELECT g.id, g.external_id, first_value(g.external_id) OVER (
        PARTITION BY c.id ORDER BY c.search_name <> {FULL_NAME}, g.line) AS hers
    FROM {TABLE} g JOIN customers_customer c ON c.id = g.customer_id
    WHERE g.tenant_id = %(tenant)s AND g.job_id = %(job)s AND g.outcome <> 'invalid'
      AND g.external_id IS NOT NULL AND g.given_id IS NULL AND c.external_id IS NULL
      AND NOT EXISTS (SELECT FROM customers_customer gone WHERE gone.tenant_id = g.tenant_id
                      AND gone.external_id = g.external_id)
) claims
WHERE claims.id = r.id AND r.tenant_id = %(tenant)s AND claims.external_id <> claims.hers
"""  # noqa: S608

# Two who are known would both get the number; the first of them does.
_REFUSE_TAKEN = f"""
UPDATE {TABLE} r SET outcome = 'invalid', problems = ARRAY['id_taken']
FROM (
    SELECT id, row_number() OVER (PARTITION BY external_id ORDER BY customer_id IS NULL, line)
        AS place
    FROM {TABLE}
    WHERE tenant_id = %(tenant)s AND job_id = %(job)s AND external_id IS NOT NULL
      AND outcome NOT IN ('invalid', 'duplicate')
) claims
WHERE claims.id = r.id AND r.tenant_id = %(tenant)s AND claims.place > 1
"""  # noqa: S608


def _gather(wins: str) -> str:
    """The lines of people with several; `wins` is which of them stands in the first place.

    A line is known by its customer, else its number of the other system, else its phone, else
    its e-mail. One without a number, or without a phone, belongs to the only person who has its
    phone or e-mail beside something stronger: the file alone decides, not where a chunk ends.
    """
    direction = "DESC" if wins == LAST else "ASC"
    by_number = _only("key LIKE 'c:%%'", "external_id")
    by_phone = _only("key ~ '^[cx]:'", "phone")
    # With another phone, an e-mail is that person's if she has the same name.
    unphoned = _only("key ~ '^[cx]:' AND phone IS NULL", "email")
    same_name = _only("key ~ '^[cx]:'", "email, name")
    by_email, by_name = _only("key !~ '^e:'", "email"), _only("key !~ '^e:'", "email, name")
    return f"""
        CREATE TEMPORARY TABLE import_repeats ON COMMIT DROP AS
        WITH keyed AS (
            SELECT id, line, external_id, phone, email,
                lower(coalesce(first_name, '') || ' ' || coalesce(last_name, '')) AS name,
                CASE WHEN customer_id IS NOT NULL THEN 'c:' || customer_id
                     WHEN external_id IS NOT NULL THEN 'x:' || external_id
                     WHEN phone IS NOT NULL THEN 'p:' || phone
                     ELSE 'e:' || email END AS key
            FROM {TABLE}
            WHERE tenant_id = %(tenant)s AND job_id = %(job)s AND outcome <> 'invalid'
        ), numbered AS (
            SELECT id, line, phone, email, name,
                CASE WHEN key LIKE 'x:%%' THEN coalesce({by_number}, key) ELSE key END AS key
            FROM keyed
        ), phoned AS (
            SELECT id, line, phone, email, name,
                CASE WHEN key LIKE 'p:%%' THEN coalesce({by_phone}, key) ELSE key END AS key
            FROM numbered
        ), related AS (
            SELECT *, CASE WHEN email IS NOT NULL AND key LIKE 'p:%%'
                THEN coalesce({same_name}, {unphoned}) END AS whose
            FROM phoned
        ), mailed AS (
            SELECT id, line, email, name, CASE WHEN key LIKE 'p:%%' AND
                    min(whose) OVER (PARTITION BY key) = max(whose) OVER (PARTITION BY key)
                THEN min(whose) OVER (PARTITION BY key) ELSE key END AS key
            FROM related
        ), linked AS (
            SELECT id, line,
                CASE WHEN key LIKE 'e:%%' THEN coalesce({by_email}, {by_name}, key) ELSE key END
                    AS key
            FROM mailed
        ), placed AS (
            SELECT id, key, row_number() OVER (PARTITION BY key ORDER BY line {direction}) AS place,
                   count(*) OVER (PARTITION BY key) AS lines
            FROM linked
        )
        SELECT r.*, placed.key, placed.place
        FROM placed JOIN {TABLE} r ON r.id = placed.id AND r.tenant_id = %(tenant)s
        WHERE placed.lines > 1
    """  # noqa: S608


def _only(which: str, columns: str) -> str:
    """SQL for the key of the lines with the same `columns` of which `which` holds, if it is one."""
    least, most = (
        f"{pick}(key) FILTER (WHERE {which}) OVER (PARTITION BY {columns})"
        for pick in ("min", "max")
    )
    return f"CASE WHEN {least} = {most} THEN {least} END"


def _fill() -> str:
    fields = ", ".join(
        f"(array_agg({name} ORDER BY place) FILTER (WHERE {name} IS NOT NULL))[1] AS {name}"
        for name in FIELDS
    )
    own = ", ".join(f"{name} = whole.{name}" for name in (*FIELDS, *COLLECTED, "consents"))
    return f"""
        WITH fields AS (
            SELECT key, {fields}, (array_agg(customer_id) FILTER (WHERE customer_id IS NOT NULL))[1]
                AS known_id FROM import_repeats GROUP BY key
        ), spellings AS (
            SELECT key, min(tag) AS tag FROM import_repeats, unnest(tags) AS tag
            GROUP BY key, lower(tag)
        ), tags AS (
            SELECT key, (array_agg(tag))[:{MAX_TAGS}] AS tags FROM spellings GROUP BY key
        ), attributes AS (
            SELECT twin.key, jsonb_object_agg(pair.key, pair.value ORDER BY place DESC)
                AS attributes
            FROM import_repeats twin, jsonb_each(attributes) AS pair GROUP BY twin.key
        ), said AS (
            SELECT twin.key, pair.key AS name, CASE WHEN pair.key = 'marketing_opted_out'
                THEN bool_or(pair.value::boolean) ELSE bool_and(pair.value::boolean) END AS value
            FROM import_repeats twin, jsonb_each(consents) AS pair GROUP BY twin.key, pair.key
        ), consents AS (
            SELECT key, jsonb_object_agg(name, value) AS consents FROM said GROUP BY key
        ), noted AS (
            SELECT key, array_agg(DISTINCT problem) AS problems
            FROM import_repeats, unnest(problems) AS problem GROUP BY key
        ), whole AS (
            SELECT * FROM fields LEFT JOIN tags USING (key) LEFT JOIN attributes USING (key)
            LEFT JOIN consents USING (key) LEFT JOIN noted USING (key)
        )
        UPDATE {TABLE} r SET {own}, customer_id = known_id,
            problems = coalesce(whole.problems, '{{}}')
        FROM whole, import_repeats winner
        WHERE winner.key = whole.key AND winner.place = 1 AND r.id = winner.id
          AND r.tenant_id = %(tenant)s
    """  # noqa: S608
