"""Delivery's background work. Rows are the truth; a task that is lost costs seconds only."""

from uuid import UUID

from celery import shared_task
from django.core.cache import cache

from marketing.core.nudge import nudge
from marketing.core.sweeps import drain_each_chain, in_each_chain
from marketing.core.tenancy import tenant_scope
from marketing.delivery import pace

# How long to wait for the consumer that was asked for, before asking again.
NUDGE_SECONDS = 10
CONSUMER_NUDGED = "nudge:consume_webhooks"


@shared_task(acks_late=False)
def dispatch_messages() -> None:
    """Send due batches for up to 40 seconds, then hand over to a fresh task.

    Acknowledged at the start: a killed task need not be delivered again, the sweep starts
    another within seconds.
    """
    from marketing.delivery import services

    if services.dispatch_due():
        nudge(dispatch_messages)


def nudge_dispatch() -> None:
    """Ask the dispatch workers to look for due batches."""
    nudge(dispatch_messages)


@shared_task
def sweep_batches() -> None:
    """Find messages whose worker was lost, and wake the dispatchers when batches are due."""
    from marketing.delivery import services

    if services.sweep_batches():
        nudge_dispatch()


@shared_task
def finish_run(tenant_id: str, run_id: str) -> None:
    from marketing.delivery import services

    with tenant_scope(UUID(tenant_id)):
        services.finish_run_if_done(run_id=UUID(run_id))


@shared_task
def skip_cancelled(tenant_id: str, run_id: str) -> None:
    """Skip what still waits in a large cancelled run."""
    from marketing.delivery import services

    services.skip_cancelled(tenant_id=UUID(tenant_id), run_id=UUID(run_id))


@shared_task
def consume_webhooks() -> None:
    """Apply the webhooks that came in, of every tenant that has some."""
    from marketing.delivery import services

    cache.delete(CONSUMER_NUDGED)
    services.consume_webhooks()


@shared_task
def read_mailboxes() -> None:
    """Fetch the bounces of every chain's mail servers."""
    from marketing.delivery.webhooks import mailboxes

    mailboxes.read_mailboxes()


def nudge_consumer() -> None:
    """Ask for `consume_webhooks`, unless it was asked for and has not begun."""
    if cache.add(CONSUMER_NUDGED, 1, timeout=NUDGE_SECONDS):
        nudge(consume_webhooks)


@shared_task
def count_engagement() -> None:
    """Count the clicks and openings that came in, of every tenant that has some."""
    from marketing.delivery.links import counting

    counting.count_engagement()


@shared_task
def keep_alerts() -> None:
    """Look for what somebody must mend, in every chain."""
    from marketing.delivery.operations import alerts

    in_each_chain(alerts.keep_alerts)


@shared_task
def drop_old_partitions() -> None:
    """Drop partitions of messages past every tenant's retention, and of old webhooks."""
    from marketing.delivery import services

    services.drop_old_partitions()
    services.drop_old_webhooks()


@shared_task
def sweep_fallbacks() -> None:
    """Try the next channel for those whom the one before did not reach."""
    from marketing.delivery import services

    services.sweep_fallbacks()


@shared_task
def settle_costs() -> None:
    """Book what messages cost by what became of them, and stop what the money does not reach."""
    from marketing.delivery import services

    services.settle_due()
    drain_each_chain(services.stop_an_overdrawn_run)


@shared_task
def look_up_unknown() -> None:
    """Ask vendors what became of messages whose answer was lost."""
    from marketing.delivery import services

    services.look_up_unknown()


@shared_task
def sample_runs() -> None:
    """Note how far each run is, for its rate."""
    pace.sample_runs()


@shared_task
def reconcile_messages() -> None:
    """Finish runs whose last outcome came by webhook or sweep, and cancelled ones whose task was
    lost; expect no more of old ones."""
    from marketing.delivery import services

    in_each_chain(services.finish_done_runs)
    in_each_chain(services.skip_rest_of_cancelled)
    in_each_chain(services.expect_no_more)
