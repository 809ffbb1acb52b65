import uuid

from celery import shared_task


@shared_task
def open_budget_month() -> None:
    """Open the month of every chain where one has begun; beat calls it each hour."""
    from marketing.core import clock
    from marketing.core.sweeps import in_each_chain
    from marketing.policy import services

    in_each_chain(lambda: services.open_budget_month(on=clock.now()))


@shared_task
def check_account_connection(tenant_id: str, account_id: str) -> None:
    """Ask an account's vendor whether it works; asked for on the account's page."""
    from marketing.policy import services

    services.run_connection_test(tenant_id=uuid.UUID(tenant_id), account_id=uuid.UUID(account_id))


@shared_task
def close_due_circuits() -> None:
    """Let accounts whose vendor did not answer try again."""
    from marketing.core.sweeps import in_each_chain
    from marketing.policy import services

    in_each_chain(services.close_due_circuits)
