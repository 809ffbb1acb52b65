from celery import shared_task

from marketing.core.sweeps import drain_each_chain, in_each_chain


@shared_task
def give_rewards() -> None:
    """Approve what is past its refund window, reward what is approved, and tell both."""
    from marketing.referrals import services

    in_each_chain(services.watch_entries)
    drain_each_chain(services.approve_due)
    drain_each_chain(services.reward_due)
    in_each_chain(services.mind_notices)
    drain_each_chain(services.give_notices)


@shared_task
def keep_referrals() -> None:
    """Codes for new customers, what ran out, and codes that bring too many (daily)."""
    from marketing.referrals import services

    drain_each_chain(services.make_missing_codes)
    drain_each_chain(services.expire_unused)
    drain_each_chain(services.drop_old_tokens)
    in_each_chain(services.watch_collusion)
