"""Campaigns' background work: ids in, one service call each."""

import logging
from uuid import UUID

from celery import shared_task

from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope

logger = logging.getLogger(__name__)


@shared_task
def start_run(tenant_id: str, campaign_run_id: str) -> None:
    """Freeze the audience of a run that was begun, or pause the campaign and say why."""
    from marketing.campaigns import services

    with tenant_scope(UUID(tenant_id)):
        services.start_run(campaign_run_id=UUID(campaign_run_id))


@shared_task
def run_due_campaigns() -> None:
    """Begin what is due, in every chain; swept each minute. One transaction a campaign."""
    from marketing.campaigns import services

    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant.pk):
            waiting = services.waiting_campaign_ids()
        for campaign_id in waiting:
            try:
                with tenant_scope(tenant.pk):
                    services.run_if_due(campaign_id=campaign_id)
            except Exception:
                # A fault in one campaign must not keep the others from going.
                logger.exception("campaign %s could not be run", campaign_id)


@shared_task
def recount_waiting() -> None:
    """Keep the counts of campaigns that wait for approval up to date, in every chain."""
    from marketing.campaigns import services

    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant.pk):
            waiting = services.ids_to_recount()
        for campaign_id in waiting:
            try:
                with tenant_scope(tenant.pk):
                    services.recount(campaign_id=campaign_id)
            except Exception:
                logger.exception("campaign %s could not be counted", campaign_id)
