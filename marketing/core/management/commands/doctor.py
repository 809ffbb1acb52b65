"""Say what is well and what is not; exit status 1 when something is not."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from marketing.core import diagnosis


class Command(BaseCommand):
    help = __doc__ or ""
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        findings = list(diagnosis.examine())
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            mark = "ok   " if finding.is_fine else "WRONG"
            self.stdout.write(f"{mark}  {finding.name:{width}}  {finding.detail}")
        if not all(finding.is_fine for finding in findings):
            sys.exit(1)
