"""Migration operations for what Django cannot say: partitions, tenant policies, patience."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

TENANT_POLICY = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"


class CreatePartitionedModel(migrations.CreateModel):
    """Create an append table, range-partitioned by its UUID v7 id at month bounds.

    Makes the empty DEFAULT partition too; the months come from `ensure_partitions`.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        plain = schema_editor.sql_create_table
        schema_editor.sql_create_table = f"{plain} PARTITION BY RANGE (id)"
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            schema_editor.sql_create_table = plain
        table = to_state.apps.get_model(app_label, self.name)._meta.db_table
        schema_editor.execute(
            f'CREATE TABLE "{table}_default" PARTITION OF "{table}" DEFAULT;'
            f'REVOKE ALL ON "{table}_default" FROM parlour_app;'
        )


class TenantPolicy(migrations.RunSQL):
    """Force row-level security on a model's table: rows of the named tenant only."""

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(
            sql=f"""
                ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY;
                ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY;
                CREATE POLICY tenant ON "{table}" USING ({TENANT_POLICY});
            """,
            reverse_sql=f"""
                DROP POLICY tenant ON "{table}";
                ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY;
                ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY;
            """,
        )

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__name__, [self.table], {}


class SeldomAnalyzed(migrations.RunSQL):
    """Analyze and vacuum a table, or each of its partitions, not before 50,000 rows are new.

    For tables of which each bill adds rows that are read by their keys: a till waits while a
    core analyzes them (measured, docs/performance.md), and their plans stay the same.
    """

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(
            sql=f"""
                DO $$
                DECLARE
                    place regclass;
                BEGIN
                    FOR place IN
                        SELECT oid FROM pg_class
                        WHERE oid = '"{table}"'::regclass AND relkind = 'r'
                        UNION ALL
                        SELECT inhrelid FROM pg_inherits WHERE inhparent = '"{table}"'::regclass
                    LOOP
                        EXECUTE format(
                            'ALTER TABLE %s SET (
                                 autovacuum_analyze_threshold = 50000,
                                 autovacuum_analyze_scale_factor = 0.1,
                                 autovacuum_vacuum_insert_threshold = 50000,
                                 autovacuum_vacuum_insert_scale_factor = 0.1)',
                            place);
                    END LOOP;
                END $$;
            """,  # noqa: S608  a constant of its migration
            reverse_sql=migrations.RunSQL.noop,
        )

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__name__, [self.table], {}


class LockTimeout(migrations.RunSQL):
    """Stands first in a migration that changes tables which are written to all day.

    Whoever waits for such a lock holds up all who come after: better to fail, and be run again.
    Holds to the end of the migration's transaction.
    """

    def __init__(self) -> None:
        super().__init__("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__name__, [], {}
