"""A file of new people through dry run and import; beside it COPY and one upsert of the rows."""

import io
import statistics
import time
import uuid
from collections.abc import Iterator
from typing import Any

from bench import ground, machine

ROUNDS = 2
BAR_PER_S = 5_000
# People of an earlier run would be known already.
RUN = uuid.uuid4().hex[:8]
NUMBERS_FROM = uuid.uuid4().int % 100_000_000
# One line in so many cannot be taken, and comes back in the error file.
BAD_EVERY = 50
HEADER = "Customer ID,First name,Last name,Mobile,E-mail,Birthday,Gender,Tags\n"
OPTIONS = {"rule": "fill", "repeats": "last", "date_order": "dmy"}

STAGE = """
CREATE TEMPORARY TABLE plain (external_id text, first_name text, last_name text, phone text,
    email text, birth_date date, gender text, tags varchar(50)[]) ON COMMIT DROP
"""
UPSERT = """
INSERT INTO customers_customer (tenant_id, external_id, first_name, last_name, phone, email,
    whatsapp_id, birth_date, gender, language, preferred_channel, tags, attributes, source,
    status, updated_at)
SELECT %s, external_id, first_name, last_name, phone, email, '', birth_date, gender, 'en',
    'whatsapp', tags, '{}', 'import', 'active', now() FROM plain
ON CONFLICT (tenant_id, external_id) WHERE external_id IS NOT NULL
DO UPDATE SET first_name = excluded.first_name
"""


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    ground.prepare_django()
    count = n or 200_000
    tenant_id = ground.chain_of(1_000)
    ours, plain, phases = [], [], []
    for turn in range(ROUNDS):
        begun = time.perf_counter()
        _copy_plainly(tenant_id, count, turn)
        plain.append(time.perf_counter() - begun)
        took = _import(tenant_id, count, turn)
        phases.append({name: round(seconds, 2) for name, seconds in took.items()})
        ours.append(took["check"] + took["errors"] + took["import"])
    seconds = statistics.median(ours)
    yield {
        "bench": "import",
        "n": count,
        "seconds": round(seconds, 2),
        "per_s": round(count / seconds),
        "phases": phases,
        "rss_mb": round(machine.peak_megabytes()),
        "limit": {
            "what": "COPY and INSERT … ON CONFLICT of the same rows, judged by nobody",
            "seconds": round(statistics.median(plain), 2),
        },
        "ratio_to_limit": round(
            statistics.median(a / b for a, b in zip(ours, plain, strict=True)), 2
        ),
        "bar": {"per_s": BAR_PER_S},
    }


def _people(count: int, turn: int, kind: str) -> Iterator[list[str]]:
    """Every round and both ways have people of their own."""
    first = turn * 2 + (kind == "plain")
    for number in range(count):
        phone = f"+9198{(NUMBERS_FROM + first * count + number) % 100_000_000:08}"
        yield [
            f"{RUN}-{kind}-{turn}-{number}", f"Asha{number}", "Sharma", phone,
            f"asha.{RUN}.{kind}.{turn}.{number}@example.com", "05/03/1990", "female", "vip",
        ]  # fmt: skip


def _import(tenant_id: Any, count: int, turn: int) -> dict[str, float]:
    from django.core.files.uploadedfile import SimpleUploadedFile

    from customers.imports import services, worker
    from customers.imports.report import error_file
    from customers.models import ImportJob
    from marketing.core.actor import Actor
    from marketing.core.models import Role, Staff
    from marketing.core.tenancy import tenant_scope
    from tests.factories.core import make_staff

    text = io.StringIO()
    text.write(HEADER)
    for number, cells in enumerate(_people(count, turn, "import")):
        if number % BAD_EVERY == 0:
            cells[3] = "12"
        text.write(",".join(cells) + "\n")
    took = {}

    def lap(name: str, begun: float) -> None:
        took[name] = time.perf_counter() - begun

    with tenant_scope(tenant_id):
        staff = Staff.objects.filter(role=Role.SUPER_OWNER).first() or make_staff(Role.SUPER_OWNER)
        actor = Actor.for_staff(staff)
        begun = time.perf_counter()
        file = SimpleUploadedFile("people.csv", text.getvalue().encode())
        job = services.receive_import(actor=actor, file=file)
        services.choose_columns(actor=actor, job=job, mapping=job.mapping, options=OPTIONS)
        lap("upload", begun)
    begun = time.perf_counter()
    while worker.run_import(tenant_id, job.pk):
        pass
    lap("check", begun)
    begun = time.perf_counter()
    errors = sum(1 for _line in error_file(tenant_id, job.pk)) - 1
    lap("errors", begun)
    with tenant_scope(tenant_id):
        services.start_import(actor=actor, job=job)
    begun = time.perf_counter()
    while worker.run_import(tenant_id, job.pk):
        pass
    lap("import", begun)
    with tenant_scope(tenant_id):
        done = ImportJob.objects.get(pk=job.pk)
    wanted = count - errors
    if done.state != "done" or done.result["created"] != wanted or not errors:
        raise RuntimeError(f"{done.state}: {done.result}, {done.counts}, {errors} errors")
    return took


def _copy_plainly(tenant_id: Any, count: int, turn: int) -> None:
    from django.db import connection

    from marketing.core.tenancy import tenant_scope

    with tenant_scope(tenant_id), connection.cursor() as cursor:
        cursor.execute(STAGE)
        with cursor.copy("COPY plain FROM STDIN") as copy:
            for cells in _people(count, turn, "plain"):
                copy.write_row([*cells[:5], "1990-03-05", cells[6], [cells[7]]])
        cursor.execute(UPSERT, [tenant_id])
