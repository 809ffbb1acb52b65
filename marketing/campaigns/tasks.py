"""Campaigns' background work: ids in, one service call each."""

from uuid import UUID

from celery import shared_task

from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope


@shared_task
def start_run(tenant_id: str, campaign_run_id: str) -> None:
    """Freeze the audience of a run that was begun, or pause the campaign and say why."""
    from marketing.campaigns import services

    with tenant_scope(UUID(tenant_id)):
        services.start_run(campaign_run_id=UUID(campaign_run_id))


@shared_task
def run_due_campaigns() -> None:
    """Begin what is due, in every chain; swept each minute."""
    from marketing.campaigns import services

    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant.pk):
            services.run_due_campaigns()
