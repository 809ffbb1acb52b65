"""The codes that a sending gives each of its people: made with its freeze, revoked with it."""

import datetime as dt

from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors import plan
from marketing.core.actor import Actor
from marketing.core.ids import lower_bound
from marketing.core.tenancy import current_tenant_id
from marketing.coupons import services as coupons
from marketing.coupons.models import CodeBatch
from marketing.delivery import estimate
from marketing.delivery.models import SendRun
from marketing.delivery.services import FreezeResult

SENT = """
    SELECT m.customer_id FROM delivery_message m
    WHERE m.run_id = %(run)s AND m.id >= %(bound)s AND m.state <> 'skipped'
"""


def issue(campaign: Campaign, run: SendRun, now: dt.datetime) -> CodeBatch | None:
    """Give everybody who may be written to now a code of the campaign's offer, and let the run's
    messages say it; None where the campaign gives none. In the freeze's transaction.
    """
    if campaign.coupon is None or not plan.gives_own_codes(campaign):
        return None
    codes = coupons.issue_to_people(
        actor=Actor.system(current_tenant_id()),
        offer=campaign.coupon,
        people=estimate.sendable(plan.judged(campaign, now).verdicts),
        campaign_id=campaign.pk,
        run_id=run.pk,
    )
    run.steps = plan.steps(campaign, codes=codes)
    run.save(update_fields=["steps"])
    return codes


def keep_those_sent(codes: CodeBatch | None, run: SendRun, frozen: FreezeResult) -> None:
    """Take the codes back from whom the freeze judged otherwise, a moment later.

    Who has no code is skipped: those who go are among those who have one, and where they are as
    many they are the same.
    """
    if codes is not None and codes.made != frozen.sendable:
        bound = lower_bound(run.created_at)
        coupons.take_back_codes(batch=codes, kept=(SENT, {"run": run.pk, "bound": bound}))


def revoke(run: SendRun) -> None:
    """What a cancelled run issued opens nothing any more, unless it was used."""
    coupons.revoke_unused_codes(actor=Actor.system(current_tenant_id()), run_ids=[run.pk])
