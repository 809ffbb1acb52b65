"""Put Parlour's own periodic work into beat's tables; what people scheduled stays."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from marketing.core import schedules


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        changes = schedules.sync(settings.SYSTEM_SCHEDULES)
        self.stdout.write(
            f"{changes.made} schedules made, {changes.altered} altered, {changes.stopped} stopped"
        )
