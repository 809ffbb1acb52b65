"""On which channels a line's yes is left aside, because whoever has the address refused before.

A refusal stands until the person herself takes it back (preference centre, START) or staff do
with proof; a file never does. It holds for an address: of a family that shares a number, one
who opted out stops offers to it. The dry run tells of each such line, and the import asks again
for what was said in the meantime.
"""

import uuid
from collections import defaultdict

from django.db import connection

from customers import rules
from customers.imports.columns import OPT_OUT
from customers.imports.matching import CHUNK_TABLE
from customers.models import ImportRow
from customers.services.opt_outs import SUPPRESSED_CHANNELS
from marketing.core.tenancy import current_tenant_id

PREFIX = "refused_"
BY_HERSELF = ", ".join(f"('herself', '{channel}')" for channel in rules.CHANNELS)
BY_KIND = ", ".join(
    f"('{kind.value}', '{channel.value}')"
    for kind, channels in SUPPRESSED_CHANNELS.items()
    for channel in channels
)


def refused_channels() -> dict[uuid.UUID, set[str]]:
    """The channels on which the yes of each of the chunk's lines is left aside, by line id."""
    found: dict[uuid.UUID, set[str]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(_REFUSED, {"tenant": current_tenant_id()})
        for line_id, channel in cursor.fetchall():
            found[line_id].add(channel)
    return found


def note_refusals() -> None:
    """Write into the chunk which lines' yes will be left aside, as problems of theirs."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH refused AS ({_REFUSED})
            UPDATE {CHUNK_TABLE} g SET problems = noted.problems FROM (
                SELECT id, array_agg('{PREFIX}' || channel ORDER BY channel) AS problems
                FROM refused GROUP BY id
            ) noted WHERE noted.id = g.id
            """,  # noqa: S608  names of our own
            {"tenant": current_tenant_id()},
        )


def note_refusals_of_the_file(job_id: uuid.UUID) -> None:
    """Let what one line of the file refuses for an address hold for the others with it.

    Otherwise it would hang on which of them is taken over first.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OF_THE_FILE, {"tenant": current_tenant_id(), "job": job_id})


def channels_noted(problems: list[str]) -> set[str]:
    """The channels that the dry run noted."""
    return {each.removeprefix(PREFIX) for each in problems if each.startswith(PREFIX)}


# The channels of which a line `g` says yes.
_YES = f"""
    SELECT DISTINCT split_part(word.key, '_', 1) AS channel
    FROM jsonb_each_text(g.consents) AS word
    WHERE word.value = 'true' AND word.key <> '{OPT_OUT.name}'
"""  # noqa: S608
_GRANTED = ", ".join(
    " AND ".join(f"said.{channel}_{purpose}" for purpose in rules.CONSENT_PURPOSES)
    + f" AS has_{channel}"
    for channel in rules.CHANNELS
)
_HAS_GRANTED = " ".join(f"WHEN '{channel}' THEN has_{channel}" for channel in rules.CHANNELS)
# Her newest word on a channel, asked only where she has not agreed to everything on it.
_WITHDREW = f"""
    NOT CASE channel {_HAS_GRANTED} END AND 'withdrawn' = (
        SELECT r.state FROM customers_consentrecord r
        WHERE r.customer_id = judged.customer_id AND r.channel = asked.channel
        ORDER BY r.id DESC LIMIT 1)
"""  # noqa: S608
# Looked up address by address (OFFSET 0 keeps it so): in a table that has just grown from
# nothing, a planner that joins walks through it for every line. Each address once: thousands of
# people may share one.
_REFUSED = f"""
WITH asking AS MATERIALIZED (
    SELECT g.id, g.customer_id, g.phone, g.email, yes.channel
    FROM {CHUNK_TABLE} g, LATERAL ({_YES}) AS yes
    WHERE g.consents IS NOT NULL AND g.outcome <> 'invalid'
), people AS (
    SELECT DISTINCT id, customer_id, phone, email FROM asking
), addresses AS MATERIALIZED (
    SELECT a.id, own.kind, own.value FROM people a, LATERAL (
        SELECT kind, value FROM customers_customer c,
            LATERAL (VALUES ('phone', c.phone), ('email', c.email)) AS has(kind, value)
        WHERE c.id = a.customer_id AND value <> ''
        UNION ALL
        SELECT p.kind, p.value FROM customers_contactpoint p
        WHERE p.customer_id = a.customer_id AND p.kind IN ('phone', 'email')
        OFFSET 0
    ) AS own
    UNION
    SELECT a.id, said.kind, said.value FROM people a,
        LATERAL (VALUES ('phone', a.phone), ('email', a.email)) AS said(kind, value)
    WHERE said.value <> ''
    UNION
    SELECT id, 'herself', customer_id::text FROM people WHERE customer_id IS NOT NULL
), asked AS MATERIALIZED (
    SELECT DISTINCT kind, value, channel FROM addresses JOIN asking USING (id)
), given AS MATERIALIZED (
    SELECT DISTINCT kind, value FROM asked
), owners AS MATERIALIZED (
    SELECT a.kind, a.value, owner.id FROM given a, LATERAL (
        SELECT c.id FROM customers_customer c
        WHERE c.tenant_id = %(tenant)s AND a.kind = 'phone' AND c.phone = a.value
        UNION ALL
        SELECT c.id FROM customers_customer c
        WHERE c.tenant_id = %(tenant)s AND a.kind = 'email' AND c.email = a.value
        OFFSET 0
    ) AS owner
    UNION
    SELECT a.kind, a.value, p.customer_id FROM given a
    JOIN customers_contactpoint p
      ON p.tenant_id = %(tenant)s AND p.kind = a.kind AND p.value = a.value
    UNION
    SELECT kind, value, value::uuid FROM given WHERE kind = 'herself'
), judged AS MATERIALIZED (
    SELECT o.kind, o.value, state.* FROM owners o, LATERAL (
        SELECT said.customer_id, said.marketing_opted_out, {_GRANTED}
        FROM customers_consentstate said, customers_customer c
        WHERE said.customer_id = o.id AND c.id = o.id AND c.status = 'active'
        OFFSET 0
    ) AS state
), refused AS (
    SELECT kind, value, channel FROM asked JOIN judged USING (kind, value)
    WHERE marketing_opted_out
       OR (kind, channel) IN (VALUES {BY_KIND}, {BY_HERSELF}) AND {_WITHDREW}
    UNION
    SELECT kind, value, channel FROM asked
    WHERE EXISTS (SELECT FROM customers_suppression known
                  WHERE known.tenant_id = %(tenant)s AND known.reason IN ('opted_out', 'complaint')
                    AND known.address_hash = parlour_address_hash(%(tenant)s, asked.value))
)
SELECT DISTINCT id, channel
FROM addresses JOIN refused USING (kind, value) JOIN asking USING (id, channel)
"""  # noqa: S608  names of our own

_ROWS = ImportRow._meta.db_table
_OF_THE_FILE = f"""
WITH refusing AS (
    SELECT has.kind, has.value, on_it.channel, min(o.line) AS first, max(o.line) AS last
    FROM {_ROWS} o, LATERAL (VALUES ('phone', o.phone), ('email', o.email)) AS has(kind, value),
        (VALUES {BY_KIND}) AS on_it(kind, channel)
    WHERE o.tenant_id = %(tenant)s AND o.job_id = %(job)s AND o.outcome <> 'invalid'
      AND o.consents IS NOT NULL AND has.value <> ''
      AND (o.consents ->> '{OPT_OUT.name}' = 'true' OR on_it.kind = has.kind AND EXISTS (
          SELECT FROM jsonb_each_text(o.consents) AS word
          WHERE word.value = 'false' AND split_part(word.key, '_', 1) = on_it.channel))
    GROUP BY has.kind, has.value, on_it.channel
), noted AS (
    SELECT g.id, array_agg(DISTINCT '{PREFIX}' || yes.channel) AS problems
    FROM {_ROWS} g, LATERAL (VALUES ('phone', g.phone), ('email', g.email)) AS has(kind, value),
        LATERAL ({_YES}) AS yes, refusing
    WHERE g.tenant_id = %(tenant)s AND g.job_id = %(job)s
      AND g.outcome NOT IN ('invalid', 'duplicate') AND g.consents IS NOT NULL
      AND refusing.kind = has.kind AND refusing.value = has.value
      AND refusing.channel = yes.channel
      AND (refusing.first <> g.line OR refusing.last <> g.line)
    GROUP BY g.id
)
UPDATE {_ROWS} r SET problems = ARRAY(
    SELECT DISTINCT problem FROM unnest(r.problems || noted.problems) AS problem ORDER BY problem)
FROM noted WHERE noted.id = r.id AND r.tenant_id = %(tenant)s
"""  # noqa: S608
