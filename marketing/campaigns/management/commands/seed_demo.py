"""Loads a demo chain and prints its logins."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketing.campaigns.demo import make_demo
from marketing.campaigns.demo.organisation import PASSWORD, SLUG, logins
from marketing.campaigns.demo.staging import owner_connection
from marketing.core.models import Tenant


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=int, default=5_000, help="how many (5,000)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed, the same chain")
        parser.add_argument("--once", action="store_true", help="only when there is no chain yet")

    def handle(self, *args: Any, customers: int, seed: int, once: bool, **options: Any) -> None:
        has_chain = Tenant.objects.exists()
        if not (once and has_chain):
            if Tenant.objects.filter(slug=SLUG).exists():
                raise CommandError("The demo chain is there already; `make reset` removes it.")
            with owner_connection():
                make_demo(customers=customers, seed=seed)
        if Tenant.objects.filter(slug=SLUG).exists():
            for username, role in logins():
                self.stdout.write(f"{username:<18}{PASSWORD}   {role}")
