"""Make a salon chain and the login of its first super owner."""

import os
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketing.core import services
from marketing.core.errors import ValidationFailed


class Command(BaseCommand):
    help = f"{__doc__} The password is read from OWNER_PASSWORD, or asked for."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("name")
        parser.add_argument("--owner-name", required=True)
        parser.add_argument("--owner-username", required=True)
        parser.add_argument("--owner-email", default="")
        parser.add_argument("--country", default="IN")
        parser.add_argument("--time-zone", default="Asia/Kolkata")
        parser.add_argument("--currency", default="INR")
        parser.add_argument("--languages", default="en,hi")

    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get("OWNER_PASSWORD") or getpass("Password of the super owner: ")
        try:
            tenant, _owner = services.create_tenant(
                name=options["name"],
                slug=options["slug"],
                owner_name=options["owner_name"],
                owner_username=options["owner_username"],
                owner_email=options["owner_email"],
                owner_password=password,
                country=options["country"],
                time_zone=options["time_zone"],
                currency=options["currency"],
                languages=options["languages"].split(","),
            )
        except ValidationFailed as error:
            faults = (f"{name}: {' '.join(texts)}" for name, texts in error.fields.items())
            raise CommandError("; ".join(faults)) from error
        self.stdout.write(f"{tenant.name} is {tenant.pk}")
