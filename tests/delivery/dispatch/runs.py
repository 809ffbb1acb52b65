"""How the runs of these tests stand, and how time passes for them."""

from django.utils import timezone

from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import DispatchBatch, Message
from tests.factories.delivery import states_of

PEOPLE = 25


def states(run):
    with tenant_scope(run.tenant_id):
        rows = Message.objects.filter(run=run).values_list("state", flat=True)
        from_rows = {state: list(rows).count(state) for state in set(rows)}
        assert states_of(run) == from_rows
        return from_rows


def due_now(run):
    """Let what waits for a retry be due."""
    with tenant_scope(run.tenant_id):
        Message.objects.filter(run=run).update(not_before=timezone.now())
        DispatchBatch.objects.filter(run_id=run.pk).update(next_at=timezone.now())
