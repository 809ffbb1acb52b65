"""The ground every bench stands on: a database of its own with N consenting customers."""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import django
import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "parlour_bench"


def prepare_django() -> None:
    """Point Django at the bench's database, made and migrated when it is not there yet."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
    os.environ.setdefault("SANDBOX_URL", f"http://127.0.0.1:{free_port()}")
    # Not what a killed worker of somebody else's left behind.
    os.environ["SPOOL_DIR"] = os.environ.get("SPOOL_DIR") or _spool()
    os.environ.setdefault("LOG_LEVEL", "ERROR")
    make_database(DATABASE, owner="parlour_owner")
    use_database()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def _spool() -> str:
    """A directory of this run, gone with it."""
    path = tempfile.mkdtemp(prefix="bench-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def make_database(name: str, owner: str) -> None:
    """Make it when it is not there yet, ready for migrations."""
    from config.prepare_database import prepare

    words = {"name": sql.Identifier(name), "owner": sql.Identifier(owner)}
    with admin("postgres") as server:
        known = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if known.fetchone() is None:
            server.execute(sql.SQL("CREATE DATABASE {name} OWNER {owner}").format(**words))
    with admin(name) as inside:
        prepare(inside)


def make_anew(name: str, owner: str) -> None:
    """Make it, without what it held."""
    with admin("postgres") as server:
        server.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
    make_database(name, owner)


def use_database() -> None:
    """Set Django up on the bench's database."""
    from django.conf import settings

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
    for options in settings.DATABASES.values():
        options["NAME"] = DATABASE
    # Where a bench has Celery workers, they hear of what is due.
    settings.CELERY_BROKER_URL = settings.BROKER_URL
    # Calls are counted as in a deployment, and never refused.
    settings.API_CALLS_A_MINUTE = {"person": 10**9, "key": 10**9}
    django.setup()
    import config.celery  # noqa: F401  nudges go to the bench's broker, not to a default one


def chain_of(people: int) -> uuid.UUID:
    """The tenant with exactly this many customers, made by one statement each table."""
    from django.db import connection

    from marketing.core.models import Branch, Region, Tenant
    from marketing.core.tenancy import tenant_scope
    from tests.factories.delivery import make_sender, open_all_hours

    slug = f"bench-{people}"
    known = Tenant.objects.filter(slug=slug).first()
    if known:
        return known.pk
    tenant = Tenant.objects.create(name=slug, slug=slug, languages=["en", "hi"])
    with tenant_scope(tenant.pk):
        open_all_hours()
        make_sender(rate_per_second=1_000_000, max_concurrency=200)
        region = Region.objects.create(name="All")
        branches = Branch.objects.bulk_create(
            Branch(region=region, code=f"B{i}", name=f"Branch {i}", city="Pune") for i in range(12)
        )
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO customers_customer (tenant_id, first_name, last_name, phone, email,
                    whatsapp_id, gender, language, preferred_channel, home_branch_id, tags,
                    attributes, source, status, updated_at)
                SELECT %(tenant)s, 'Asha' || n, 'Sharma', '+9190' || lpad(n::text, 8, '0'),
                       'asha' || n || '@example.com', '', 'female',
                       CASE WHEN n %% 3 = 0 THEN 'hi' ELSE 'en' END, 'whatsapp',
                       (%(branches)s::uuid[])[1 + n %% 12], '{}', '{}', 'staff', 'active', now()
                FROM generate_series(1, %(people)s) AS n
                """,
                {"tenant": tenant.pk, "branches": [b.pk for b in branches], "people": people},
            )
            cursor.execute(
                """
                INSERT INTO customers_consentstate (tenant_id, customer_id, whatsapp_promotional,
                    whatsapp_service, whatsapp_basis, sms_promotional, sms_service, sms_basis,
                    email_promotional, email_service, email_basis, is_dnd, marketing_opted_out,
                    opt_out_source, updated_at)
                SELECT %(tenant)s, id, n %% 20 <> 0, true, 'explicit', true, true, 'explicit',
                       true, true, 'explicit', n %% 50 = 0, n %% 33 = 0, '', now()
                FROM (SELECT id, row_number() OVER () AS n FROM customers_customer) c
                """,
                {"tenant": tenant.pk},
            )
    with admin() as server:
        server.execute("VACUUM ANALYZE")
    return tenant.pk


def forget_messages() -> None:
    """Empty what a run wrote, so that the next one starts as this one did."""
    with admin() as connection:
        connection.execute(
            "TRUNCATE delivery_message, delivery_dispatchbatch, delivery_batchcost,"
            " delivery_batchreason, delivery_contactload, delivery_portfolioperson,"
            " delivery_providerreference, delivery_engagement, delivery_linkcount,"
            " policy_budgetmonth, policy_budgethold"
        )
        connection.execute("CHECKPOINT")


def admin(database: str = "") -> psycopg.Connection[tuple[Any, ...]]:
    """A superuser's connection that commits each statement; to the bench's database as it is named
    now.
    """
    name = database or DATABASE
    return psycopg.connect(os.environ["DATABASE_ADMIN_URL"], dbname=name, autocommit=True)


def open_account(tenant_id: uuid.UUID, provider: str, **values: Any) -> None:
    """Make the provider's account the one that the chain's messages go by, to the sink.

    The hour is made one at which everything may be sent: between ten and nine, where laws ask.
    """
    from marketing.core.actor import Actor
    from marketing.core.models import Branch, Tenant
    from marketing.core.tenancy import tenant_scope
    from marketing.policy.models import ProviderAccount
    from marketing.policy.services import set_default_account, update_account
    from tests.factories.policy import make_account

    zone = _zone_at_noon()
    values = {"rate_per_second": 1_000_000, "max_concurrency": 200, **values}
    Tenant.objects.filter(pk=tenant_id).update(time_zone=zone)
    with tenant_scope(tenant_id):
        Branch.objects.update(time_zone=zone)
        actor = Actor.system(tenant_id)
        account = ProviderAccount.objects.filter(provider=provider).first()
        if account is None:
            make_account(provider, is_default=True, **values)
            return
        if account.base_url:
            values["base_url"] = sink_url()
        update_account(actor=actor, account=account, values=values)
        set_default_account(actor=actor, account=account)


def _zone_at_noon() -> str:
    """A time zone in which it is about noon, as POSIX spells it: west is positive."""
    return f"Etc/GMT{time.gmtime().tm_hour - 12:+d}"


def sink_url() -> str:
    """Where the sink listens."""
    return os.environ["SANDBOX_URL"]


@contextmanager
def sink() -> Iterator[None]:
    """The sandbox's minimal sink in a process of its own."""
    port = sink_url().rsplit(":", 1)[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "marketing.delivery.sandbox", "--sink"],
        cwd=ROOT,
        env={**os.environ, "SANDBOX_HOST": "127.0.0.1", "SANDBOX_PORT": port},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(f"{sink_url()}/healthz")
        yield
    finally:
        process.terminate()
        process.wait(10)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(url: str, seconds: float = 15) -> None:
    """Return when the address answers. Raises TimeoutError."""
    _wait(lambda: urlopen(url, timeout=1), url, seconds)


def wait_for_port(port: int, seconds: float = 15) -> None:
    """Return when something listens there. Raises TimeoutError."""
    _wait(lambda: socket.create_connection(("127.0.0.1", port), 1).close(), str(port), seconds)


def _wait(attempt: Callable[[], object], what: str, seconds: float) -> None:
    give_up_at = time.monotonic() + seconds
    while True:
        try:
            attempt()
            return
        except OSError as error:
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"{what} does not answer") from error
            time.sleep(0.1)
