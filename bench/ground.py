"""The ground every bench stands on: a database of its own with N consenting customers."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import django
import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "parlour_bench"


def prepare_django() -> None:
    """Point Django at the bench's database, made and migrated when it is not there yet."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
    os.environ.setdefault("SANDBOX_URL", "http://127.0.0.1:8399")
    os.environ.setdefault("LOG_LEVEL", "ERROR")
    from config.prepare_database import prepare

    with psycopg.connect(os.environ["DATABASE_ADMIN_URL"], autocommit=True) as admin:
        known = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if known.fetchone() is None:
            admin.execute(
                sql.SQL("CREATE DATABASE {} OWNER parlour_owner").format(sql.Identifier(DATABASE))
            )
    with psycopg.connect(
        os.environ["DATABASE_ADMIN_URL"], dbname=DATABASE, autocommit=True
    ) as inside:
        prepare(inside)
    use_database()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def use_database() -> None:
    """Set Django up on the bench's database."""
    from django.conf import settings

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
    for options in settings.DATABASES.values():
        options["NAME"] = DATABASE
    django.setup()
    import config.celery  # noqa: F401  nudges go to the test broker, not to a default one


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
    with psycopg.connect(
        os.environ["DATABASE_ADMIN_URL"], dbname=DATABASE, autocommit=True
    ) as admin:
        admin.execute("VACUUM ANALYZE")
    return tenant.pk


def forget_messages() -> None:
    """Empty what a run wrote, so that the next one starts as this one did."""
    with psycopg.connect(
        os.environ["DATABASE_ADMIN_URL"], dbname=DATABASE, autocommit=True
    ) as admin:
        admin.execute(
            "TRUNCATE delivery_message, delivery_dispatchbatch, delivery_contactload,"
            " delivery_providerreference, policy_budgetmonth"
        )
        admin.execute("CHECKPOINT")


@contextmanager
def sink() -> Iterator[str]:
    """The sandbox's minimal sink in a process of its own; gives its address."""
    url = os.environ["SANDBOX_URL"]
    port = url.rsplit(":", 1)[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "marketing.delivery.sandbox", "--sink"],
        cwd=ROOT,
        env={**os.environ, "SANDBOX_HOST": "127.0.0.1", "SANDBOX_PORT": port},
    )
    try:
        wait_for(f"{url}/healthz")
        yield url
    finally:
        process.terminate()
        process.wait(10)


def wait_for(url: str, seconds: float = 15) -> None:
    """Return when the address answers. Raises TimeoutError."""
    give_up_at = time.monotonic() + seconds
    while True:
        try:
            urlopen(url, timeout=1)
            return
        except OSError as error:
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"{url} does not answer") from error
            time.sleep(0.1)
