"""Sending failed messages again, as a run of its own."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from customers.models import Customer
from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import Conflict
from marketing.delivery.models import BatchReason, Message, SendRun
from marketing.delivery.rules import ResultClass
from marketing.delivery.services.freeze import freeze_run
from marketing.delivery.services.runs import OPEN, create_run

# What failed, was neither sent again nor given up, and may succeed; who had enough marketing
# messages is left alone for a day. `batches` bound the walk along the primary key.
WHICH = """
    m.run_id = %(run)s AND m.batch_id = ANY(%(batches)s)
    AND m.id BETWEEN %(first)s AND %(last)s AND m.state = 'failed'
    AND (%(codes)s::text[] IS NULL OR m.error_code = ANY(%(codes)s))
    AND m.fallback_id IS NULL AND m.discarded_at IS NULL
    AND NOT m.error_class = ANY(%(hopeless)s)
    AND (m.error_class <> %(later)s OR m.failed_at < %(now)s - interval '24 hours')
    AND (%(step)s::int IS NULL OR m.step = %(step)s)
"""
# Locked in the order of their ids, in a statement of its own.
LOCK = f"""
    SELECT min(locked.step)
    FROM (SELECT m.step FROM delivery_message m WHERE {WHICH} ORDER BY m.id FOR UPDATE) locked
"""  # noqa: S608  composed of constants only
# Until the new rows stand, the old ones name the run that took them.
CLAIM = f"""
    WITH claimed AS (
        UPDATE delivery_message m SET fallback_id = %(retry)s WHERE {WHICH}
        RETURNING m.batch_id, m.error_code
    )
    SELECT batch_id, error_code, count(*) FROM claimed GROUP BY batch_id, error_code
"""  # noqa: S608  composed of constants only
DISCARD = f"""
    WITH discarded AS (
        UPDATE delivery_message m SET discarded_at = %(now)s WHERE {WHICH}
        RETURNING m.batch_id, m.error_code
    )
    SELECT batch_id, error_code, count(*) FROM discarded GROUP BY batch_id, error_code
"""  # noqa: S608  composed of constants only
NAME = """
    UPDATE delivery_message m SET fallback_id = made.id
    FROM delivery_message made
    WHERE m.run_id = %(run)s AND m.id BETWEEN %(first)s AND %(last)s
      AND m.fallback_id = %(retry)s
      AND made.run_id = %(retry)s AND made.customer_id = m.customer_id
      AND made.id > %(last)s AND made.id <= (
          SELECT last_id FROM delivery_dispatchbatch
          WHERE run_id = %(retry)s ORDER BY last_id DESC LIMIT 1)
"""
CLOSE = """
    UPDATE delivery_batchreason r SET closed = r.closed + v.count
    FROM unnest(%s::bigint[], %s::text[], %s::int[]) AS v(batch_id, code, count)
    WHERE r.batch_id = v.batch_id AND r.state = 'failed' AND r.code = v.code
"""


@transaction.atomic
def retry_failed(*, actor: Actor, run: SendRun, codes: Sequence[str] | None = None) -> SendRun:
    """Send again, in a new run, to those of `run` whose message failed and may yet succeed.

    `codes` are the causes to try again (None: all). The people are judged by the gate as at
    any freeze: who may no longer be written to has a row in the new run that says why. The
    money is reserved anew. Of a run on all channels at once only the failed channel goes
    again; when several failed, the first of them. A failed message is tried again once: of two
    who ask at the same time, one gets the run and the other `Conflict`.

    The two runs are counted apart: the old one keeps its failed messages in its states, the
    new one has an audience of its own. Over both, a person counts once a run, as in the runs
    of a recurring campaign.

    Raises `Conflict` while the run is still sending and when nothing is left to try,
    `BudgetExceeded` when the money does not reach.
    """
    actor.require("campaign.send")
    # Two who ask at once wait for each other here, before any message is locked.
    run = SendRun.objects.select_for_update().get(pk=run.pk)
    if run.state in (SendRun.State.READY, *OPEN):
        raise Conflict(_("It is still being sent. Try again when it is through."))
    place = _place(run, codes)
    step = _lock(place)
    if step is None:
        raise Conflict(_("Nothing of it is left to send again."))
    is_all = run.mode == SendRun.Mode.ALL
    retry = create_run(
        actor=actor,
        kind=run.kind,
        purpose=run.purpose,
        steps=[run.steps[step]] if is_all else run.steps,
        mode=SendRun.Mode.SINGLE if is_all else run.mode,
        campaign_id=run.campaign_id,
        label=run.label,
        branch_ids=run.branch_ids,
        charged_branch_id=run.charged_branch_id,
        priority=run.priority,
        retry_of=run.pk,
    )
    place |= {"retry": retry.pk, "step": step if is_all else None}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, place)
        claimed = _close(cursor.fetchall())
    people = Message.objects.filter(
        run_id=run.pk, fallback_id=retry.pk, pk__range=(place["first"], place["last"])
    )
    freeze_run(run=retry, audience=Customer.objects.filter(pk__in=people.values("customer_id")))
    with connection.cursor() as cursor:
        cursor.execute(NAME, place)
    audit.record(
        actor,
        "send_run.retry_failed",
        run,
        {"retryRunId": str(retry.pk), "messages": claimed, "codes": list(codes or [])},
    )
    retry.refresh_from_db()
    return retry


@transaction.atomic
def discard_failed(*, actor: Actor, run: SendRun, code: str) -> int:
    """Give up what failed for this cause: it is not offered again. Returns how many.

    Nothing changes in what the run counts.
    """
    actor.require("campaign.send")
    place = _place(run, [code]) | {"hopeless": [], "later": ""}
    discarded = 0
    if _lock(place) is not None:
        with connection.cursor() as cursor:
            cursor.execute(DISCARD, place)
            discarded = _close(cursor.fetchall())
    if not discarded:
        raise Conflict(_("Somebody has decided about these before."))
    audit.record(actor, "send_run.discard_failed", run, {"code": code, "messages": discarded})
    return discarded


def _place(run: SendRun, codes: Sequence[str] | None) -> dict[str, Any]:
    """Where the run's failed messages are: their batches and the bounds of the ids."""
    causes = BatchReason.objects.filter(run_id=run.pk, state="failed", count__gt=0)
    if codes is not None:
        causes = causes.filter(code__in=codes)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, first_id, last_id FROM delivery_dispatchbatch WHERE id = ANY(%s)",
            [list(causes.values_list("batch_id", flat=True))],
        )
        batches = cursor.fetchall()
    return {
        "run": run.pk,
        "batches": [batch_id for batch_id, _, _ in batches],
        "first": min((first for _, first, _ in batches), default=None),
        "last": max((last for _, _, last in batches), default=None),
        "codes": None if codes is None else list(codes),
        "hopeless": [ResultClass.FAIL_RECIPIENT, ResultClass.FAIL_OPTOUT],
        "later": ResultClass.RETRY_LATER_24H,
        "now": clock.now(),
        "step": None,
    }


def _lock(place: dict[str, Any]) -> int | None:
    """Lock what there is; returns its first step, None when there is nothing."""
    if not place["batches"]:
        return None
    with connection.cursor() as cursor:
        cursor.execute(LOCK, place)
        (step,) = cursor.fetchone()
    return step  # type: ignore[no-any-return]


def _close(counts: Sequence[tuple[int, str, int]]) -> int:
    """Note with the causes how many of them are decided about; returns how many in all."""
    if counts:
        with connection.cursor() as cursor:
            cursor.execute(CLOSE, [list(column) for column in zip(*counts, strict=True)])
    return sum(count for _, _, count in counts)
