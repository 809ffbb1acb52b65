"""What of a campaign failed and may be sent again."""

from dataclasses import dataclass
from decimal import Decimal

from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.selectors import plan
from marketing.core import clock
from marketing.core.errors import NoExchangeRate
from marketing.core.tenancy import current_tenant
from marketing.delivery.models import MessageState, SendRun
from marketing.delivery.selectors import causes_of
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


def failed_runs(campaign: Campaign) -> list[FailedRun]:
    """The campaign's finished runs with such messages, newest first."""
    over = campaign.runs.filter(send_run__state=SendRun.State.DONE).select_related("send_run")
    runs = {run.send_run_id: run for run in over.order_by("-number")}
    causes = [cause for cause in causes_of(list(runs), [MessageState.FAILED]) if cause.open]
    if not causes:
        return []
    price = _price(campaign)
    found = []
    for run_id, run in runs.items():
        of_run = [cause for cause in causes if cause.run_id == run_id]
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
    now = clock.now()
    try:
        return policy.message_price(
            provider=account.provider,
            channel=campaign.channel,
            country=current_tenant().country,
            category=message_category(plan.purpose(campaign)),
            on=now.date(),
        )
    except NoExchangeRate:
        return None
