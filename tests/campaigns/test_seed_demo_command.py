"""The command that makes the demo chain: once, and the same people from the same seed."""

import hashlib
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from customers.models import Customer
from marketing.campaigns.demo import make_demo
from marketing.campaigns.demo.organisation import PASSWORD, logins
from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope
from tests.factories.core import Chain


def rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def fingerprint(seed: int) -> str:
    """What a seed draws, without ids, which differ from one making to the next."""
    with transaction.atomic():
        with tenant_scope(make_demo(customers=300, seed=seed).pk):
            drawn = rows(
                """
                SELECT c.external_id, c.first_name, c.last_name, c.phone, c.email, c.birth_date,
                       c.language, c.tags, c.attributes, s.whatsapp_basis, f.visit_count,
                       f.total_spend
                FROM customers_customer c
                JOIN customers_consentstate s ON s.customer_id = c.id
                JOIN customers_customerfacts f ON f.customer_id = c.id ORDER BY 1
                """
            )
        transaction.set_rollback(True)
    return hashlib.sha256(repr(drawn).encode()).hexdigest()


def test_the_same_seed_makes_the_same_people(db):
    first = fingerprint(7)
    assert fingerprint(7) == first
    assert fingerprint(8) != first


def seed_demo(**options: Any) -> str:
    output = io.StringIO()
    call_command("seed_demo", stdout=output, **options)
    return output.getvalue()


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_the_command_makes_one_chain_and_tells_its_logins_each_time():
    # Of all but the months' partitions, which the command adds.
    listing = r"SELECT indexdef FROM pg_indexes WHERE tablename ~ '^customers_\D+$' ORDER BY 1"
    indexes = rows(listing)
    told = seed_demo(customers=40, once=True)
    assert rows(listing) == indexes
    assert rows("SELECT count(*) FROM pg_index WHERE indisclustered") == [(0,)]
    assert PASSWORD in told
    assert all(username in told for username, _ in logins())
    assert seed_demo(customers=40, once=True) == told
    tenant = Tenant.objects.get()
    with tenant_scope(tenant.pk):
        assert Customer.objects.count() == 40
    with pytest.raises(CommandError, match="there already"):
        seed_demo(customers=40)


def test_once_leaves_another_chain_alone(chain: Chain, scope: Callable[..., None]):
    assert seed_demo(customers=40, once=True) == ""
    assert Tenant.objects.count() == 1
