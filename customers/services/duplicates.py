"""Who may be in the base twice: looked for at night, put aside by staff."""

from typing import Any

from django.db import connection, transaction

from customers.models import Customer, DuplicatePair
from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id

# An address of more people than that is a switchboard's or a placeholder, and tells nothing.
SHARED_BY = 6
# Where more people of a branch than that begin alike, only those are compared whose first name
# and the letter after it are the same.
CROWD = 100
ALIKE, MUCH_ALIKE = 0.4, 0.5
MOST = 20_000

# Names are compared only within small groups: all pairs of a million would be 10^12.
# Families share phones and mailboxes, so that an address alone is not enough: the names must
# have something in common. Two who are alike in name and branch are one only where nothing
# speaks against it: at least one has no phone, and no birthday differs.
FIND = """
WITH person AS MATERIALIZED (
    SELECT *, CASE WHEN count(*) OVER (PARTITION BY home_branch_id, left(spelt, 4)) > %(crowd)s
                   THEN substring(spelt FROM '^[^ ]+ ?.?') ELSE left(spelt, 4) END AS start
    FROM (SELECT id, coalesce(search_key, search_name) AS spelt, birth_date, home_branch_id, phone
          FROM customers_customer WHERE tenant_id = %(tenant)s AND status = 'active') AS customer
), address AS (
    SELECT customer_id AS id, kind, value FROM customers_contactpoint
    WHERE tenant_id = %(tenant)s AND kind IN ('phone', 'email')
    UNION
    SELECT id, 'phone', phone FROM customers_customer
    WHERE tenant_id = %(tenant)s AND status = 'active' AND phone <> ''
    UNION
    SELECT id, 'email', email FROM customers_customer
    WHERE tenant_id = %(tenant)s AND status = 'active' AND email <> ''
), shared AS MATERIALIZED (
    SELECT kind, value, array_agg(id ORDER BY id) AS ids FROM address
    GROUP BY kind, value HAVING count(*) BETWEEN 2 AND %(shared_by)s
), by_address AS (
    SELECT a.id AS first, b.id AS second, kind AS reason,
           word_similarity(split_part(a.spelt, ' ', 1), b.spelt) AS likeness
    FROM shared
    CROSS JOIN LATERAL unnest(ids) AS one(id) CROSS JOIN LATERAL unnest(ids) AS two(id)
    JOIN person a ON a.id = one.id JOIN person b ON b.id = two.id
    WHERE one.id < two.id
), by_birth_date AS (
    SELECT a.id, b.id, 'birth_date', similarity(a.spelt, b.spelt)
    FROM person a JOIN person b ON a.birth_date = b.birth_date
        AND left(a.spelt, 1) = left(b.spelt, 1) AND a.id < b.id
), by_branch AS (
    SELECT least(a.id, b.id), greatest(a.id, b.id), 'branch',
           similarity(a.spelt, b.spelt)
    FROM person a JOIN person b ON a.home_branch_id = b.home_branch_id
        AND a.start = b.start AND a.id <> b.id
    WHERE a.phone = '' AND (b.phone <> '' OR a.id < b.id)
      AND (a.birth_date = b.birth_date) IS NOT FALSE
), found AS (
    SELECT first, second, reason, likeness FROM by_address WHERE likeness >= %(alike)s
    UNION ALL SELECT * FROM by_birth_date AS d(first, second, reason, likeness)
        WHERE likeness >= %(much_alike)s
    UNION ALL SELECT * FROM by_branch AS h(first, second, reason, likeness)
        WHERE likeness >= %(much_alike)s
)
INSERT INTO customers_duplicatepair (tenant_id, first_id, second_id, reasons, score)
SELECT %(tenant)s, first, second, array_agg(DISTINCT reason ORDER BY reason),
       (30 * count(DISTINCT reason) + 10 * max(likeness))::int AS score
FROM found GROUP BY first, second ORDER BY score DESC, first LIMIT %(most)s
ON CONFLICT (tenant_id, first_id, second_id)
DO UPDATE SET reasons = excluded.reasons, score = excluded.score
"""
# Dismissed ones stay dismissed; the others are looked for anew.
FORGET = """
DELETE FROM customers_duplicatepair WHERE tenant_id = %(tenant)s AND dismissed_at IS NULL
"""
CARRY_OVER = """
INSERT INTO customers_duplicatepair
    (tenant_id, first_id, second_id, reasons, score, dismissed_at, dismissed_by_id)
SELECT tenant_id, least(third, %(keep)s), greatest(third, %(keep)s), reasons, score,
       dismissed_at, dismissed_by_id
FROM (
    SELECT *, CASE first_id WHEN %(other)s THEN second_id ELSE first_id END AS third
    FROM customers_duplicatepair
    WHERE %(other)s IN (first_id, second_id) AND dismissed_at IS NOT NULL
) pair WHERE third <> %(keep)s
ON CONFLICT (tenant_id, first_id, second_id)
DO UPDATE SET dismissed_at = excluded.dismissed_at, dismissed_by_id = excluded.dismissed_by_id
"""


@transaction.atomic
def find_duplicates() -> int:
    """Look for pairs in the whole base of the open tenant; returns how many stand open."""
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "shared_by": SHARED_BY,
        "crowd": CROWD,
        "alike": ALIKE,
        "much_alike": MUCH_ALIKE,
        "most": MOST,
    }
    with connection.cursor() as cursor:
        cursor.execute(FORGET, values)
        cursor.execute(FIND, values)
    return DuplicatePair.objects.filter(dismissed_at=None).count()


@transaction.atomic
def dismiss_duplicate(*, actor: Actor, pair: DuplicatePair) -> None:
    """They are two people: do not suggest them again."""
    actor.require("customer.merge")
    dismiss_pair(actor=actor, one=pair.first, another=pair.second)
    audit.record(actor, "customer.not_duplicate", pair.first, {"other": str(pair.second_id)})


def dismiss_pair(*, actor: Actor, one: Customer, another: Customer) -> None:
    """The same, in the caller's transaction."""
    first, second = sorted((one, another), key=lambda customer: customer.pk)
    DuplicatePair.objects.update_or_create(
        first=first,
        second=second,
        defaults={"dismissed_at": clock.now(), "dismissed_by": actor.user},
        create_defaults={
            "dismissed_at": clock.now(),
            "dismissed_by": actor.user,
            "reasons": [],
            "score": 0,
        },
    )


def merge_pairs(*, keep: Customer, other: Customer) -> None:
    """Who was told apart from `other` is told apart from `keep`; in the merge's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(CARRY_OVER, {"keep": keep.pk, "other": other.pk})
