import uuid

from celery import shared_task

from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope


@shared_task
def refresh_stale_facts(tenant_id: str | None = None) -> None:
    """Compute the facts that changes made stale: of one tenant, or (swept by beat) of all."""
    from customers import facts

    for pk in _tenants(tenant_id):
        while True:
            with tenant_scope(pk):
                if not facts.refresh_stale_facts():
                    break


@shared_task
def age_facts(tenant_id: str | None = None) -> None:
    """Compute what the clock changed, for every branch whose day has begun since (hourly), or
    what one tenant's change of its scoring did."""
    from customers import facts, scoring

    for pk in _tenants(tenant_id):
        with tenant_scope(pk):
            scoring.ensure_scoring()
            scoring.move_quintiles()
        while True:
            with tenant_scope(pk):
                if not facts.age_facts():
                    break


@shared_task
def keep_duplicates() -> None:
    """Look for customers who are in the base twice, and forget merges too old to undo (nightly)."""
    from customers import services

    for pk in _tenants(None):
        with tenant_scope(pk):
            services.find_duplicates()
        with tenant_scope(pk):
            services.forget_old_merges()


def _tenants(tenant_id: str | None) -> list[uuid.UUID]:
    if tenant_id:
        return [uuid.UUID(tenant_id)]
    return list(Tenant.objects.filter(is_active=True).values_list("pk", flat=True))
