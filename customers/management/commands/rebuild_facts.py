import sys
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand

from customers import facts, facts_check
from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope


class Command(BaseCommand):
    help = (
        "Compute everybody's facts and rhythms again from visits, bills, memberships and packages, "
        "and put right what differs. Prints the differences by column."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="change nothing; exit with status 1 when something differs",
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        is_equal = True
        for tenant in Tenant.objects.filter(is_active=True):
            differences = self._of(tenant, check=check)
            is_equal = is_equal and not differences
        if check and not is_equal:
            sys.exit(1)

    def _of(self, tenant: Tenant, *, check: bool) -> Counter[str]:
        after, compared, waiting, wrong = facts.START, 0, 0, 0
        differences: Counter[str] = Counter()
        while True:
            with tenant_scope(tenant.pk):
                last, found = facts_check.compare(after)
            if last is None:
                break
            if found.wrong and not check:
                with tenant_scope(tenant.pk):
                    facts_check.mend(found.wrong)
            after = last
            compared += found.customers
            waiting += found.waiting
            wrong += len(found.wrong)
            differences += found.differences
        self.stdout.write(
            f"{tenant}: {compared} customers compared, {wrong} differ, {waiting} wait"
        )
        for column, count in sorted(differences.items()):
            self.stdout.write(f"  {column}: {count}")
        return differences
