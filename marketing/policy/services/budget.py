"""The monthly budget: reserved at the freeze, booked as messages are charged or cannot be any more.

Every movement touches the chain's row first and then the branches' in the order of their
ids, so that transactions which move several never wait for each other in a circle.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from marketing.core import events
from marketing.core.errors import BudgetExceeded
from marketing.core.tenancy import current_tenant_id
from marketing.policy.selectors import month_of

NOTHING = Decimal(0)

OPEN_ROWS = """
    INSERT INTO policy_budgetmonth (tenant_id, branch_id, month, reserved, spent)
    SELECT %(tenant)s, branch_id, %(month)s, 0, 0 FROM unnest(%(branches)s::uuid[]) AS branch_id
    ON CONFLICT DO NOTHING
"""
LOCK_ROWS = """
    SELECT 1 FROM policy_budgetmonth
    WHERE tenant_id = %(tenant)s AND month = %(month)s
      AND (branch_id IS NULL OR branch_id = ANY(%(branches)s::uuid[]))
    ORDER BY branch_id NULLS FIRST FOR UPDATE
"""
LIMITED = """
    SELECT budget.id, budget.branch_id, moved.reserve, moved.spend,
           CASE WHEN budget.branch_id IS NULL THEN config.monthly_budget_limit
                ELSE branch_config.monthly_budget_limit END AS budget_limit,
           coalesce(config.budget_alert_threshold_percent, 80) AS alert_percent
    FROM policy_budgetmonth budget
    JOIN unnest(%(branches)s::uuid[], %(reserve)s::numeric[], %(spend)s::numeric[])
         AS moved(branch_id, reserve, spend)
         ON budget.branch_id IS NOT DISTINCT FROM moved.branch_id
    LEFT JOIN policy_marketingconfig config ON config.tenant_id = budget.tenant_id
    LEFT JOIN policy_branchmarketingconfig branch_config
         ON branch_config.branch_id = budget.branch_id
    WHERE budget.tenant_id = %(tenant)s AND budget.month = %(month)s
"""
# Only a promise is refused: what was sent has to be paid.
MOVE = f"""
    UPDATE policy_budgetmonth budget
    SET reserved = budget.reserved + limited.reserve,
        spent = budget.spent + limited.spend,
        alerted_at = CASE
            WHEN budget.reserved + budget.spent + limited.reserve + limited.spend
                 >= limited.budget_limit * limited.alert_percent / 100
            THEN coalesce(budget.alerted_at, now()) ELSE budget.alerted_at END
    FROM ({LIMITED}) limited
    WHERE budget.id = limited.id
      AND (NOT %(is_promise)s OR limited.reserve <= 0 OR limited.budget_limit IS NULL
           OR budget.reserved + budget.spent + limited.reserve <= limited.budget_limit)
    RETURNING budget.branch_id, limited.budget_limit, new.reserved, new.spent,
              old.alerted_at IS NULL AND new.alerted_at IS NOT NULL
"""  # noqa: S608  composed of constants only
SHORTFALLS = f"""
    SELECT limited.branch_id, limited.budget_limit, budget.reserved, budget.spent, limited.reserve
    FROM ({LIMITED}) limited JOIN policy_budgetmonth budget ON budget.id = limited.id
    WHERE budget.reserved + budget.spent + limited.reserve > limited.budget_limit
    ORDER BY limited.branch_id NULLS FIRST
"""  # noqa: S608  composed of constants only


def reserve_budget(*, branch_costs: Mapping[uuid.UUID | None, Decimal], on: dt.datetime) -> None:
    """Promise money of the month of `on`: each branch's cost to it, all of them to the chain.

    The cost at key None belongs to no branch. All or nothing: raises `BudgetExceeded` with
    `details["shortfalls"]`, a list of branchId (None: the chain), limit, reserved, spent and
    asked.
    """
    _move({branch: (cost, NOTHING) for branch, cost in branch_costs.items()}, on, is_promise=True)


def book(*, changes: Mapping[uuid.UUID | None, tuple[Decimal, Decimal]], on: dt.datetime) -> None:
    """Add (reserved, spent) per branch, either may be negative, to the month of `on`.

    `on` is the moment of the reservation. Never refused: it says what has happened. Raises
    IntegrityError when more is released than was reserved.
    """
    _move(changes, on, is_promise=False)


def open_budget_month(*, on: dt.datetime) -> None:
    """Begin the month of `on` at zero for the chain; a month that is open stays as it is."""
    with connection.cursor() as cursor:
        cursor.execute(
            OPEN_ROWS,
            {"tenant": current_tenant_id(), "month": month_of(on), "branches": [None]},
        )


@transaction.atomic
def _move(
    moves: Mapping[uuid.UUID | None, tuple[Decimal, Decimal]], on: dt.datetime, *, is_promise: bool
) -> None:
    """Add (reserved, spent) to each branch and their sums to the chain; a promise within limits."""
    of_chain = (
        sum((reserve for reserve, _ in moves.values()), NOTHING),
        sum((spend for _, spend in moves.values()), NOTHING),
    )
    totals: dict[uuid.UUID | None, tuple[Decimal, Decimal]] = {None: of_chain}
    totals |= {branch: moves[branch] for branch in sorted(filter(None, moves))}
    month = month_of(on)
    parameters: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "month": month,
        "branches": list(totals),
        "reserve": [reserve for reserve, _ in totals.values()],
        "spend": [spend for _, spend in totals.values()],
        "is_promise": is_promise,
    }
    with connection.cursor() as cursor:
        cursor.execute(OPEN_ROWS, parameters)
        cursor.execute(LOCK_ROWS, parameters)
        cursor.execute(MOVE, parameters)
        moved = cursor.fetchall()
        if len(moved) < len(totals):
            cursor.execute(SHORTFALLS, parameters)
            raise BudgetExceeded(details={"shortfalls": [_shortfall(*row) for row in cursor]})
    for branch_id, limit, reserved, spent, has_crossed in moved:
        if has_crossed:
            events.record(
                "budget.threshold_reached",
                {
                    "branchId": branch_id,
                    "month": month,
                    "limit": limit,
                    "reserved": reserved,
                    "spent": spent,
                },
            )


def _shortfall(
    branch_id: uuid.UUID | None, limit: Decimal, reserved: Decimal, spent: Decimal, asked: Decimal
) -> dict[str, str | None]:
    return {
        "branchId": str(branch_id) if branch_id else None,
        "limit": str(limit),
        "reserved": str(reserved),
        "spent": str(spent),
        "asked": str(asked),
    }
