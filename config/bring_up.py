"""What must have happened before `make run` serves; prints the demo's logins.

One process for all of it, because each start of Django takes seconds.
"""

import io
import os

import django
from django.core.management import call_command


def main() -> None:
    os.environ["LOG_LEVEL"] = "WARNING"  # What is printed becomes part of the greeting.
    import config.celery  # noqa: F401  tasks find their broker through it

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("sync_schedules", stdout=io.StringIO())
    call_command("seed_demo", once=True, customers=int(os.environ.get("DEMO_CUSTOMERS", "5000")))


if __name__ == "__main__":
    main()
