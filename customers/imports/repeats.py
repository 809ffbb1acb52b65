"""Lines of one file that mean the same person, made one."""

import uuid

from django.db import connection

from customers.imports.matching import COLLECTED, FIELDS, MAX_TAGS, differs
from customers.models import ImportRow
from marketing.core.tenancy import current_tenant_id

LAST, FIRST = "last", "first"
TABLE = ImportRow._meta.db_table


def merge_repeats(job_id: uuid.UUID, *, wins: str, rule: str) -> None:
    """Keep of each person the line that wins, filled up from the others; mark those.

    Tags and attributes are gathered. Of consents said differently, the refusal stands.
    """
    parameters = {"tenant": current_tenant_id(), "job": job_id}
    with connection.cursor() as cursor:
        # The table has just grown from nothing: the planner takes it for a small one.
        cursor.execute("SET LOCAL enable_nestloop = off")
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
        cursor.execute("DROP TABLE import_repeats")
        cursor.execute("SET LOCAL enable_nestloop = on")


def _gather(wins: str) -> str:
    """The lines of people with several. A phone alone means who has it beside a number.

    `wins` is which of them stands in the first place.
    """
    direction = "DESC" if wins == LAST else "ASC"
    return f"""
        CREATE TEMPORARY TABLE import_repeats ON COMMIT DROP AS
        WITH keyed AS (
            SELECT *, CASE
                WHEN customer_id IS NOT NULL THEN 'c:' || customer_id
                WHEN external_id IS NOT NULL THEN 'x:' || external_id
                WHEN phone IS NOT NULL THEN 'p:' || phone
                ELSE 'e:' || email END AS own_key
            FROM {TABLE}
            WHERE tenant_id = %(tenant)s AND job_id = %(job)s AND outcome <> 'invalid'
        ), linked AS (
            SELECT *, CASE WHEN own_key LIKE 'p:%%' AND min(own_key) FILTER (WHERE numbered)
                    OVER same_phone = max(own_key) FILTER (WHERE numbered) OVER same_phone
                THEN min(own_key) FILTER (WHERE numbered) OVER same_phone
                ELSE own_key END AS key
            FROM (SELECT *, own_key LIKE 'x:%%' AS numbered FROM keyed) AS known
            WINDOW same_phone AS (PARTITION BY phone)
        ), numbered AS (
            SELECT *, row_number() OVER (PARTITION BY key ORDER BY line {direction}) AS place,
                   count(*) OVER (PARTITION BY key) AS lines
            FROM linked
        )
        SELECT * FROM numbered WHERE lines > 1
    """  # noqa: S608


def _fill() -> str:
    fields = ", ".join(
        f"(array_agg({name} ORDER BY place) FILTER (WHERE {name} IS NOT NULL))[1] AS {name}"
        for name in FIELDS
    )
    own = ", ".join(f"{name} = whole.{name}" for name in (*FIELDS, *COLLECTED, "consents"))
    return f"""
        WITH fields AS (
            SELECT key, {fields} FROM import_repeats GROUP BY key
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
        ), whole AS (
            SELECT * FROM fields LEFT JOIN tags USING (key) LEFT JOIN attributes USING (key)
            LEFT JOIN consents USING (key)
        )
        UPDATE {TABLE} r SET {own} FROM whole, import_repeats winner
        WHERE winner.key = whole.key AND winner.place = 1 AND r.id = winner.id
          AND r.tenant_id = %(tenant)s
    """  # noqa: S608
