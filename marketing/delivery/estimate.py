"""What a run would do if it were frozen now: the same judgement, only counted."""

import datetime as dt
import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from customers.models import Customer
from marketing.content.models import TemplateVersion
from marketing.delivery.judgement import judge
from marketing.delivery.plan import ChannelPlan, plan_channels

# How many people are judged to find one who may be written to, before everybody is.
LOOKED_AT = 50


@dataclass(frozen=True)
class Estimate:
    """Counts and cost of an audience. `branch_costs` is keyed by the charged branch.

    `cost` is that of the dearest path, `first_cost` what goes at once. `steps` counts the
    messages that go at once, by the number of their step. `opens_at` is when the first of
    those outside their send window may be written to.
    """

    total: int
    sendable: int
    reasons: dict[str, int]
    steps: dict[int, int]
    cost: Decimal
    first_cost: Decimal
    branch_costs: dict[uuid.UUID | None, Decimal]
    waiting: int
    opens_at: dt.datetime | None

    def to_json(self) -> dict[str, Any]:
        """To be stored; `from_json` makes the same estimate of it."""
        return asdict(self) | {
            "steps": {str(step): messages for step, messages in self.steps.items()},
            "branch_costs": {str(pk or ""): str(cost) for pk, cost in self.branch_costs.items()},
            "cost": str(self.cost),
            "first_cost": str(self.first_cost),
            "opens_at": self.opens_at and self.opens_at.isoformat(),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Estimate":
        typed = {
            "steps": {int(step): messages for step, messages in values["steps"].items()},
            "branch_costs": {
                uuid.UUID(pk) if pk else None: Decimal(cost)
                for pk, cost in values["branch_costs"].items()
            },
            "cost": Decimal(values["cost"]),
            "first_cost": Decimal(values["first_cost"]),
            "opens_at": values["opens_at"] and dt.datetime.fromisoformat(values["opens_at"]),
        }
        return cls(**{**values, **typed})


class Sampled(NamedTuple):
    """Somebody who would be written to, on which step and with what."""

    name: str
    step: int
    language: str
    variables: dict[str, str]


class Judged(NamedTuple):
    """An audience and the plan by which it is judged, to be counted or looked at."""

    plan: ChannelPlan
    audience: QuerySet[Customer]
    charged_branch_id: uuid.UUID | None


def judged(
    *,
    audience: QuerySet[Customer],
    purpose: str,
    mode: str,
    steps: Sequence[Mapping[str, Any]],
    charged_branch_id: uuid.UUID | None,
    now: dt.datetime,
    versions: Mapping[str, TemplateVersion] | None = None,
) -> Judged:
    """What the gate says of everyone in `audience` at `now`. Raises as `plan_channels`."""
    plan = plan_channels(steps, mode=mode, purpose=purpose, now=now, versions=versions)
    return Judged(plan, audience, charged_branch_id)


def sendable(verdicts: Judged) -> tuple[str, dict[str, Any]]:
    """SQL that gives the `id` of everybody who may be written to, with its parameters."""
    sql, params = judge(*verdicts)
    return f"SELECT v.id FROM ({sql}) v WHERE v.reason IS NULL AND NOT v.is_extra", params  # noqa: S608


def estimate(verdicts: Judged) -> Estimate:
    """Judge and count everyone in one statement."""
    sql, params = judge(*verdicts)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT reason, step, is_extra, charged_branch_id, opens_at, count(*), sum(cost),
                   coalesce(sum(fallback_cost), 0)
            FROM ({sql}) v GROUP BY reason, step, is_extra, charged_branch_id, opens_at
            """,  # noqa: S608  the gate's SQL is ours, its values are parameters
            params,
        )
        rows = cursor.fetchall()
    reasons: Counter[str] = Counter()
    of_step: Counter[int] = Counter()
    branch_costs: dict[uuid.UUID | None, Decimal] = defaultdict(Decimal)
    total = waiting = 0
    first_cost = Decimal(0)
    opening = []
    for reason, step, is_extra, branch_id, opens_at, count, cost, fallback_cost in rows:
        total += 0 if is_extra else count
        if reason:
            reasons[reason] += count
            continue
        of_step[step] += count
        first_cost += cost
        branch_costs[branch_id] += cost + fallback_cost
        if opens_at:
            waiting += 0 if is_extra else count
            opening.append(opens_at)
    return Estimate(
        total=total,
        sendable=total - reasons.total(),
        reasons=dict(reasons),
        steps=dict(of_step),
        cost=sum(branch_costs.values(), Decimal(0)),
        first_cost=first_cost,
        branch_costs=dict(branch_costs),
        waiting=waiting,
        opens_at=min(opening, default=None),
    )


def sample(verdicts: Judged, *, size: int) -> list[Sampled]:
    """A few of the people who would be written to, each with her first message.

    Whom the database finds first: to sort them it would have to judge everyone. Of those who
    share an address the first of the chain alone may be among them, each kind of address looked
    for by its own index.
    """
    first = verdicts.audience.order_by().values_list("pk", flat=True)[: size * LOOKED_AT]
    looked_at = list(first)
    found = _sample(verdicts._replace(audience=verdicts.audience.filter(pk__in=looked_at)), size)
    if len(found) < size and len(looked_at) == size * LOOKED_AT:
        return _sample(verdicts, size)
    return found


def _sample(verdicts: Judged, size: int) -> list[Sampled]:
    sql, params = judge(*verdicts, looks_for_doubles=False)
    # With the columns that the statement adds.
    people: Iterable[Any] = Customer.objects.raw(
        f"""
        SELECT c.*, v.step, v.language AS written_in, v.variables
        FROM (SELECT id, step, language, variables FROM ({sql}) v
              WHERE reason IS NULL AND NOT is_extra AND NOT EXISTS (
                  SELECT FROM customers_customer o
                  WHERE o.tenant_id = %(tenant_id)s AND o.phone = v.address AND o.id < v.id
              ) AND NOT EXISTS (
                  SELECT FROM customers_customer o
                  WHERE o.tenant_id = %(tenant_id)s AND o.email = v.address AND o.id < v.id
              ) AND NOT EXISTS (
                  SELECT FROM customers_contactpoint o
                  WHERE o.tenant_id = %(tenant_id)s AND o.kind = 'whatsapp' AND o.is_primary
                    AND o.value = v.address AND o.customer_id < v.id)
              LIMIT %(size)s) v
        JOIN customers_customer c ON c.id = v.id
        ORDER BY v.id
        """,  # noqa: S608  as above
        params | {"size": size},
    )
    return [
        Sampled(person.name, person.step, person.written_in, json.loads(person.variables))
        for person in people
    ]
