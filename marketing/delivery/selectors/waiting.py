"""Which runs wait for what."""

import uuid

from django.db.models import QuerySet

from marketing.delivery.models import DispatchBatch, SendRun

ACCOUNT_PAUSED = "account_paused"


def runs_waiting_for(account_id: uuid.UUID) -> QuerySet[SendRun]:
    """Runs that paused themselves because the account's circuit was open."""
    of_account = DispatchBatch.objects.filter(
        account_id=account_id, state=DispatchBatch.State.STOPPED
    )
    return SendRun.objects.filter(
        state=SendRun.State.PAUSED,
        pause_reason=ACCOUNT_PAUSED,
        pk__in=of_account.values("run_id"),
    ).order_by("pk")


def held_for(run: SendRun) -> str:
    """For what all that a paused run has left is held, in the gate's words; "" if for nothing.

    Its messages stay `queued` in their rows: pausing and going on write no million of them.
    """
    waits = run.state == SendRun.State.PAUSED and run.pause_reason == ACCOUNT_PAUSED
    return ACCOUNT_PAUSED if waits else ""
