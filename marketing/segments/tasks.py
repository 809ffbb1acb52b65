import uuid

from celery import shared_task


@shared_task
def refresh_all_segments() -> None:
    """Count every chain's segments again; beat calls it each six hours."""
    from marketing.core.models import Tenant

    for tenant_id in Tenant.objects.filter(is_active=True).values_list("pk", flat=True):
        refresh_tenant_segments.delay(str(tenant_id))


@shared_task
def recheck_marked(tenant_id: str | None = None) -> None:
    """Judge again who changed, in followed segments: of one chain, or (swept by beat) of all."""
    from marketing.core.sweeps import drain_each_chain
    from marketing.segments import services

    if services.is_followed():
        drain_each_chain(services.recheck_marked, only=tenant_id)


@shared_task
def refresh_tenant_segments(tenant_id: str) -> None:
    """Count one chain's segments again; its built-in ones follow the release that runs."""
    from marketing.core.tenancy import tenant_scope
    from marketing.segments import services

    with tenant_scope(uuid.UUID(tenant_id)):
        services.ensure_system_segments()
        services.refresh_all()
