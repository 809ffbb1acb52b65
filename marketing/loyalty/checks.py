"""What `doctor` asks about the ledger."""

import datetime as dt

from django.utils import timezone

from marketing.core import diagnosis
from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope
from marketing.loyalty.models import LedgerProof, PointsTransaction

OVERDUE = dt.timedelta(hours=50)


@diagnosis.register("Points ledger")
def points_ledger() -> str:
    """The last nightly proof of each chain that has points."""
    wrong = []
    proven = 0
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant.pk):
            if not PointsTransaction.objects.exists():
                continue
            last = LedgerProof.objects.order_by("-day").first()
        if last is None or timezone.now() - last.at > OVERDUE:
            wrong.append(f"{tenant.name}: not proven for two nights; is beat up?")
        elif last.differing:
            wrong.append(f"{tenant.name}: {last.differing} balances differ on {last.day}")
        proven += 1
    if wrong:
        raise diagnosis.Problem("; ".join(wrong))
    return f"proven in {proven} chains"
