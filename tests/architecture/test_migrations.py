"""Migrations that change tables of a million rows do not wait long for their locks."""

import pytest
from django.db import connections, migrations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from marketing.core.migration_operations import LockTimeout

# Where rows come by the thousand, all day long.
BUSY_APPS = {"customers", "delivery"}


def later_migrations():
    known = MigrationLoader(None).disk_migrations
    return [known[key] for key in sorted(known) if key[0] in BUSY_APPS and not known[key].initial]


def changes_a_table(migration):
    made = {
        operation.name.lower()
        for operation in migration.operations
        if isinstance(operation, migrations.CreateModel)
    }
    return any(
        getattr(operation, "model_name", "").lower() not in {"", *made}
        or (isinstance(operation, migrations.RunSQL) and "ALTER " in str(operation.sql))
        for operation in migration.operations
    )


@pytest.mark.parametrize(
    "migration",
    [each for each in later_migrations() if changes_a_table(each)],
    ids=lambda migration: f"{migration.app_label}.{migration.name}",
)
def test_it_gives_up_when_a_lock_is_not_to_be_had(migration):
    assert isinstance(migration.operations[0], LockTimeout), "let LockTimeout() stand first"
    assert migration.atomic, "without a transaction nothing keeps the setting"


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_the_patience_ends_with_the_migration():
    def patience():
        with connections["owner"].cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            return cursor.fetchone()

    before = patience()
    migration = migrations.Migration("first", "delivery")
    migration.operations = [LockTimeout()]
    with connections["owner"].schema_editor() as editor:
        migration.apply(ProjectState(), editor)
        assert patience() == ("5s",)
    assert patience() == before == ("0",)
