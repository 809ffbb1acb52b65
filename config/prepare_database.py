"""What a PostgreSQL server needs once before the first migration: roles, database, rights.

    python -m config.prepare_database ADMIN_URL --database parlour

Address and passwords come from the arguments or, better, from the environment:
`DATABASE_ADMIN_URL`, `DATABASE_OWNER_PASSWORD`, `DATABASE_APP_PASSWORD`. Running it again changes
only what differs; do so after a major upgrade of PostgreSQL, which forgets the LEAKPROOF marks.
"""

import argparse
import os
import sys
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

OWNER_ROLE = "parlour_owner"
APP_ROLE = "parlour_app"
EXTENSIONS = ("pg_trgm", "btree_gin")

# Under row-level security a condition reaches an index, and the planner its statistics, only when
# its function is LEAKPROOF: it tells nothing of its arguments but through its result. PostgreSQL
# marks the comparisons of integers, text, uuid and times; these are the others our queries filter
# by. Reviewed one by one: none prints a stored value in an error. Casts from text (`::numeric`) do,
# and must never be added.
LEAKPROOF_FUNCTIONS = (
    *(
        f"numeric_{comparison}(numeric, numeric)"
        for comparison in ("eq", "ne", "lt", "le", "gt", "ge")
    ),
    *(f"{like}(text, text)" for like in ("textlike", "textnlike", "texticlike", "texticnlike")),
    "lower(text)",
    "upper(text)",
    "jsonb_contains(jsonb, jsonb)",
    "jsonb_exists(jsonb, text)",
    "jsonb_object_field_text(jsonb, text)",
    "arrayoverlap(anyarray, anyarray)",
    "arraycontains(anyarray, anyarray)",
    "similarity_op(text, text)",
    "word_similarity_op(text, text)",
    "word_similarity_commutator_op(text, text)",
)


IDLE = "'2min'"


def prepare_server(
    admin_url: str, *, database: str, owner_password: str, app_password: str
) -> None:
    """Make roles and database where missing, set the passwords, and `prepare` the database.

    `admin_url` names a superuser, or a role with CREATEROLE, CREATEDB and BYPASSRLS; any database.
    """
    with psycopg.connect(admin_url, autocommit=True) as connection:
        _ensure_role(connection, OWNER_ROLE, owner_password, "BYPASSRLS CREATEDB")
        _ensure_role(connection, APP_ROLE, app_password, "NOBYPASSRLS NOCREATEDB")
        # A process stopped in the middle of a transaction must not hold its locks for ever.
        patience = f"ALTER ROLE {{}} SET idle_in_transaction_session_timeout = {IDLE}"
        _execute(connection, patience, APP_ROLE)
        if not _is_superuser(connection):
            _execute(connection, "GRANT {} TO CURRENT_USER WITH INHERIT TRUE, SET TRUE", OWNER_ROLE)
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
        if known.fetchone() is None:
            _execute(connection, "CREATE DATABASE {} OWNER {}", database, OWNER_ROLE)
    with psycopg.connect(make_conninfo(admin_url, dbname=database)) as connection:
        prepare(connection)


def prepare(connection: psycopg.Connection[Any]) -> list[str]:
    """Prepare the database of an admin's connection: extensions, schema, default rights, marks.

    Returns the functions that stay leaky because the admin is no superuser. Does not commit.
    """
    for extension in EXTENSIONS:
        _execute(connection, "CREATE EXTENSION IF NOT EXISTS {}", extension)
    _execute(connection, "ALTER SCHEMA public OWNER TO {}", OWNER_ROLE)
    connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    _execute(connection, "GRANT USAGE ON SCHEMA public TO {}", APP_ROLE)
    for rights in (
        "SELECT, INSERT, UPDATE, DELETE ON TABLES",
        "USAGE, SELECT ON SEQUENCES",
        "EXECUTE ON FUNCTIONS",
    ):
        default = f"ALTER DEFAULT PRIVILEGES FOR ROLE {{}} IN SCHEMA public GRANT {rights} TO {{}}"
        _execute(connection, default, OWNER_ROLE, APP_ROLE)
    leaky = leaky_functions(connection)
    if not _is_superuser(connection):
        return leaky
    # For bulk loads. The owner could drop the foreign keys just as well.
    _execute(connection, "GRANT SET ON PARAMETER session_replication_role TO {}", OWNER_ROLE)
    for function in leaky:
        connection.execute(f"ALTER FUNCTION {function} LEAKPROOF".encode())
    return []


def leaky_functions(connection: psycopg.Connection[Any]) -> list[str]:
    """Those of `LEAKPROOF_FUNCTIONS` that are not marked in this database."""
    rows = connection.execute(
        """
        SELECT listed.name FROM unnest(%s::text[]) AS listed(name)
        JOIN pg_proc ON pg_proc.oid = listed.name::regprocedure
        WHERE NOT proleakproof
        """,
        [list(LEAKPROOF_FUNCTIONS)],
    )
    return [name for (name,) in rows]


def _ensure_role(
    connection: psycopg.Connection[Any], role: str, password: str, attributes: str
) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verb = "ALTER" if known else "CREATE"
    statement = sql.SQL(f"{verb} ROLE {{}} LOGIN {attributes} PASSWORD {{}}")
    connection.execute(statement.format(sql.Identifier(role), sql.Literal(password)))


def _is_superuser(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute(
        "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    return row is not None and bool(row[0])


def _execute(connection: psycopg.Connection[Any], statement: str, *names: str) -> None:
    connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m config.prepare_database", description=__doc__)
    admin_url = os.environ.get("DATABASE_ADMIN_URL")
    parser.add_argument("admin_url", metavar="ADMIN_URL", nargs="?", default=admin_url)
    parser.add_argument("--database", default="parlour")
    parser.add_argument("--owner-password", default=os.environ.get("DATABASE_OWNER_PASSWORD"))
    parser.add_argument("--app-password", default=os.environ.get("DATABASE_APP_PASSWORD"))
    options = parser.parse_args()
    if not (options.admin_url and options.owner_password and options.app_password):
        parser.error("the admin's address and the passwords of both roles are needed")
    prepare_server(
        options.admin_url,
        database=options.database,
        owner_password=options.owner_password,
        app_password=options.app_password,
    )
    with psycopg.connect(make_conninfo(options.admin_url, dbname=options.database)) as connection:
        leaky = leaky_functions(connection)
    if leaky:
        print("Not LEAKPROOF, for lack of a superuser: " + ", ".join(leaky), file=sys.stderr)


if __name__ == "__main__":
    main()
