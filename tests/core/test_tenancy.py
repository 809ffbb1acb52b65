"""Two walls around a tenant's rows: managers that raise, and row-level security."""

import pytest
from django.apps import apps
from django.db import connection

from marketing.core.models import Region, Tenant
from marketing.core.tenancy import TenantScopeMissing, current_tenant_id, tenant_scope
from tests.factories.customers import CustomerFactory

GLOBAL_TABLES = {
    "core_user",
    "core_apikey",
    "core_eventdelivery",
    "delivery_dispatchbatch",
    "delivery_trackedlink",
    "policy_webhookaddress",
}


@pytest.fixture
def chains(db):
    return Tenant.objects.create(name="A", slug="a"), Tenant.objects.create(name="B", slug="b")


def test_reading_outside_a_scope_raises(db):
    with pytest.raises(TenantScopeMissing):
        Region.objects.count()


def test_scope_shows_own_rows_and_restores_the_former(chains):
    one, other = chains
    with tenant_scope(one.pk):
        Region.objects.create(name="North")
        with tenant_scope(other.pk):
            assert Region.objects.count() == 0
            assert current_tenant_id() == other.pk
        assert Region.objects.count() == 1


def test_row_level_security_hides_rows_from_raw_sql(chains):
    one, other = chains
    with tenant_scope(one.pk):
        Region.objects.create(name="North")
    with tenant_scope(other.pk), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM core_region")
        assert cursor.fetchone() == (0,)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM core_region")
        assert cursor.fetchone() == (0,)


def test_a_kept_row_is_what_the_orm_reads(chain):
    customer = CustomerFactory(tags=["vip"], attributes={"tea": "मसाला"}, birth_date="1990-02-28")
    for row in (customer, chain.north):
        names = [field.attname for field in row._meta.concrete_fields]
        kept, read = type(row).objects.kept(row.pk), type(row).objects.get(pk=row.pk)
        assert [getattr(kept, name) for name in names] == [getattr(read, name) for name in names]
        assert not kept._state.adding


def test_a_kept_row_of_another_chain_is_not_there(chains):
    one, other = chains
    with tenant_scope(one.pk):
        region = Region.objects.create(name="North")
        assert Region.objects.kept(region.pk) == region
    with tenant_scope(other.pk):
        assert Region.objects.kept(region.pk) is None
    with pytest.raises(TenantScopeMissing):
        Region.objects.kept(region.pk)


def test_every_table_of_a_tenant_has_a_forced_policy(db):
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname FROM pg_class c
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
            WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
              AND c.relnamespace = 'public'::regnamespace
              AND NOT (c.relrowsecurity AND c.relforcerowsecurity
                       AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))
            """
        )
        assert {name for (name,) in cursor.fetchall()} == GLOBAL_TABLES


def test_the_application_reaches_partitions_through_their_parent_only(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'"
            " AND has_table_privilege(current_user, oid, 'SELECT')"
        )
        assert cursor.fetchall() == []


def test_ids_are_made_by_the_database_in_order(chains):
    with tenant_scope(chains[0].pk):
        made = Region.objects.bulk_create([Region(name=str(i)) for i in range(100)])
    assert [region.pk for region in made] == sorted(region.pk for region in made)
    assert {region.pk.version for region in made} == {7}


def test_all_apps_are_installed():
    assert apps.is_installed("customers")
