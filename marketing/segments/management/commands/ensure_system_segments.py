from typing import Any

from django.core.management.base import BaseCommand

from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope
from marketing.segments import services


class Command(BaseCommand):
    help = "Make every chain's built-in segments what they should be, and count them."

    def handle(self, *args: Any, **options: Any) -> None:
        for tenant in Tenant.objects.filter(is_active=True):
            with tenant_scope(tenant.pk):
                services.ensure_system_segments()
                counted = services.refresh_all()
            self.stdout.write(f"{tenant}: {counted} segments")
