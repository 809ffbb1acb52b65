from celery import shared_task

from marketing.core.sweeps import drain_each_chain, in_each_chain


@shared_task
def turn_days() -> None:
    """What a new day brings, in this order (hourly, because days begin in each chain's own zone):
    pending points become active, others expire, tiers are renewed or lowered, birthdays thanked
    with points and with codes."""
    from marketing.loyalty import services

    drain_each_chain(services.activate_due)
    drain_each_chain(services.expire_due)
    drain_each_chain(services.end_periods)
    drain_each_chain(services.give_birthday_bonuses)
    drain_each_chain(services.give_birthday_codes)


@shared_task
def give_bonuses() -> None:
    """Thank who joined."""
    from marketing.loyalty import services

    drain_each_chain(services.give_signup_bonuses)


@shared_task
def end_overdue_holds() -> None:
    """Give back points that a counter held and forgot."""
    from marketing.loyalty import services

    drain_each_chain(services.void_overdue_holds)


@shared_task
def prove_ledgers() -> None:
    """Derive every balance anew and compare (nightly)."""
    from marketing.loyalty import services

    in_each_chain(services.prove_ledger)
