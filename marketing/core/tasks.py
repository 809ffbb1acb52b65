from celery import shared_task


@shared_task
def deliver_events() -> None:
    """Hand stored domain events to their handlers (also swept by beat)."""
    from marketing.core import events

    events.deliver_due()


@shared_task
def ensure_partitions() -> None:
    """Make next months' partitions and report rows in a DEFAULT one."""
    from marketing.core import partitions

    partitions.keep_ahead()


@shared_task
def forget_responses() -> None:
    """Delete remembered responses of every tenant that are past their time."""
    from marketing.core import idempotency
    from marketing.core.models import Tenant
    from marketing.core.tenancy import tenant_scope

    for tenant in Tenant.objects.all():
        with tenant_scope(tenant.pk):
            idempotency.forget_old()


@shared_task
def check_parents() -> None:
    """Report rows of the append tables, of every chain, whose parent is gone."""
    from marketing.core import loose_keys

    loose_keys.check_parents()


@shared_task
def mail_notifications() -> None:
    """Send each chain's due e-mails to staff (also swept by beat), none in a transaction."""
    from marketing.core import services
    from marketing.core.models import Tenant
    from marketing.core.tenancy import tenant_scope

    for tenant in Tenant.objects.filter(is_active=True):
        while True:
            with tenant_scope(tenant.pk):
                mails = services.take_mails()
            if not mails:
                break
            sent = services.send_mails(mails)
            with tenant_scope(tenant.pk):
                services.note_sent(sent)


@shared_task
def forget_notifications() -> None:
    """Delete what staff were told more than 90 days ago, in every chain."""
    from marketing.core import services, sweeps

    sweeps.in_each_chain(services.forget_old)
