"""Do again what other modules sent and could not be taken: by row, operation or time."""

import datetime as dt
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_datetime

from billing_bridge import services
from marketing.core.actor import Actor
from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope


class Command(BaseCommand):
    help = f"{__doc__} What is applied already is left alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("chain", help="the slug of the chain")
        parser.add_argument("--row", action="append", type=uuid.UUID, default=[])
        parser.add_argument("--operation", default="", help="events, invoice, refund …")
        parser.add_argument("--since", type=_moment, help="received at or after, with its zone")
        parser.add_argument("--until", type=_moment, help="received before, with its zone")
        parser.add_argument("--dry-run", action="store_true", help="only count them")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["chain"]).first()
        if tenant is None:
            raise CommandError(f"There is no chain {options['chain']}.")
        with tenant_scope(tenant.pk):
            row_ids = options["row"] or services.replayable(
                operation=options["operation"], since=options["since"], until=options["until"]
            )
        if options["dry_run"]:
            self.stdout.write(f"{len(row_ids)} to do again")
            return
        counts = services.replay_rows(
            tenant_id=tenant.pk, row_ids=row_ids, actor=lambda: Actor.system(tenant.pk)
        )
        told = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        self.stdout.write(told or "nothing to do again")


def _moment(text: str) -> dt.datetime:
    moment = parse_datetime(text)
    if moment is None or moment.tzinfo is None:
        raise ValueError(text)
    return moment
