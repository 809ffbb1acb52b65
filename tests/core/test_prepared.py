"""Statements kept on the server, and connections that it has closed meanwhile."""

import psycopg
import pytest
from django.db import DataError, connection, transaction

from marketing.core.models import Tenant
from marketing.core.prepared import keep_statements, kept_cursor
from marketing.core.tenancy import tenant_scope
from tests.template_database import admin_url


def process_of_the_server():
    with kept_cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_the_first_statement_of_a_request_survives_a_restart_of_the_server(settings, monkeypatch):
    settings.KEEP_STATEMENTS = True
    monkeypatch.setattr(connection, "health_check_enabled", True)
    before = process_of_the_server()
    with psycopg.connect(admin_url(), autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [before])
    # As each request begins.
    connection.close_if_unusable_or_obsolete()
    assert process_of_the_server() != before


def test_a_statement_inside_another_has_a_cursor_of_its_own(db, settings):
    settings.KEEP_STATEMENTS = True
    with kept_cursor() as outer:
        outer.execute("SELECT * FROM generate_series(1, 3)")
        seen = []
        for (number,) in outer:
            with kept_cursor() as inner:
                inner.execute("SELECT %s * 10", [number])
                seen.append(inner.fetchone()[0])
    assert seen == [10, 20, 30]


def test_the_next_statement_has_the_cursor_of_the_last_one(db, settings):
    settings.KEEP_STATEMENTS = True
    with kept_cursor() as first, kept_cursor() as second:
        assert first.cursor is not second.cursor
    with kept_cursor() as third, kept_cursor() as fourth:
        assert {third.cursor, fourth.cursor} == {first.cursor, second.cursor}


def test_a_refused_statement_spoils_nothing_for_the_next_one(db, settings):
    settings.KEEP_STATEMENTS = True
    with pytest.raises(DataError), transaction.atomic(), kept_cursor() as cursor:
        cursor.execute("SELECT 1 / %s", [0])
    with kept_cursor() as cursor:
        cursor.execute("SELECT 1 / %s", [1])
        assert cursor.fetchone() == (1,)


# Of a partitioned table, so that a plan for the value at hand always looks cheaper.
ASKED = "SELECT count(*) FROM core_auditentry WHERE id = %s"
PLANS = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE %s"


def plans_after(chain, times):
    with tenant_scope(chain.pk), kept_cursor() as cursor:
        for _ in range(times):
            cursor.execute(ASKED, [chain.pk])
        cursor.execute(PLANS, [ASKED.replace("%s", "$1")])
        return cursor.fetchone()


@pytest.fixture
def chain(db, settings):
    settings.KEEP_STATEMENTS = True
    return Tenant.objects.create(name="Chain", slug="chain")


def test_a_kept_statement_is_planned_once(chain):
    assert plans_after(chain, 9) == (9, 0)


def test_who_keeps_all_statements_is_left_to_the_planner(chain, monkeypatch):
    monkeypatch.setattr(connection, "settings_dict", connection.settings_dict)
    keep_statements(connection)
    generic, custom = plans_after(chain, 9)
    assert (generic + custom, custom >= 5) == (9, True)
