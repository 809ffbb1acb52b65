"""django-post-office in a process and a database of its own: enqueues mails, then sends them.

    python -m bench.post_office_peer PORT MAILS PROCESSES

Set up as its documentation says, with the batches at which it is fastest here. On its last line
it says what it took.
"""

import json
import logging
import os
import resource
import sys
import tempfile
import time
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from bench import machine
from bench.mail import MAIL, values_of

DATABASE = "parlour_bench_post_office"
# Mails handed to the database in one statement.
TOGETHER = 1000


def main() -> None:
    port, mails, processes = map(int, sys.argv[1:])
    _set_up(port, batch_size=1000 * processes)
    from django.core.management import call_command
    from django.db import connection
    from post_office import mail  # type: ignore[import-untyped]
    from post_office.models import Email, EmailTemplate  # type: ignore[import-untyped]

    logging.disable(logging.WARNING)
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE post_office_email, post_office_emailtemplate CASCADE")
    template = EmailTemplate.objects.create(
        name="offer", subject=MAIL["subject"], content=MAIL["body"], html_content=MAIL["html"]
    )
    begun, cpu = time.monotonic(), _cpu_seconds()
    for first in range(1, mails + 1, TOGETHER):
        mail.send_many(
            [
                {
                    "sender": "Parlour <hello@example.com>",
                    "recipients": f"asha{number}@example.com",
                    "template": template,
                    "context": values_of(number),
                }
                for number in range(first, min(first + TOGETHER, mails + 1))
            ]
        )
    enqueued = time.monotonic()
    connection.close()
    with tempfile.TemporaryDirectory() as folder:
        mail.send_queued_mail_until_done(lockfile=f"{folder}/post_office", processes=processes)
    told = {
        "enqueue_seconds": enqueued - begun,
        "seconds": time.monotonic() - begun,
        "cpu_seconds": _cpu_seconds() - cpu,
        "peak_mb": machine.peak_megabytes(),
        "sent": Email.objects.filter(status=0).count(),
    }
    print(json.dumps(told))


def _set_up(port: int, batch_size: int) -> None:
    import django
    from django.conf import settings

    server: dict[str, Any] = conninfo_to_dict(os.environ["DATABASE_ADMIN_URL"])
    settings.configure(
        INSTALLED_APPS=["post_office"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": DATABASE,
                "HOST": server.get("host", ""),
                "PORT": server.get("port", ""),
                "USER": server.get("user", ""),
                "PASSWORD": server.get("password", ""),
            }
        },
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        POST_OFFICE={"BATCH_SIZE": batch_size, "BATCH_DELIVERY_TIMEOUT": 600},
    )
    django.setup()


def _cpu_seconds() -> float:
    """Ours and that of the processes that ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


if __name__ == "__main__":
    main()
