"""What nobody waits for the answer of travels with the next statement, in its place and once."""

import math
import uuid
from contextlib import suppress
from types import SimpleNamespace

import psycopg
import pytest
from django.db import DataError, connection, transaction
from django.db.backends.postgresql.base import DatabaseWrapper

from marketing.core.models import Tenant
from marketing.core.postgresql import base
from marketing.core.prepared import ask_later, kept_cursor, send_later
from tests.template_database import admin_url

NOBODY = uuid.UUID(int=0)
RENAME = "UPDATE core_tenant SET name = %s WHERE id = %s"


@pytest.fixture(autouse=True)
def keeping(settings):
    settings.KEEP_STATEMENTS = True


@pytest.fixture
def chain(db):
    return Tenant.objects.create(name="Before", slug="chain")


def name_of(chain):
    return Tenant.objects.values_list("name", flat=True).get(pk=chain.pk)


def name_now(chain):
    with kept_cursor() as cursor:
        cursor.execute("SELECT name FROM core_tenant WHERE id = %s", [chain.pk])
        return cursor.fetchone()[0]


@pytest.mark.parametrize("read", [name_of, name_now])
def test_the_next_statement_sees_what_waited(chain, read):
    with transaction.atomic():
        send_later(RENAME, ["After", chain.pk])
        assert read(chain) == "After"


def test_nothing_is_sent_before_it_must_be(chain):
    with transaction.atomic():
        name_of(chain)
        send_later(RENAME, ["After", chain.pk])
        assert connection.has_waiting
        # Past Django, and so past what waits.
        row = connection.connection.execute("SELECT name FROM core_tenant").fetchone()
        assert row == ("Before",)


def test_a_cursor_opened_before_sees_what_waited(chain):
    with transaction.atomic(), connection.cursor() as cursor:
        send_later(RENAME, ["After", chain.pk])
        cursor.execute("SELECT name FROM core_tenant WHERE id = %s", [chain.pk])
        assert cursor.fetchone() == ("After",)


def test_a_savepoint_holds_for_a_cursor_opened_before(chain):
    with transaction.atomic(), connection.cursor() as cursor:
        with pytest.raises(DataError), transaction.atomic():
            cursor.execute("SELECT 1 / 0")
        assert name_of(chain) == "Before"


@pytest.mark.parametrize("others", [0, 1])
@pytest.mark.django_db(transaction=True)
def test_what_waited_is_committed(others):
    chain = Tenant.objects.create(name="Before", slug="chain")
    with transaction.atomic():
        for _ in range(others):
            name_of(chain)
        send_later(RENAME, ["After", chain.pk])
    with psycopg.connect(admin_url(), dbname=connection.settings_dict["NAME"]) as other:
        row = other.execute("SELECT name FROM core_tenant WHERE id = %s", [chain.pk]).fetchone()
    assert row == ("After",)
    assert name_of(chain) == "After"


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_waits():
    chain = Tenant.objects.create(name="Before", slug="chain")
    send_later(RENAME, ["After", chain.pk])
    with psycopg.connect(admin_url(), dbname=connection.settings_dict["NAME"]) as other:
        row = other.execute("SELECT name FROM core_tenant WHERE id = %s", [chain.pk]).fetchone()
    assert row == ("After",)


def test_without_kept_statements_nothing_waits(chain, settings):
    settings.KEEP_STATEMENTS = False
    with transaction.atomic():
        name_of(chain)
        send_later(RENAME, ["After", chain.pk])
        assert not connection.has_waiting
        assert name_of(chain) == "After"


NAME = "SELECT name FROM core_tenant WHERE id = %s"


@pytest.mark.parametrize("read", [name_of, name_now])
def test_what_is_asked_is_answered_with_the_next_statement(chain, read):
    with transaction.atomic():
        before = ask_later(NAME, [chain.pk])
        send_later(RENAME, ["After", chain.pk])
        after = ask_later(NAME, [chain.pk])
        assert read(chain) == "After"
        assert not connection.has_waiting
        assert (before.rows, after.rows) == ([("Before",)], [("After",)])


def test_what_is_asked_goes_at_once_where_it_is_read(chain):
    with transaction.atomic():
        send_later(RENAME, ["After", chain.pk])
        assert ask_later(NAME, [chain.pk]).rows == [("After",)]
        assert ask_later(NAME, [NOBODY]).rows == []


def test_what_is_asked_is_in_time_with_the_commit(chain):
    with transaction.atomic():
        asked = ask_later(NAME, [chain.pk])
    assert asked.rows == [("Before",)]


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_is_answered_at_once(settings, kept):
    settings.KEEP_STATEMENTS = kept
    chain = Tenant.objects.create(name="Before", slug="chain")
    asked = ask_later(NAME, [chain.pk])
    Tenant.objects.update(name="After")
    assert asked.rows == [("Before",)]


def test_what_was_taken_back_has_no_answer(chain):
    with transaction.atomic():
        with suppress(LookupError), transaction.atomic():
            asked = ask_later(NAME, [chain.pk])
            raise LookupError
        with pytest.raises(RuntimeError):
            len(asked.rows)


@pytest.mark.django_db(transaction=True)
def test_what_waited_is_forgotten_with_its_transaction():
    chain = Tenant.objects.create(name="Before", slug="chain")
    with transaction.atomic():
        send_later(RENAME, ["After", chain.pk])
        transaction.set_rollback(True)
    assert name_of(chain) == "Before"


def test_a_savepoint_takes_back_what_waited_since(chain):
    with transaction.atomic():
        send_later(RENAME, ["Outside", chain.pk])
        with transaction.atomic():
            send_later(RENAME, ["Inside", chain.pk])
            transaction.set_rollback(True)
        assert name_of(chain) == "Outside"


def test_a_savepoint_that_was_sent_takes_back_what_waited_since(chain):
    with transaction.atomic():
        with transaction.atomic():
            send_later(RENAME, ["Sent", chain.pk])
            assert name_now(chain) == "Sent"
            send_later(RENAME, ["Inside", chain.pk])
            transaction.set_rollback(True)
        assert name_now(chain) == "Before"


def divide(by):
    with kept_cursor() as cursor:
        cursor.execute("SELECT 42 / %s", [by])
        return cursor.fetchone()[0]


@transaction.atomic
def refused_before(_chain):
    send_later("SELECT 1 / %s", [0])
    divide(1)


@transaction.atomic
def refused_after(chain):
    send_later(RENAME, ["Inside", chain.pk])
    divide(0)


@transaction.atomic
def refused_before_much(_chain):
    """Its answer is there while the rest is still on its way."""
    send_later("SELECT 1 / %s", [0])
    with kept_cursor() as cursor:
        cursor.execute("SELECT length(%s)", ["x" * 20_000_000])


@transaction.atomic
def refused_and_noted(chain):
    try:
        divide(0)
    except DataError:
        send_later(RENAME, ["Inside", chain.pk])
        raise


@pytest.mark.parametrize(
    "refused", [refused_before, refused_before_much, refused_after, refused_and_noted]
)
def test_a_refusal_is_told_as_what_it_is_and_spoils_nothing(chain, refused):
    with transaction.atomic():
        with pytest.raises(DataError, match="division by zero"):
            refused(chain)
        assert divide(1) == 42
        assert name_now(chain) == "Before"


@transaction.atomic
def refused_at_the_end(chain):
    send_later(RENAME, ["After", chain.pk])
    send_later("SELECT 1 / %s", [0])


@pytest.mark.django_db(transaction=True)
def test_what_is_refused_with_the_commit_is_not_committed():
    chain = Tenant.objects.create(name="Before", slug="chain")
    with pytest.raises(DataError, match="division by zero"):
        refused_at_the_end(chain)
    assert not connection.in_atomic_block
    assert name_of(chain) == "Before"


@pytest.fixture
def asked(monkeypatch):
    """One for each time that the server was asked whether it is there."""
    times = []
    ask = DatabaseWrapper.is_usable

    def counted(database):
        times.append(1)
        return ask(database)

    monkeypatch.setattr(DatabaseWrapper, "is_usable", counted)
    return times


def test_a_server_that_answered_is_not_asked_again_within_a_minute(db, asked, monkeypatch):
    clock = [1_000.0]
    monkeypatch.setattr(base, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(connection, "_answered_at", -math.inf)
    for clock[0], times in ((1_000.0, 1), (1_059.0, 1), (1_061.0, 2), (1_062.0, 2)):
        assert connection.is_usable()
        assert len(asked) == times


@pytest.mark.django_db(transaction=True)
def test_the_socket_tells_whether_the_server_has_gone():
    with kept_cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        process = cursor.fetchone()[0]
    # Once it has answered; what it says then is heard at once.
    assert connection.is_usable()
    with psycopg.connect(admin_url(), autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
    assert not connection.is_usable()
    connection.close()
