"""What a run would do if it were frozen now: the same judgement, only counted."""

import datetime as dt
import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from customers.models import Customer
from marketing.delivery.plan import plan_step


@dataclass(frozen=True)
class Estimate:
    """Counts and cost of an audience. `branch_costs` is keyed by the charged branch.

    `opens_at` is when the first of those outside their send window may be written to.
    """

    total: int
    sendable: int
    reasons: dict[str, int]
    cost: Decimal
    branch_costs: dict[uuid.UUID | None, Decimal]
    waiting: int
    opens_at: dt.datetime | None


def estimate(
    *,
    audience: QuerySet[Customer],
    purpose: str,
    steps: Sequence[Mapping[str, Any]],
    charged_branch_id: uuid.UUID | None,
    now: dt.datetime,
) -> Estimate:
    """Judge everyone in `audience` in one statement. Raises as `plan_step` does."""
    judged, params = plan_step(steps[0], purpose=purpose, now=now).judged(
        audience, charged_branch_id
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT reason, charged_branch_id, opens_at, count(*), sum(cost)
            FROM ({judged}) v GROUP BY reason, charged_branch_id, opens_at
            """,  # noqa: S608  the gate's SQL is ours, its values are parameters
            params,
        )
        rows = cursor.fetchall()
    reasons: Counter[str] = Counter()
    branch_costs: dict[uuid.UUID | None, Decimal] = defaultdict(Decimal)
    total = waiting = 0
    opening = []
    for reason, branch_id, opens_at, count, cost in rows:
        total += count
        if reason:
            reasons[reason] += count
            continue
        branch_costs[branch_id] += cost
        if opens_at:
            waiting += count
            opening.append(opens_at)
    return Estimate(
        total=total,
        sendable=total - reasons.total(),
        reasons=dict(reasons),
        cost=sum(branch_costs.values(), Decimal(0)),
        branch_costs=dict(branch_costs),
        waiting=waiting,
        opens_at=min(opening, default=None),
    )


def sample(
    *,
    audience: QuerySet[Customer],
    purpose: str,
    steps: Sequence[Mapping[str, Any]],
    charged_branch_id: uuid.UUID | None,
    now: dt.datetime,
    size: int = 10,
) -> list[tuple[uuid.UUID, str, dict[str, str]]]:
    """(customer, language, variables) of a few people who would be written to."""
    judged, params = plan_step(steps[0], purpose=purpose, now=now).judged(
        audience, charged_branch_id
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, language, variables FROM ({judged}) v"  # noqa: S608  as above
            " WHERE reason IS NULL ORDER BY id DESC LIMIT %(size)s",
            params | {"size": size},
        )
        return [(row[0], row[1], json.loads(row[2])) for row in cursor.fetchall()]
