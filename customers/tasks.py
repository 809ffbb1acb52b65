from celery import shared_task

from marketing.core.sweeps import drain_each_chain, in_each_chain


@shared_task
def refresh_stale_facts(tenant_id: str | None = None) -> None:
    """Compute the facts that changes made stale: of one tenant, or (swept by beat) of all."""
    from customers import facts

    drain_each_chain(facts.refresh_stale_facts, only=tenant_id)


@shared_task
def age_facts(tenant_id: str | None = None) -> None:
    """Compute what the clock changed, for every branch whose day has begun since (hourly), or
    what one tenant's change of its scoring did."""
    from customers import facts, scoring

    in_each_chain(scoring.ensure_scoring, only=tenant_id)
    in_each_chain(scoring.move_quintiles, only=tenant_id)
    drain_each_chain(facts.age_facts, only=tenant_id)


@shared_task
def keep_duplicates() -> None:
    """Look for customers who are in the base twice, and forget merges too old to undo (nightly)."""
    from customers import services

    in_each_chain(services.find_duplicates)
    in_each_chain(services.forget_old_merges)
