"""What of a campaign failed and may be sent again."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.selectors import plan
from marketing.core import clock
from marketing.core.errors import NoExchangeRate
from marketing.core.tenancy import current_tenant
from marketing.delivery.models import MessageState, SendRun
from marketing.delivery.selectors import Cause, causes_of
from marketing.policy import selectors as policy
from marketing.policy.rules import message_category


@dataclass(frozen=True)
class FailedRun:
    """How many messages of a run failed and nobody has decided about: `again` may be sent again,
    for about `cost` (None: not known), the `hopeless` ones may not."""

    run: CampaignRun
    again: int
    cost: Decimal | None
    hopeless: int


def failed_runs(
    campaign: Campaign, runs: Sequence[CampaignRun], of_latest: Sequence[Cause]
) -> list[FailedRun]:
    """The finished ones of the campaign's `runs` with such messages, newest first.

    `runs` come oldest first; `of_latest` is why messages of the last one failed.
    """
    over = [run for run in reversed(runs) if run.send_run.state == SendRun.State.DONE]
    earlier = [run.send_run_id for run in over if run != runs[-1]]
    causes = [
        cause
        for cause in (*of_latest, *causes_of(earlier, [MessageState.FAILED]))
        if cause.state == MessageState.FAILED and cause.open
    ]
    if not causes:
        return []
    price = _price(campaign)
    found = []
    for run in over:
        of_run = [cause for cause in causes if cause.run_id == run.send_run_id]
        again = sum(cause.open for cause in of_run if cause.may_be_retried)
        hopeless = sum(cause.open for cause in of_run) - again
        if of_run:
            found.append(FailedRun(run, again, None if price is None else again * price, hopeless))
    return found


def _price(campaign: Campaign) -> Decimal | None:
    """About what a message costs: at home, of one part; None while an exchange rate is missing."""
    account = policy.default_account(campaign.channel)
    if account is None:
        return Decimal(0)
    try:
        return policy.message_price(
            provider=account.provider,
            channel=campaign.channel,
            country=current_tenant().country,
            category=message_category(plan.purpose(campaign)),
            on=policy.day_of(clock.now()),
        )
    except NoExchangeRate:
        return None
