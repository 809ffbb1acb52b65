"""Messages, and what people did with them, live as long as the most patient tenant wants.

Then they go by partition.
"""

import datetime as dt

from django.utils import timezone

from marketing.core import partitions
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
    before = partitions.months_before(timezone.now().date(), max(months))
    return partitions.drop_before(["delivery_message", "delivery_engagement"], before)


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
    last_month = partitions.months_before(timezone.now().date(), 1)
    return partitions.drop_before(["delivery_webhookevent"], last_month)
