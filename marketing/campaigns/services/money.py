"""The money of campaigns: held from the approval on, exact at the freeze."""

import datetime as dt
import uuid
from contextlib import suppress
from decimal import Decimal

from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors import plan
from marketing.campaigns.services import checks
from marketing.core.errors import BudgetExceeded
from marketing.delivery.estimate import Estimate
from marketing.policy import services as policy


def hold(campaign: Campaign, estimate: Estimate, on: dt.datetime) -> None:
    """Hold what the campaign, or its next run, will cost in the month of `on`; what was held for
    it is replaced.

    Raises `BudgetExceeded` when the money of a branch or of the chain does not reach.
    """
    policy.hold_budget(holder_id=campaign.pk, branch_costs=estimate.branch_costs, on=on)


def goes_at(campaign: Campaign, now: dt.datetime) -> dt.datetime:
    """When a campaign that is approved now is to go; in that month its money is held."""
    return max(checks.next_due(campaign, now) or now, now)


def hold_as_counted(campaign: Campaign, on: dt.datetime) -> None:
    """Hold what the campaign cost by its newest count in the month of `on`. Raises as `hold`."""
    policy.hold_budget(holder_id=campaign.pk, branch_costs=_counted_costs(campaign), on=on)


def hold_for_next_run(campaign: Campaign, due_at: dt.datetime) -> None:
    """Hold money for what goes then where there is some; else none is held, and the freeze asks."""
    try:
        hold_as_counted(campaign, due_at)
    except BudgetExceeded:
        release(campaign)


def release(campaign: Campaign) -> None:
    """Give back what is held for the campaign, if anything is."""
    policy.release_hold(holder_id=campaign.pk)


def _counted_costs(campaign: Campaign) -> dict[uuid.UUID | None, Decimal]:
    if campaign.counted:
        # What an earlier version of Parlour kept may have other fields.
        with suppress(LookupError, TypeError):
            counted = Estimate.from_json(campaign.counted)
            if counted.cost == campaign.estimated_cost:
                return counted.branch_costs
    return {plan.charged_branch_id(campaign): campaign.estimated_cost}
