"""The database that each process of the tests copies: empty, with all migrations applied.

`python -m tests.template_database` makes it; while it does, the processes collect their tests.
"""

import gc
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import django
import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.migrations import state
from psycopg import sql

from config.prepare_database import prepare

ROOT = Path(__file__).resolve().parent.parent


TENANT = ("core", "tenant")


@contextmanager
def tenant_drawn_once() -> Iterator[None]:
    """Apply migrations in half of the time, to the same database.

    Django draws a model that changes anew with all that are related to it, and by the tenant
    nearly all are. Here a change of another model leaves the tenant's as it was drawn.
    """
    related_to, to_draw = state._get_related_models, state.ProjectState._find_reload_model

    def key(model: Any) -> tuple[str, str]:
        return model._meta.app_label, model._meta.model_name

    def related_but_by_tenant(model: Any) -> list[Any]:
        found = [] if key(model) == TENANT else related_to(model)
        return [other for other in found if key(other) != TENANT]

    def without_tenant(self: Any, app: str, model: str, delay: bool = False) -> set[Any]:
        if (app, model) == TENANT:
            return to_draw(self, app, model, delay)
        with mock.patch.object(state, "_get_related_models", related_but_by_tenant):
            return to_draw(self, app, model, delay) - {TENANT}

    with mock.patch.object(state.ProjectState, "_find_reload_model", without_tenant):
        yield


def admin_url() -> str:
    return os.environ["DATABASE_ADMIN_URL"]


def migrated_template() -> str:
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
            point_django_at(half)
            with tenant_drawn_once():
                call_command("migrate", verbosity=0)
            close_all()
            admin.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(half), sql.Identifier(name)
                )
            )
    return name


def point_django_at(name: str) -> None:
    close_all()
    for alias in settings.DATABASES:
        settings.DATABASES[alias]["NAME"] = name
        connections[alias].settings_dict["NAME"] = name


def close_all() -> None:
    for connection in connections.all():
        connection.close()


if __name__ == "__main__":
    django.setup()
    # Each migration draws the models anew. Looking for what can go, and letting it go at the end,
    # would be half of the work; this process ends with it.
    gc.disable()
    migrated_template()
    os._exit(0)
