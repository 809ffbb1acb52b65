"""Append tables: a partition for each month, made ahead, without foreign keys."""

import datetime as dt

import pytest
from django.db import ProgrammingError, connection, transaction

from marketing.core import ids, partitions
from marketing.core.models import DomainEvent
from marketing.core.tenancy import current_tenant_id


def query(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def partition_of(pk):
    return query("SELECT tableoid::regclass::text FROM core_domainevent WHERE id = %s", pk)[0][0]


def event_made_at(moment):
    """An event whose id says it was made then."""
    pk = ids.lower_bound(moment)
    return DomainEvent.objects.create(pk=pk, name="test", occurred_at=moment)


def test_a_row_lands_in_the_month_its_id_says(chain):
    now = dt.datetime.now(dt.UTC)
    event = DomainEvent.objects.create(name="test", occurred_at=now)
    assert partition_of(event.pk) == f"core_domainevent_{now:%Y%m}"


def test_months_are_divided_at_midnight_utc(chain):
    partitions.ensure_partitions(dt.date(2024, 1, 1), dt.date(2024, 2, 1))
    february = dt.datetime(2024, 2, 1, tzinfo=dt.UTC)
    before = event_made_at(february - dt.timedelta(milliseconds=1))
    after = event_made_at(february)
    assert partition_of(before.pk) == "core_domainevent_202401"
    assert partition_of(after.pk) == "core_domainevent_202402"


def test_making_them_again_makes_none(db):
    since, until = dt.date(2023, 5, 17), dt.date(2023, 7, 2)
    made = "SELECT ensure_partitions('core_domainevent', %s, %s)"
    assert query(made, since, until) == [(3,)]
    assert query(made, since, until) == [(0,)]


def test_a_new_month_has_its_tables_settings(db):
    settings = "SELECT reloptions FROM pg_class WHERE oid = %s::regclass"
    partitions.ensure_partitions(dt.date(2022, 4, 1), dt.date(2022, 4, 1))
    for table, setting in (
        ("core_domainevent", "autovacuum_analyze_threshold=50000"),
        ("delivery_message", "fillfactor=50"),
    ):
        ((made,),) = query(settings, f"{table}_202204")
        assert [(made,)] == query(settings, f"{table}_default")
        assert setting in made


def test_only_append_tables_are_given_partitions(db):
    with pytest.raises(ProgrammingError, match="not an append table"), transaction.atomic():
        query("SELECT ensure_partitions('core_user', '2024-01-01', '2024-01-01')")


def test_a_row_of_a_month_that_is_missing_raises_an_alarm(chain, caplog):
    assert partitions.keep_ahead() == []
    event = event_made_at(dt.datetime(2019, 3, 1, tzinfo=dt.UTC))
    assert partition_of(event.pk) == "core_domainevent_default"
    assert partitions.keep_ahead() == ["core_domainevent"]
    assert "core_domainevent" in caplog.text


def test_three_months_ahead_are_ready(db):
    today = dt.date.today()
    later = (today.replace(day=1) + dt.timedelta(days=31 * 3)).strftime("%Y%m")
    for table in partitions.append_tables():
        assert query("SELECT to_regclass(%s) IS NOT NULL", f"{table}_{later}") == [(True,)], table


def test_no_database_foreign_key_touches_an_append_table(db):
    keys = query(
        "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint"
        " WHERE contype = 'f' AND (conrelid::regclass::text = ANY(%s)"
        " OR confrelid::regclass::text = ANY(%s))",
        partitions.append_tables(),
        partitions.append_tables(),
    )
    assert keys == []


def test_the_application_may_not_change_the_schema(chain):
    for statement in ("CREATE TABLE mine (id int)", "TRUNCATE core_domainevent"):
        with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert current_tenant_id() == chain.tenant.pk
