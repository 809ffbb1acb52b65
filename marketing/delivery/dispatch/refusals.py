"""A run whose text or account the vendor refuses is paused: the rest would only be refused, too."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping

from django.db import connection
from django.db.models import F, Sum

from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id
from marketing.delivery.models import DispatchBatch, SendRun
from marketing.delivery.selectors.waiting import ACCOUNT_PAUSED
from marketing.delivery.services.runs import pause_run
from marketing.policy import services as policy
from marketing.policy.models import ProviderAccount

CONTENT_REFUSED = "content_refused"
FEWEST = 20
# Of a run that cannot come to so many.
FEWEST_OF_FEW = 3
LATEST = 40
# What counts as an answer: of the call itself, or of the vendor's later word.
ANSWERED = ("sent", "delivered", "read", "failed")
REPORTED = ("delivered", "read", "failed")

# The latest answers of each batch: within its bounds, however large the run is.
ANSWERS = """
    SELECT b.run_id, count(*), count(*) FILTER (WHERE m.error_class = 'fail_content'),
           max(m.error_detail) FILTER (WHERE m.error_class = 'fail_content'),
           count(DISTINCT m.error_code)
    FROM delivery_dispatchbatch b CROSS JOIN LATERAL (
        SELECT m.error_class, m.error_code, m.error_detail FROM delivery_message m
        WHERE m.batch_id = b.id AND m.id BETWEEN b.first_id AND b.last_id
          AND m.state = ANY(%(answered)s)
        ORDER BY coalesce(m.failed_at, m.sent_at) DESC LIMIT %(latest)s
    ) m
    WHERE b.id = ANY(%(batches)s)
    GROUP BY b.run_id
"""


def pause_refused_runs(batch_ids: Collection[int], *, answered: Collection[str] = ANSWERED) -> None:
    """Pause the runs of these batches whose latest answers are faults of the text.

    More than half of at least twenty: one person's odd value does not stop the others. A run of
    fewer people stops when the first three or more are all refused for the same cause, if
    anybody is left. Of a vendor that refuses by callbacks, what it only accepted (not
    `REPORTED`) says nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            ANSWERS,
            {"answered": list(answered), "latest": LATEST, "batches": list(batch_ids)},
        )
        found = cursor.fetchall()
    refused, few = {}, {}
    for run_id, answers, faults, detail, causes in found:
        if answers >= FEWEST:
            if faults > answers / 2:
                refused[run_id] = detail
        elif answers >= FEWEST_OF_FEW and faults == answers and causes == 1:
            few[run_id] = detail
    refused |= {run_id: few[run_id] for run_id in _with_few_left(few)}
    for run in SendRun.objects.filter(pk__in=refused, state=SendRun.State.FROZEN):
        pause_run(run=run, reason=CONTENT_REFUSED, detail=refused[run.pk])


def _with_few_left(run_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Which of the runs write to fewer than twenty people and have not yet written to some."""
    if not run_ids:
        return set()
    waiting = F("queued") + F("held")
    done = F("sending") + F("unknown") + F("sent") + F("delivered") + F("read") + F("failed")
    sums = DispatchBatch.objects.filter(run_id__in=run_ids).values_list("run_id")
    small = sums.annotate(waiting=Sum(waiting), people=Sum(waiting + done))
    return {run_id for run_id, left, people in small if left and people < FEWEST}


def pause_faulted_accounts(faults: Mapping[uuid.UUID, str]) -> None:
    """Open each account's circuit and pause what it has left to send, in the vendor's words."""
    left = DispatchBatch.objects.exclude(state=DispatchBatch.State.DONE)
    for account in ProviderAccount.objects.filter(pk__in=faults).order_by("pk"):
        runs = left.filter(account_id=account.pk).values("run_id")
        stop_account(
            account,
            faults[account.pk],
            SendRun.objects.filter(pk__in=runs, state=SendRun.State.FROZEN).order_by("pk"),
        )


def stop_account(
    account: ProviderAccount,
    fault: str,
    runs: Iterable[SendRun],
    *,
    retry_at: dt.datetime | None = None,
) -> None:
    """Open the account's circuit, until `retry_at` if given, and pause these runs of it."""
    detail = f"{account.name}: {fault}"
    policy.open_circuit(
        actor=Actor.system(current_tenant_id()), account=account, reason=detail, retry_at=retry_at
    )
    for run in runs:
        pause_run(run=run, reason=ACCOUNT_PAUSED, detail=detail)
