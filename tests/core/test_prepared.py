"""Statements kept on the server, and connections that it has closed meanwhile."""

import psycopg
import pytest
from django.db import connection

from marketing.core.prepared import kept_cursor
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
