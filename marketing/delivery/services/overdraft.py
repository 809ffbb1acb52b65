"""The hard stop: where a month's money is gone, what is not sent yet is held for it."""

from django.db import connection, transaction
from django.utils.translation import gettext as _

from marketing.core.tenancy import current_tenant
from marketing.delivery.models import BatchCost, SendRun
from marketing.delivery.selectors.waiting import BUDGET
from marketing.delivery.services.runs import pause_run
from marketing.delivery.services.settlement import settle_batches
from marketing.policy import selectors as policy

# Of two who see the same excess each would stop a run: it is asked for, and a run stopped, by one.
LOCK = "SELECT pg_advisory_xact_lock(hashtext('overdrawn runs'), hashtext(%s))"
# Campaigns that hold something of a month's money, of the branch's or of anybody's, and have
# somebody left; the last to come gives way first.
HOLDERS = """
    SELECT r.id FROM delivery_sendrun r
    WHERE r.tenant_id = %(tenant)s AND r.state = 'frozen' AND r.campaign_id IS NOT NULL
      AND EXISTS (
        SELECT FROM delivery_batchcost c
        WHERE c.run_id = r.id AND c.reserved > 0
          AND (%(branch)s::uuid IS NULL OR c.branch_id = %(branch)s)
          AND coalesce(c.month, date_trunc('month', r.frozen_at AT TIME ZONE %(zone)s)::date)
              = %(month)s)
      AND EXISTS (
        SELECT FROM delivery_dispatchbatch b
        WHERE b.run_id = r.id AND (b.queued + b.held > 0 OR b.fallback_at IS NOT NULL))
    ORDER BY r.frozen_at DESC, r.id DESC LIMIT 1
"""


@transaction.atomic
def stop_an_overdrawn_run() -> bool:
    """Pause one run where more is promised and spent than the limit allows; whether one was.

    The limit was lowered, or messages cost more than was promised. What the run has not begun to
    send gives its money back and waits, read as `held` for the `budget`, until the run goes on.
    Called again until nothing is overdrawn, or nobody is left to stop. What is only held for
    approved campaigns stops nobody: those are judged when they are frozen.
    """
    tenant = current_tenant()
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [str(tenant.pk)])
    for short in policy.overdrawn():
        with connection.cursor() as cursor:
            cursor.execute(
                HOLDERS,
                {
                    "tenant": tenant.pk,
                    "branch": short.branch.pk if short.branch else None,
                    "month": short.month,
                    "zone": tenant.time_zone,
                },
            )
            found = cursor.fetchone()
        if found is None:
            continue
        run = SendRun.objects.get(pk=found[0])
        name = short.branch.name if short.branch else _("The whole chain")
        detail = _("%(name)s: the limit of %(limit)s a month does not reach for all of it.")
        pause_run(run=run, reason=BUDGET, detail=detail % {"name": name, "limit": short.limit})
        promised = BatchCost.objects.filter(run_id=run.pk, reserved__gt=0)
        settle_batches(list(promised.values_list("batch_id", flat=True).distinct()))
        return True
    return False
