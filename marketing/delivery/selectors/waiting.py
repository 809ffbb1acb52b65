"""Which runs wait for what."""

import uuid

from django.db.models import Q, QuerySet

from marketing.delivery.models import DispatchBatch, SendRun
from marketing.policy.models import ProviderAccount

ACCOUNT_PAUSED = "account_paused"
BUDGET = "budget"
# What a run waits for that does not end it: its messages are read as held for that.
HOLDING = (ACCOUNT_PAUSED, BUDGET)


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


def lock_stopped_account_of(run: SendRun) -> ProviderAccount | None:
    """A stopped account by which the run has something to send.

    Locked: the circuit closes only after the caller's transaction, and finds what waits for it.
    """
    unfinished = DispatchBatch.objects.filter(run_id=run.pk).exclude(state=DispatchBatch.State.DONE)
    accounts = ProviderAccount.objects.filter(pk__in=unfinished.values("account_id"))
    stopped = accounts.filter(~Q(circuit_reason="") | Q(is_active=False)).order_by("pk")
    return stopped.select_for_update(no_key=True).first()


def why_stopped(account: ProviderAccount) -> str:
    """ "" for an account that sends."""
    return account.circuit_reason or (
        "" if account.is_active else "The provider account is switched off."
    )


def held_for(run: SendRun) -> str:
    """For what all that a paused run has left is held, in the gate's words; "" if for nothing.

    Its messages stay `queued` in their rows: pausing and going on write no million of them.
    """
    waits = run.state == SendRun.State.PAUSED and run.pause_reason in HOLDING
    return run.pause_reason if waits else ""
