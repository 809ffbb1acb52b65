"""Encrypt every stored credential anew under the first key of FIELD_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand

from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope
from marketing.policy import services


class Command(BaseCommand):
    help = f"{__doc__} Put the new key first, run this, then take the old key away."

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for tenant in Tenant.objects.all():
            with tenant_scope(tenant.pk):
                count += services.encrypt_anew()
        self.stdout.write(f"{count} accounts encrypted anew")
