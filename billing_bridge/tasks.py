"""The bridge's background work. Rows are the truth; a task that is lost is asked for again."""

from uuid import UUID

from celery import shared_task

from marketing.core.actor import Actor
from marketing.core.models import Staff
from marketing.core.tenancy import tenant_scope


@shared_task
def replay_failed(tenant_id: str, user_id: str, operation: str) -> None:
    """Do again what failed, in the name of who asked."""
    from billing_bridge import services

    tenant = UUID(tenant_id)
    with tenant_scope(tenant):
        row_ids = services.replayable(operation=operation)
    services.replay_rows(
        tenant_id=tenant,
        row_ids=row_ids,
        actor=lambda: Actor.for_staff(Staff.objects.get(user_id=user_id, is_active=True)),
    )


@shared_task
def drop_old_rows() -> None:
    from billing_bridge import services

    services.drop_old_rows()
