import uuid

from celery import shared_task

from marketing.core.models import Tenant
from marketing.core.nudge import nudge
from marketing.core.sweeps import in_each_chain
from marketing.core.tenancy import tenant_scope


@shared_task
def run_import(tenant_id: str, job_id: str) -> None:
    """Check or import one file, a turn at a time."""
    from customers.imports import worker

    if worker.run_import(uuid.UUID(tenant_id), uuid.UUID(job_id)):
        nudge(run_import, tenant_id, job_id)


@shared_task
def sweep_imports() -> None:
    """Wake workers for files that nobody works on, whoever died over them."""
    from customers.imports import worker

    for pk in Tenant.objects.filter(is_active=True).values_list("pk", flat=True):
        with tenant_scope(pk):
            due = worker.due_imports()
        for job_id in due:
            nudge(run_import, str(pk), str(job_id))


@shared_task
def tidy_imports() -> None:
    """Throw away what imports that are over do not need any more."""
    from customers.imports import worker

    in_each_chain(worker.tidy_imports)
