"""Messages, and what people did with them, live as long as the most patient tenant wants.

Then they go by partition.
"""

import datetime as dt

from django.db import connection
from django.utils import timezone

from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope
from marketing.policy import selectors as policy


def drop_old_partitions() -> int:
    """Drop partitions of messages and engagement past every tenant's retention; how many."""
    months = [24]
    for tenant in Tenant.objects.all():
        with tenant_scope(tenant.pk):
            months.append(policy.get_config().message_retention_months)
    today = timezone.now().date()
    total = today.year * 12 + today.month - 1 - max(months)
    before = dt.date(total // 12, total % 12 + 1, 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(drop_partitions(name, %s))"
            " FROM unnest(ARRAY['delivery_message', 'delivery_engagement']) AS name",
            [before],
        )
        (dropped,) = cursor.fetchone()
    return int(dropped)
