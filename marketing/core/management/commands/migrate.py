"""`migrate` as the owner role, followed by this month's partitions and the next three."""

from typing import Any

from django.conf import settings
from django.core.management.commands.migrate import Command as MigrateCommand

from marketing.core import partitions


class Command(MigrateCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        if "owner" in settings.DATABASES:
            options["database"] = "owner"
        super().handle(*args, **options)
        if not options["app_label"]:
            partitions.keep_ahead()
