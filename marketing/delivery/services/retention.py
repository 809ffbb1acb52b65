"""Messages, and what people did with them, live as long as the most patient tenant wants.

Then they go by partition.
"""

import datetime as dt

from django.db import connection
from django.utils import timezone

from marketing.core.ids import lower_bound
from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import InboundMessage
from marketing.policy import selectors as policy

# Longer than any webhook that could bring it again is kept.
INBOUND_KEPT = dt.timedelta(days=90)


def drop_old_partitions() -> int:
    """Drop partitions of messages and engagement past every tenant's retention; how many."""
    months = [24]
    for tenant in Tenant.objects.all():
        with tenant_scope(tenant.pk):
            months.append(policy.get_config().message_retention_months)
    return _drop(["delivery_message", "delivery_engagement"], _months_ago(max(months)))


def drop_old_webhooks() -> int:
    """Drop partitions of webhooks from before last month, and what people said that long ago.

    Vendors repeat themselves for days at most; a replay reaches back as far as its requests.
    Returns how many partitions went.
    """
    for tenant in Tenant.objects.all():
        with tenant_scope(tenant.pk):
            InboundMessage.objects.filter(
                pk__lt=lower_bound(timezone.now() - INBOUND_KEPT)
            ).delete()
    return _drop(["delivery_webhookevent"], _months_ago(1))


def _months_ago(months: int) -> dt.date:
    """The first day of the month that many months ago."""
    today = timezone.now().date()
    total = today.year * 12 + today.month - 1 - months
    return dt.date(total // 12, total % 12 + 1, 1)


def _drop(tables: list[str], before: dt.date) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(drop_partitions(name, %s)) FROM unnest(%s::text[]) AS name",
            [before, tables],
        )
        (dropped,) = cursor.fetchone()
    return int(dropped)
