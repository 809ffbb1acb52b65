import uuid

from celery import shared_task


@shared_task
def make_batch(tenant_id: str, batch_id: str) -> None:
    """Make the codes of a batch, part after part, each in a transaction of its own."""
    from marketing.core.tenancy import tenant_scope
    from marketing.coupons import services

    more = True
    while more:
        with tenant_scope(uuid.UUID(tenant_id)):
            more = services.make_part(batch_id=uuid.UUID(batch_id))


@shared_task
def resume_batches() -> None:
    """Go on with batches whose worker is gone; one that is being made is left to it."""
    from marketing.core.sweeps import drain_each_chain
    from marketing.coupons import services

    drain_each_chain(services.make_next_part)


@shared_task
def copy_batches() -> None:
    """Copy who holds codes of new batches beside their facts."""
    from marketing.core.sweeps import drain_each_chain
    from marketing.coupons import services

    drain_each_chain(services.copy_next_part)


@shared_task
def expire_reservations() -> None:
    """Give back what overdue reservations hold."""
    from marketing.core.sweeps import drain_each_chain
    from marketing.coupons import services

    drain_each_chain(services.expire_due)
