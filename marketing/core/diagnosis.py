"""What must hold for Parlour to work, looked at from the inside; upper apps add theirs."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import Max
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from marketing.core import loose_keys, partitions
from marketing.core.schedules import PREFIX

OLDEST_POSTGRES = 18
# Beat writes down what it started every three minutes.
BEAT_SILENCE = dt.timedelta(minutes=10)


class Problem(Exception):
    """Something is wrong; the message says what, and what to do."""


@dataclass(frozen=True)
class Finding:
    name: str
    is_fine: bool
    detail: str


Check = Callable[[], str]

_checks: dict[str, Check] = {}


def register(name: str) -> Callable[[Check], Check]:
    """Add a check: it returns what it saw, or raises `Problem` (or anything else)."""

    def add(check: Check) -> Check:
        _checks[name] = check
        return check

    return add


def examine() -> Iterator[Finding]:
    """Run every check; one that fails does not stop the others."""
    for name, check in _checks.items():
        try:
            yield Finding(name, True, check())
        except Problem as problem:
            yield Finding(name, False, str(problem))
        except Exception as error:
            yield Finding(name, False, f"{type(error).__name__}: {error}".strip())


def _rows(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


@register("PostgreSQL")
def postgres_version() -> str:
    number = int(_rows("SHOW server_version_num")[0][0])
    if number // 10000 < OLDEST_POSTGRES:
        raise Problem(f"version {number // 10000}; {OLDEST_POSTGRES} or newer is needed")
    return f"version {number // 10000}.{number % 10000}"


@register("Database role")
def database_role() -> str:
    [(name, is_superuser, bypasses)] = _rows(
        "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )
    if is_superuser or bypasses:
        raise Problem(
            f"{name} passes by row-level security; let DATABASE_URL name the role parlour_app"
        )
    return str(name)


@register("LEAKPROOF functions")
def leakproof_functions() -> str:
    leaky = _rows(
        """
        SELECT listed.name FROM unnest(%s::text[]) AS listed(name)
        JOIN pg_proc ON pg_proc.oid = listed.name::regprocedure WHERE NOT proleakproof
        """,
        list(settings.LEAKPROOF_FUNCTIONS),
    )
    if leaky:
        names = ", ".join(name for (name,) in leaky)
        raise Problem(f"not marked, so look-ups are slow: {names}; run config.prepare_database")
    return f"{len(settings.LEAKPROOF_FUNCTIONS)} marked"


@register("Partitions")
def partitions_ahead() -> str:
    next_month = (timezone.now().replace(day=1) + dt.timedelta(days=32)).strftime("%Y%m")
    missing = _rows(
        "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name || '_' || %s) IS NULL",
        partitions.append_tables(),
        next_month,
    )
    if missing:
        names = ", ".join(name for (name,) in missing)
        raise Problem(f"none for {next_month}: {names}; run manage.py migrate, and is beat up?")
    stray = _rows(
        "SELECT name FROM unnest(%s::text[]) AS name WHERE default_has_rows(name)",
        partitions.append_tables(),
    )
    if stray:
        names = ", ".join(name for (name,) in stray)
        raise Problem(f"rows outside of every month: {names}")
    return f"{len(partitions.append_tables())} tables, made up to {next_month} or later"


@register("Parents")
def parents_exist() -> str:
    checked = loose_keys.check_parents()
    if dangling := [check for check in checked if check.dangling]:
        raise Problem("rows whose parent is gone: " + "; ".join(map(str, dangling)))
    if unchecked := len(loose_keys.loose_keys()) - len(checked):
        raise Problem(f"{unchecked} keys took longer than {loose_keys.PATIENCE}; see the log")
    return f"none of {len(checked)} keys names what is gone"


@register("Cache")
def cache_answers() -> str:
    cache.set("doctor", "well", 10)
    if cache.get("doctor") != "well":
        raise Problem("what was stored does not come back; look at CACHE_URL")
    return "stores and returns"


@register("Broker")
def broker_answers() -> str:
    with current_app.connection_for_read() as broker:
        broker.ensure_connection(max_retries=1, timeout=5)
        return str(broker.transport_cls)


@register("Beat")
def beat_beats() -> str:
    own = PeriodicTask.objects.filter(name__startswith=PREFIX, enabled=True)
    if not own.exists():
        raise Problem("nothing is scheduled; run manage.py sync_schedules")
    last = own.aggregate(last=Max("last_run_at"))["last"]
    if last is None or timezone.now() - last > BEAT_SILENCE:
        raise Problem(f"silent since {last or 'ever'}; start celery beat")
    return f"last heard {last:%H:%M:%S} UTC"
