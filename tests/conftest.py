"""Every test runs on real PostgreSQL as the unprivileged role; the owner migrates and flushes."""

import gc
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client, TransactionTestCase
from psycopg import sql

import config.celery  # noqa: F401  tasks find their broker through it
from marketing.core.actor import Actor
from marketing.core.tenancy import tenant_scope
from tests.factories.core import Chain, make_chain
from tests.template_database import admin_url, close_all, migrated_template, point_django_at

ROOT = Path(__file__).resolve().parent.parent
KEPT_TABLES = {"django_migrations", "django_content_type", "auth_permission"}


TEMPLATE = pytest.StashKey[subprocess.Popen[bytes]]()


def pytest_sessionstart(session: pytest.Session) -> None:
    """The template is begun at once, by the process that only hands out tests, before they do."""
    config = session.config
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        command = [sys.executable, "-m", "tests.template_database"]
        config.stash[TEMPLATE] = subprocess.Popen(command, cwd=ROOT)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector of garbage need not look through it each time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if making := session.config.stash.get(TEMPLATE, None):
        making.terminate()
        making.wait()


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_blocker: pytest.FixtureRequest, request: pytest.FixtureRequest
) -> Iterator[None]:
    """A database of this process's own, copied from a template that holds the migrations."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    name = f"parlour_test_{os.getpid()}_{worker}"
    with django_db_blocker.unblock():
        template = migrated_template()
        with psycopg.connect(admin_url(), autocommit=True) as admin:
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER parlour_owner").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        point_django_at(name)
        yield
        close_all()
        with psycopg.connect(admin_url(), autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


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
