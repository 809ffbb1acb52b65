"""The money of a month: limits, what is spent, promised and held, what is left."""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Exists, OuterRef, Q, Subquery, Sum

from marketing.core import clock
from marketing.core.models import Branch
from marketing.core.tenancy import current_tenant, current_tenant_id
from marketing.policy.models import (
    BranchMarketingConfig,
    BudgetHold,
    BudgetMonth,
)
from marketing.policy.rules import left_of
from marketing.policy.selectors.settings import branch_config, get_config

NOTHING = Decimal(0)

# Of each branch, then of the chain: the limit, and what of it is promised or spent.
USED_OF_LIMIT = """
SELECT CASE WHEN b.id IS NULL THEN chain.monthly_budget_limit
            ELSE branch.monthly_budget_limit END,
       coalesce(m.reserved + m.spent, 0)
FROM unnest(%(branches)s::uuid[] || NULL::uuid) WITH ORDINALITY AS b(id, place)
LEFT JOIN policy_marketingconfig chain ON chain.tenant_id = %(tenant)s
LEFT JOIN policy_branchmarketingconfig branch
    ON branch.tenant_id = %(tenant)s AND branch.branch_id = b.id
LEFT JOIN policy_budgetmonth m ON m.tenant_id = %(tenant)s AND m.month = %(month)s
    AND m.branch_id IS NOT DISTINCT FROM b.id
ORDER BY b.place
"""


# What runs hold and have spent, without what is held for approved ones.
OVERDRAWN = """
SELECT m.id FROM policy_budgetmonth m
LEFT JOIN policy_marketingconfig chain ON chain.tenant_id = m.tenant_id
LEFT JOIN policy_branchmarketingconfig branch ON branch.branch_id = m.branch_id
WHERE m.tenant_id = %(tenant)s AND m.reserved > 0
  AND m.reserved + m.spent - (
        SELECT coalesce(sum(h.amount), 0) FROM policy_budgethold h
        WHERE h.tenant_id = m.tenant_id AND h.month = m.month
          AND (m.branch_id IS NULL OR h.branch_id = m.branch_id))
      > CASE WHEN m.branch_id IS NULL THEN chain.monthly_budget_limit
             ELSE branch.monthly_budget_limit END
ORDER BY m.month, m.branch_id NULLS FIRST
"""


@dataclass(frozen=True)
class MonthSpend:
    """Money of one month of a branch, or of the whole chain (`branch` None). Limit None: any.

    From `alert_percent` of the limit on somebody should know; None: nobody is told of it.
    """

    branch: Branch | None
    month: dt.date
    limit: Decimal | None
    reserved: Decimal
    spent: Decimal
    alert_percent: int | None = None

    @property
    def left(self) -> Decimal | None:
        return left_of(self.limit, self.reserved + self.spent)

    @property
    def used(self) -> Decimal:
        return self.reserved + self.spent

    @property
    def share(self) -> float:
        """Used part of the limit, 0 without one; may pass 1 after the limit was lowered."""
        return float((self.reserved + self.spent) / self.limit) if self.limit else 0.0

    @property
    def is_alarming(self) -> bool:
        return self.alert_percent is not None and self.share * 100 >= self.alert_percent


def day_of(moment: dt.datetime) -> dt.date:
    """The day that a moment falls on where the tenant is: by it prices and budgets are dated."""
    return moment.astimezone(ZoneInfo(current_tenant().time_zone)).date()


def month_of(moment: dt.datetime) -> dt.date:
    """First day of the month that a moment falls in where the tenant is."""
    return day_of(moment).replace(day=1)


def spend_of_month(month: dt.date | None = None) -> list[MonthSpend]:
    """The chain's money of a month (None: the present one), then each active branch's."""
    first_day = month_of(clock.now()) if month is None else month.replace(day=1)
    config = get_config()
    rows = {row.branch_id: row for row in BudgetMonth.objects.filter(month=first_day)}
    limit_of_branch = BranchMarketingConfig.objects.filter(branch=OuterRef("pk"))
    spent_in_month = BudgetMonth.objects.filter(branch=OuterRef("pk"), month=first_day)
    branches = Branch.objects.filter(Q(is_active=True) | Exists(spent_in_month)).annotate(
        budget_limit=Subquery(limit_of_branch.values("monthly_budget_limit"))
    )

    def spend(branch: Branch | None, limit: Decimal | None) -> MonthSpend:
        row = rows.get(branch.pk if branch else None) or BudgetMonth()
        alert_percent = config.budget_alert_threshold_percent
        return MonthSpend(branch, first_day, limit, row.reserved, row.spent, alert_percent)

    chain = spend(None, config.monthly_budget_limit)
    return [chain, *(spend(branch, branch.budget_limit) for branch in branches)]


def held_of_month(
    month: dt.date, branch_ids: Collection[uuid.UUID] | None
) -> list[tuple[uuid.UUID, uuid.UUID | None, Decimal]]:
    """Holder, branch and amount of what is held for what is approved; None: of every branch."""
    held = BudgetHold.objects.filter(month=month)
    if branch_ids is not None:
        held = held.filter(branch__in=branch_ids)
    return list(held.order_by("pk").values_list("holder_id", "branch_id", "amount"))


def held_for(holder_id: uuid.UUID) -> Decimal:
    """What is held of the present month for something approved."""
    held = BudgetHold.objects.filter(holder_id=holder_id, month=month_of(clock.now()))
    return held.aggregate(amount=Sum("amount", default=NOTHING))["amount"]  # type: ignore[no-any-return]


def months_with_money() -> list[dt.date]:
    """Months that were ever opened, and the present one, oldest first."""
    opened = BudgetMonth.objects.order_by("month").values_list("month", flat=True).distinct()
    return sorted({*opened, month_of(clock.now())})


def overdrawn() -> list[MonthSpend]:
    """Months in which more is promised to runs and spent than the limit allows."""
    with connection.cursor() as cursor:
        cursor.execute(OVERDRAWN, {"tenant": current_tenant_id()})
        ids = [row_id for (row_id,) in cursor.fetchall()]
    if not ids:
        return []
    limit_of_branch = BranchMarketingConfig.objects.filter(branch=OuterRef("branch"))
    rows = BudgetMonth.objects.filter(pk__in=ids).select_related("branch")
    of_branch = Subquery(limit_of_branch.values("monthly_budget_limit"))
    chain_limit = get_config().monthly_budget_limit
    return [
        MonthSpend(
            row.branch,
            row.month,
            row.of_branch if row.branch else chain_limit,
            row.reserved,
            row.spent,
        )
        for row in rows.annotate(of_branch=of_branch).order_by("month", "branch_id")
    ]


def branch_spend(branch: Branch) -> MonthSpend:
    """The branch's money of the present month."""
    month = month_of(clock.now())
    row = BudgetMonth.objects.filter(branch=branch, month=month).first() or BudgetMonth()
    limit = branch_config(branch.pk).monthly_budget_limit
    return MonthSpend(branch, month, limit, row.reserved, row.spent)


def budget_left(branch_ids: Sequence[uuid.UUID] | None) -> Decimal | None:
    """What may still be promised this month for these branches together (None: the chain).

    None when no limit binds. The chain's own limit binds its branches too.
    """
    *of_branches, of_chain = _left_of_month(branch_ids or ())
    limited = [left for left in of_branches if left is not None]
    bounds = [] if of_chain is None else [of_chain]
    # One of them without a limit may take it all.
    if limited and len(limited) == len(of_branches):
        bounds.append(sum(limited, NOTHING))
    return min(bounds, default=None)


def reaches(asked: Mapping[uuid.UUID | None, Decimal]) -> bool:
    """Whether so much of each branch, and of the chain (None), may still be promised this month."""
    wanted = {None: NOTHING, **asked}
    of_chain = wanted.pop(None)
    left = _left_of_month([branch_id for branch_id in wanted if branch_id])
    amounts = [*wanted.values(), of_chain]
    return all(has is None or amount <= has for amount, has in zip(amounts, left, strict=True))


def _left_of_month(branch_ids: Sequence[uuid.UUID]) -> list[Decimal | None]:
    """What each branch has left of its own limit, and last the chain; None: no limit binds."""
    tenant, month = current_tenant_id(), month_of(clock.now())
    values: dict[str, Any] = {"tenant": tenant, "month": month, "branches": list(branch_ids)}
    with connection.cursor() as cursor:
        cursor.execute(USED_OF_LIMIT, values)
        return [left_of(limit, used) for limit, used in cursor.fetchall()]
