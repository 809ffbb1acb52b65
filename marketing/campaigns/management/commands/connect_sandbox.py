"""Makes the accounts that send by the sandbox, and their templates, known to it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketing.campaigns.demo.sandbox import connect_sandbox


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--wait", type=float, default=30, help="seconds to wait for the sandbox (30)"
        )

    def handle(self, *args: Any, wait: float, **options: Any) -> None:
        try:
            connected = connect_sandbox(wait_seconds=wait)
        except OSError as error:
            raise CommandError(f"The sandbox cannot be told of the accounts: {error}") from error
        self.stdout.write(f"{connected} accounts send by the sandbox.")
