"""A person decides about messages whose answer was lost and that no vendor reported."""

import datetime as dt
import uuid

from django.db import connection, transaction
from django.utils.translation import gettext as _

from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import Conflict
from marketing.core.tenancy import current_tenant_id
from marketing.delivery.dispatch import outcomes
from marketing.delivery.dispatch.outcomes import Outcome
from marketing.delivery.models import BatchReason, SendRun
from marketing.delivery.rules import MAX_TRIES, Result, ResultClass
from marketing.policy import selectors as policy

COUNTED_AS_SENT = Result(ResultClass.ACCEPTED, code="counted_as_sent")
COUNTED_AS_FAILED = Result(ResultClass.RETRY, code="counted_as_failed")

UNDECIDED = """
    SELECT m.id, m.segments
    FROM delivery_dispatchbatch b JOIN delivery_message m
      ON m.batch_id = b.id AND m.id BETWEEN b.first_id AND b.last_id
    WHERE b.id = %(batch)s AND m.state = 'unknown' AND m.error_code = %(code)s
      AND m.sending_at < %(before)s
    ORDER BY m.id
"""


def decided_before(now: dt.datetime) -> dt.datetime:
    """Whose answer was lost before this may be decided about: until then it may still come."""
    return now - dt.timedelta(hours=policy.get_config().unknown_decision_hours)


@transaction.atomic
def decide_unknown(*, actor: Actor, run: SendRun, code: str, as_sent: bool) -> int:
    """Count what is unknown for this cause as sent, or as failed; returns how many.

    What counts as failed may be sent again, at the risk that somebody gets it twice. Raises
    `Conflict` when nothing is left that may be decided about.
    """
    actor.require("campaign.send")
    result = COUNTED_AS_SENT if as_sent else COUNTED_AS_FAILED
    causes = BatchReason.objects.filter(
        run_id=run.pk, state="unknown", code=code, count__gt=0
    ).order_by("batch_id")
    decided = 0
    for batch_id in causes.values_list("batch_id", flat=True):
        rows = _undecided(batch_id, code)
        if rows:
            lost = [Outcome(pk, result, MAX_TRIES, segments) for pk, segments in rows]
            outcomes.write(current_tenant_id(), lost, rows[0][0], rows[-1][0])
            decided += len(rows)
    if not decided:
        raise Conflict(_("Nothing of it is left to decide about."))
    audit.record(
        actor,
        "send_run.decide_unknown",
        run,
        {"code": code, "as": "sent" if as_sent else "failed", "messages": decided},
    )
    return decided


def _undecided(batch_id: int, code: str) -> list[tuple[uuid.UUID, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            UNDECIDED, {"batch": batch_id, "code": code, "before": decided_before(clock.now())}
        )
        rows: list[tuple[uuid.UUID, int]] = cursor.fetchall()
    return rows
