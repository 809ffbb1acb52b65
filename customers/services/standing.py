"""Who stands for a customer now: she herself, or whom she was merged into."""

import uuid
from collections.abc import Iterable

from django.db import connection

from customers.models import Customer

LOCK = """
SELECT id, CASE status WHEN 'merged' THEN merged_into_id END FROM customers_customer
WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE
"""


def standing_ids(customer_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """For each of these customers, who stands for her until the transaction ends.

    Waits for a merge that is under way, and holds up the next one: what is then written for
    whom this names is moved by every merge that comes later.
    """
    standing = {pk: pk for pk in customer_ids}
    unsure = set(standing)
    while unsure:
        with connection.cursor() as cursor:
            cursor.execute(LOCK, [sorted(unsure)])
            merged = {pk: into for pk, into in cursor.fetchall() if into}
        standing = {pk: merged.get(now, now) for pk, now in standing.items()}
        unsure = set(merged.values())
    return standing


def standing(customer: Customer) -> Customer:
    """Who stands for the customer now, as `standing_ids` says."""
    pk = standing_ids([customer.pk])[customer.pk]
    return customer if pk == customer.pk else Customer.objects.get(pk=pk)
