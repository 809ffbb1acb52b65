"""Every test runs on real PostgreSQL as the unprivileged role; the owner migrates and flushes."""

import datetime as dt
import gc
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.dispatch import Signal
from django.template import Context, Template
from django.test import Client, TransactionTestCase
from django.test import client as test_client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from django.utils.crypto import get_random_string
from psycopg import sql

import config.celery  # noqa: F401  tasks find their broker through it
from marketing.core.actor import Actor
from marketing.core.models import User
from marketing.core.tenancy import tenant_scope
from tests.factories.core import Chain, make_chain
from tests.template_database import admin_url, close_all, migrated_template, point_django_at

ROOT = Path(__file__).resolve().parent.parent
KEPT_TABLES = {"django_migrations", "django_content_type", "auth_permission"}


# Nothing of what is loaded and collected goes: the collector of garbage need not look for it.
gc.disable()
# No example is judged by its speed either.
hypothesis.settings.register_profile(
    "patient",
    hypothesis.settings.default,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("patient")

TEMPLATE = pytest.StashKey[subprocess.Popen[bytes]]()


def pytest_sessionstart(session: pytest.Session) -> None:
    """The template is begun at once, by the process that only hands out tests, before they do."""
    config = session.config
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        command = [sys.executable, "-m", "tests.template_database"]
        config.stash[TEMPLATE] = subprocess.Popen(command, cwd=ROOT)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first: the last of them would leave all other processes without work."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector of garbage need not look through it each time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()


def pytest_runtest_setup() -> None:
    """In the default language, whatever the page before left behind."""
    translation.deactivate()


def pytest_sessionfinish(session: pytest.Session) -> None:
    if making := session.config.stash.get(TEMPLATE, None):
        making.terminate()
        making.wait()


@pytest.fixture(scope="session", autouse=True)
def counts_begin_and_end_with_nothing_waiting() -> Iterator[None]:
    """What waits for the next statement is counted where it was said."""
    enter, leave = CaptureQueriesContext.__enter__, CaptureQueriesContext.__exit__
    captured = CaptureQueriesContext.captured_queries

    def send(count: CaptureQueriesContext) -> None:
        count.connection.cursor().close()

    def send_and_enter(count: CaptureQueriesContext) -> CaptureQueriesContext:
        send(count)
        return enter(count)

    def send_and_tell(count: CaptureQueriesContext) -> Any:
        if count.final_queries is None:
            send(count)
        return captured.fget(count)

    def send_and_leave(count: CaptureQueriesContext, *error: Any) -> None:
        if error == (None, None, None):
            send(count)
        leave(count, *error)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CaptureQueriesContext, "__enter__", send_and_enter)
        patch.setattr(CaptureQueriesContext, "captured_queries", property(send_and_tell))
        patch.setattr(CaptureQueriesContext, "__exit__", send_and_leave)
        yield


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_blocker: pytest.FixtureRequest, request: pytest.FixtureRequest
) -> Iterator[None]:
    """A database of this process's own, copied from a template that holds the migrations."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    name = f"parlour_test_{os.getpid()}_{worker}"
    with django_db_blocker.unblock():
        template = migrated_template()
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        with psycopg.connect(admin_url(), autocommit=True) as admin:
            # A process of this number may have been killed.
            admin.execute(drop)
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER parlour_owner").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        point_django_at(name)
        yield
        close_all()
        if _cleaner.cache_info().currsize:
            _cleaner(name).close()
        with psycopg.connect(admin_url(), autocommit=True) as admin:
            admin.execute(drop)


@cache
def _cleaner(database: str) -> psycopg.Connection[Any]:
    """A connection whose `pg_temp.empty_all_tables()` is planned once for all tests.

    Without triggers, and so without checks of keys, rows go in any order.
    """
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    deletes = sql.SQL("; ").join(
        sql.SQL("DELETE FROM {}").format(sql.Identifier(table))
        for table in sorted(tables - KEPT_TABLES)
    )
    connection = psycopg.connect(admin_url(), dbname=database, autocommit=True)
    connection.execute("SET session_replication_role = replica")
    connection.execute(
        sql.SQL(
            "CREATE FUNCTION pg_temp.empty_all_tables() RETURNS void LANGUAGE plpgsql"
            " AS $$ BEGIN {}; END $$"
        ).format(deletes)
    )
    return connection


def _empty_all_tables(self: TransactionTestCase) -> None:
    """The flush after a transactional test, in a fiftieth of the time of a TRUNCATE.

    A TRUNCATE makes new files for each of the tables and their indexes, however few rows there
    are.
    """
    _cleaner(settings.DATABASES["default"]["NAME"]).execute("SELECT pg_temp.empty_all_tables()")


TransactionTestCase._fixture_teardown = _empty_all_tables  # type: ignore[method-assign]


_store_rendered_template = test_client.store_rendered_templates


def _store_rendered_page(
    store: dict[str, Any],
    signal: Signal,
    sender: Template,
    template: Template,
    context: Context,
    **options: Any,
) -> None:
    """What `response.context` is made of: pages and their parts, but none of a hundred buttons.

    The client copies the context of each, which takes a twentieth of a page's time.
    """
    if not (template.name or "").startswith(("components/", "django/forms/widgets/")):
        _store_rendered_template(store, signal, sender, template, context, **options)


test_client.store_rendered_templates = _store_rendered_page


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


def logged_in(user: User) -> Client:
    """A browser with a session of this user's, by the one row that a page asks for.

    `force_login` also looks for a free key, writes the row twice and dates the user's last login:
    all tests' pages together would wait for that longer than for most of their own questions.
    """
    kept = {
        SESSION_KEY: str(user.pk),
        BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[-1],
        HASH_SESSION_KEY: user.get_session_auth_hash(),
    }
    session = Session.objects.create(
        session_key=get_random_string(32),
        session_data=SessionStore().encode(kept),
        expire_date=timezone.now() + dt.timedelta(seconds=settings.SESSION_COOKIE_AGE),
    )
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return client


@pytest.fixture
def login(chain: Chain) -> Callable[[str], Client]:
    """`login("manager")` is a browser in which that member of the chain's staff is logged in."""

    def client_of(staff: str) -> Client:
        return logged_in(getattr(chain, staff).user)

    return client_of
