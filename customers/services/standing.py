"""Who stands for a customer now: she herself, or whom she was merged into.

Whoever locks several rows of merged people locks the survivor first, and the merged one only
after she is found to have survived: a merge that holds the survivor moves the rows that were
merged into her before.
"""

import uuid
from collections.abc import Collection, Iterable

from customers.models import Customer
from marketing.core.postgresql.base import Answer
from marketing.core.prepared import ask_later, kept_cursor

LOCK = """
SELECT id FROM customers_customer WHERE id = ANY(%s) AND status <> 'merged'
ORDER BY id FOR KEY SHARE
"""
# Of this mode there is one at a time.
ALONE = LOCK.replace("FOR KEY SHARE", "FOR NO KEY UPDATE")
FOLLOW = """
WITH RECURSIVE followed (id, now, steps) AS (
    SELECT id, id, 0 FROM customers_customer WHERE id = ANY(%s)
    UNION ALL
    SELECT followed.id, customer.merged_into_id, steps + 1
    FROM followed JOIN customers_customer customer ON customer.id = followed.now
    WHERE customer.status = 'merged'
)
SELECT DISTINCT ON (id) id, now FROM followed ORDER BY id, steps DESC
"""


def standing_ids(
    customer_ids: Iterable[uuid.UUID], *, alone: bool = False
) -> dict[uuid.UUID, uuid.UUID]:
    """For each of these customers, who stands for her until the transaction ends.

    Waits for a merge that is under way, and holds up the next one: what is then written for
    whom this names is moved by every merge that comes later. `alone` waits for whoever else
    writes for her, too.
    """
    standing = {pk: pk for pk in customer_ids}
    unsure = set(standing)
    while unsure:
        held = _lock({standing[pk] for pk in unsure}, ALONE if alone else LOCK)
        others = {pk for pk in unsure if standing[pk] != pk or pk not in held}
        # Read after the lock was had: another merge or its undoing may have been faster.
        now = _followed(others) if others else {}
        unsure = {pk for pk in others if now.get(pk, pk) != standing[pk]}
        standing |= now
    return standing


def ask_to_stand(customer_id: uuid.UUID) -> Answer:
    """Hold her with the next statement, if she stands for herself; else no row is answered.

    Then nothing is held: `standing_ids` says who stands for her.
    """
    return ask_later(LOCK, [[customer_id]])


def followed(customer_id: uuid.UUID) -> uuid.UUID:
    """Who stands for the customer at this moment, without holding up anybody."""
    return _followed([customer_id]).get(customer_id, customer_id)


def standing(customer: Customer, *, alone: bool = False) -> Customer:
    """Who stands for the customer now, as `standing_ids` says."""
    pk = standing_ids([customer.pk], alone=alone)[customer.pk]
    return customer if pk == customer.pk else Customer.objects.get(pk=pk)


def _lock(customer_ids: Collection[uuid.UUID], statement: str) -> set[uuid.UUID]:
    with kept_cursor() as cursor:
        cursor.execute(statement, [sorted(customer_ids)])
        return {pk for (pk,) in cursor.fetchall()}


def _followed(customer_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    with kept_cursor() as cursor:
        cursor.execute(FOLLOW, [sorted(customer_ids)])
        return dict(cursor.fetchall())
