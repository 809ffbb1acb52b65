"""Every test runs on real PostgreSQL as the unprivileged role; the owner migrates and flushes."""

import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.test import Client, TransactionTestCase
from psycopg import sql

import config.celery  # noqa: F401  tasks find their broker through it
from config.prepare_database import prepare
from marketing.core.actor import Actor
from marketing.core.tenancy import tenant_scope
from tests.factories.core import Chain, make_chain

ROOT = Path(__file__).resolve().parent.parent
KEPT_TABLES = {"django_migrations", "django_content_type", "auth_permission"}


def admin_url() -> str:
    return os.environ["DATABASE_ADMIN_URL"]


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_blocker: pytest.FixtureRequest, request: pytest.FixtureRequest
) -> Iterator[None]:
    """A database of this process's own, copied from a template that holds the migrations."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    name = f"parlour_test_{os.getpid()}_{worker}"
    with django_db_blocker.unblock():
        template = _migrated_template()
        with psycopg.connect(admin_url(), autocommit=True) as admin:
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER parlour_owner").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        _point_django_at(name)
        yield
        _close()
        with psycopg.connect(admin_url(), autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _migrated_template() -> str:
    """The name of a database with all migrations applied, made once per state of them."""
    digest = hashlib.sha256()
    for path in sorted(
        [
            *ROOT.glob("marketing/**/migrations/*.py"),
            *ROOT.glob("*/migrations/*.py"),
            ROOT / "marketing/core/migration_operations.py",
            ROOT / "config/prepare_database.py",
        ]
    ):
        digest.update(path.read_bytes())
    name = f"parlour_template_{digest.hexdigest()[:12]}"
    with psycopg.connect(admin_url(), autocommit=True) as admin:
        admin.execute("SELECT pg_advisory_lock(7391)")
        known = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if known.fetchone() is None:
            half = f"{name}_half"
            admin.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(half))
            )
            admin.execute(
                sql.SQL("CREATE DATABASE {} OWNER parlour_owner").format(sql.Identifier(half))
            )
            with psycopg.connect(admin_url(), dbname=half, autocommit=True) as inside:
                prepare(inside)
            _point_django_at(half)
            call_command("migrate", verbosity=0)
            _close()
            admin.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(half), sql.Identifier(name)
                )
            )
    return name


def _point_django_at(name: str) -> None:
    _close()
    for alias in settings.DATABASES:
        settings.DATABASES[alias]["NAME"] = name
        connections[alias].settings_dict["NAME"] = name


def _close() -> None:
    for connection in connections.all():
        connection.close()


def _empty_all_tables(self: TransactionTestCase) -> None:
    """The flush after a transactional test, in a fiftieth of the time of a TRUNCATE.

    A TRUNCATE makes new files for each of the tables and their indexes, however few rows there
    are. Without triggers, and so without checks of keys, rows go in any order.
    """
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    with psycopg.connect(
        admin_url(), dbname=settings.DATABASES["default"]["NAME"], autocommit=True
    ) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            sql.SQL("; ").join(
                sql.SQL("DELETE FROM {}").format(sql.Identifier(table))
                for table in sorted(tables - KEPT_TABLES)
            )
        )


TransactionTestCase._fixture_teardown = _empty_all_tables  # type: ignore[method-assign]


@pytest.fixture
def scope() -> Iterator[Callable[[uuid.UUID], None]]:
    """Open a tenant scope for the rest of the test: `scope(tenant.pk)`."""
    with ExitStack() as stack:
        yield lambda tenant_id: stack.enter_context(tenant_scope(tenant_id))


@pytest.fixture
def chain(db: None, scope: Callable[[uuid.UUID], None]) -> Chain:
    """A chain with staff, its tenant scope open for the whole test."""
    made = make_chain()
    scope(made.tenant.pk)
    return made


@pytest.fixture
def other_chain(db: None) -> Chain:
    """Another tenant, whose things must stay invisible; its scope is not open."""
    return make_chain()


@pytest.fixture
def manager(chain: Chain) -> Actor:
    """The branch's manager, as services take her."""
    return chain.actor(chain.manager)


@pytest.fixture
def login(chain: Chain) -> Callable[[str], Client]:
    """`login("manager")` is a browser in which that member of the chain's staff is logged in."""

    def client_of(staff: str) -> Client:
        client = Client()
        client.force_login(getattr(chain, staff).user)
        return client

    return client_of
