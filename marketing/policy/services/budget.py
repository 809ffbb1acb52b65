"""The monthly budget: held at the approval, reserved at the freeze, booked as messages are
charged or cannot be any more.

Every movement touches the months in their order, of each the chain's row first and then the
branches' in the order of their ids, so that transactions which move several never wait for each
other in a circle.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction

from marketing.core import events
from marketing.core.errors import BudgetExceeded
from marketing.core.tenancy import current_tenant_id
from marketing.policy.models import BudgetHold, BudgetMonth
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
    SELECT budget.id, budget.branch_id, moved.reserve, moved.spend, moved.asked,
           CASE WHEN budget.branch_id IS NULL THEN config.monthly_budget_limit
                ELSE branch_config.monthly_budget_limit END AS budget_limit,
           coalesce(config.budget_alert_threshold_percent, 80) AS alert_percent
    FROM policy_budgetmonth budget
    JOIN unnest(%(branches)s::uuid[], %(reserve)s::numeric[], %(spend)s::numeric[],
                %(asked)s::numeric[]) AS moved(branch_id, reserve, spend, asked)
         ON budget.branch_id IS NOT DISTINCT FROM moved.branch_id
    LEFT JOIN policy_marketingconfig config ON config.tenant_id = budget.tenant_id
    LEFT JOIN policy_branchmarketingconfig branch_config
         ON branch_config.branch_id = budget.branch_id
    WHERE budget.tenant_id = %(tenant)s AND budget.month = %(month)s
"""
# Only what is asked for is refused: what was sent has to be paid.
MOVE = f"""
    UPDATE policy_budgetmonth budget
    SET reserved = budget.reserved + limited.reserve,
        spent = budget.spent + limited.spend,
        alerted_at = CASE
            WHEN budget.reserved + budget.spent + limited.reserve + limited.spend
                 >= limited.budget_limit * limited.alert_percent / 100
             AND budget.reserved + budget.spent + limited.reserve + limited.spend > 0
            THEN coalesce(budget.alerted_at, now()) ELSE budget.alerted_at END
    FROM ({LIMITED}) limited
    WHERE budget.id = limited.id
      AND (limited.asked <= 0 OR limited.budget_limit IS NULL
           OR budget.reserved + budget.spent + limited.reserve + limited.spend
              <= limited.budget_limit)
    RETURNING budget.branch_id, limited.budget_limit, new.reserved, new.spent,
              old.alerted_at IS NULL AND new.alerted_at IS NOT NULL
"""  # noqa: S608  composed of constants only
SHORTFALLS = f"""
    SELECT limited.branch_id, branch.name, limited.budget_limit, budget.reserved, budget.spent,
           limited.asked,
           greatest(limited.budget_limit - budget.reserved - budget.spent
                    - limited.reserve - limited.spend + limited.asked, 0)
    FROM ({LIMITED}) limited JOIN policy_budgetmonth budget ON budget.id = limited.id
    LEFT JOIN core_branch branch ON branch.id = limited.branch_id
    WHERE limited.asked > 0
      AND budget.reserved + budget.spent + limited.reserve + limited.spend > limited.budget_limit
    ORDER BY limited.branch_id NULLS FIRST
"""  # noqa: S608  composed of constants only


TAKE_HOLD = """
    DELETE FROM policy_budgethold WHERE tenant_id = %(tenant)s AND holder_id = %(holder)s
    RETURNING branch_id, month, amount
"""
# A hold ends with its month. Locked in order, as whoever replaces one of them does.
TAKE_ENDED = """
    WITH ended AS (
        SELECT id FROM policy_budgethold WHERE tenant_id = %(tenant)s AND month < %(month)s
        ORDER BY id FOR UPDATE
    ), taken AS (
        DELETE FROM policy_budgethold h USING ended WHERE h.id = ended.id
        RETURNING h.branch_id, h.month, h.amount
    )
    SELECT branch_id, month, sum(amount) FROM taken GROUP BY branch_id, month
"""


class Move(NamedTuple):
    """What is added to a branch's row; `asked` of it is a promise, within the limit or refused."""

    reserve: Decimal = NOTHING
    spend: Decimal = NOTHING
    asked: Decimal = NOTHING

    def plus(self, other: "Move") -> "Move":
        return Move(*(mine + its for mine, its in zip(self, other, strict=True)))


Moves = dict[uuid.UUID | None, Move]


def reserve_budget(
    *,
    branch_costs: Mapping[uuid.UUID | None, Decimal],
    on: dt.datetime,
    holder_id: uuid.UUID | None = None,
) -> None:
    """Promise money of the month of `on`: each branch's cost to it, all of them to the chain.

    The cost at key None belongs to no branch. What is held for `holder_id` is replaced. All or
    nothing: raises `BudgetExceeded` with `details["shortfalls"]`, a list of branchId (None: the
    chain), branch, limit, reserved, spent, left and asked.
    """
    _promise(branch_costs, on, holder_id)


@transaction.atomic
def hold_budget(
    *,
    holder_id: uuid.UUID,
    branch_costs: Mapping[uuid.UUID | None, Decimal],
    on: dt.datetime,
) -> None:
    """Hold money of the month of `on` back for something approved, until its run is frozen, the
    hold is released or the month ends; replaces what was held for it.

    Refused as `reserve_budget` is.
    """
    _promise(branch_costs, on, holder_id)
    month = month_of(on)
    BudgetHold.objects.bulk_create(
        BudgetHold(holder_id=holder_id, branch_id=branch, month=month, amount=cost)
        for branch, cost in branch_costs.items()
        if cost > 0
    )


@transaction.atomic
def release_hold(*, holder_id: uuid.UUID) -> None:
    """Give back what is held for it; nothing when nothing is."""
    _move_months(_taken_from_hold(holder_id))


def book(
    *,
    changes: Mapping[uuid.UUID | None, tuple[Decimal, Decimal]],
    month: dt.date,
    within_limits: bool = False,
) -> None:
    """Add (reserved, spent) per branch, either may be negative, to the month of that first day.

    Never refused, as it says what has happened; but `within_limits` what adds to the reserved is
    a promise, and refused as by `reserve_budget`. Raises IntegrityError when more is released
    than was reserved.
    """
    moves = {
        branch: Move(reserve, spend, max(reserve, NOTHING) if within_limits else NOTHING)
        for branch, (reserve, spend) in changes.items()
    }
    _move(moves, month)


@transaction.atomic
def open_budget_month(*, on: dt.datetime) -> None:
    """Begin the month of `on` at zero for the chain; a month that is open stays as it is.

    What was held in months before it is given back: it is asked for anew when it is needed.
    """
    month = month_of(on)
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"tenant": current_tenant_id(), "month": month, "branches": [None]}
        # Holds before months, as everywhere.
        cursor.execute(TAKE_ENDED, values)
        _move_months(_given_back(cursor.fetchall()))
        cursor.execute(OPEN_ROWS, values)


def look_at_thresholds(*, on: dt.datetime) -> None:
    """Tell of alert shares that are reached without a movement in the month of `on`, because a
    limit or the share itself was changed.
    """
    month = month_of(on)
    used = BudgetMonth.objects.filter(month=month).values_list("branch_id", flat=True)
    _move({branch: Move() for branch in used}, month)


@transaction.atomic
def _promise(
    branch_costs: Mapping[uuid.UUID | None, Decimal],
    on: dt.datetime,
    holder_id: uuid.UUID | None,
) -> None:
    months = _taken_from_hold(holder_id) if holder_id else defaultdict(dict)
    asked = months[month_of(on)]
    for branch, cost in branch_costs.items():
        asked[branch] = asked.get(branch, Move()).plus(Move(reserve=cost, asked=cost))
    _move_months(months)


def _taken_from_hold(holder_id: uuid.UUID) -> defaultdict[dt.date, Moves]:
    with connection.cursor() as cursor:
        cursor.execute(TAKE_HOLD, {"tenant": current_tenant_id(), "holder": holder_id})
        return _given_back(cursor.fetchall())


def _given_back(
    held: list[tuple[uuid.UUID | None, dt.date, Decimal]],
) -> defaultdict[dt.date, Moves]:
    months: defaultdict[dt.date, Moves] = defaultdict(dict)
    for branch, month, amount in held:
        months[month][branch] = Move(reserve=-amount)
    return months


def _move_months(months: Mapping[dt.date, Moves]) -> None:
    for month in sorted(months):
        _move(months[month], month)


@transaction.atomic
def _move(moves: Mapping[uuid.UUID | None, Move], month: dt.date) -> None:
    """Move each branch's row and by their sums the chain's, all of them or none."""
    of_chain = Move()
    for move in moves.values():
        of_chain = of_chain.plus(move)
    totals: Moves = {None: of_chain}
    totals |= {branch: moves[branch] for branch in sorted(filter(None, moves))}
    parameters: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "month": month,
        "branches": list(totals),
        "reserve": [move.reserve for move in totals.values()],
        "spend": [move.spend for move in totals.values()],
        "asked": [move.asked for move in totals.values()],
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
    branch_id: uuid.UUID | None, branch: str | None, *amounts: Decimal
) -> dict[str, str | None]:
    names = ("limit", "reserved", "spent", "asked", "left")
    return {"branchId": str(branch_id) if branch_id else None, "branch": branch} | {
        name: str(amount) for name, amount in zip(names, amounts, strict=True)
    }
