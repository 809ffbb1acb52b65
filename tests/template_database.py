"""The database that each process of the tests copies: empty, with all migrations applied.

`python -m tests.template_database` makes it; while it does, the processes collect their tests.
"""

import gc
import hashlib
import os
from pathlib import Path

import django
import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from config.prepare_database import prepare

ROOT = Path(__file__).resolve().parent.parent


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
