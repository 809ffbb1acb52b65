"""Counters of limited offers and codes: moved by one conditional statement each, or not at all.

Whoever moves several does so in the order of (kind, ids): codes, offers in all, offers in a
branch, customers. No counter is touched for a limit that an offer does not have.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, NamedTuple

from django.db import connection

from customers.facts import MARK
from marketing.core.errors import DomainError
from marketing.core.tenancy import current_tenant_id
from marketing.coupons.errors import refusal_of
from marketing.coupons.models import OfferUse
from marketing.coupons.pricing.reasons import Reason, ReasonCode, reason
from marketing.coupons.pricing.terms import Limits
from marketing.coupons.rules import LIFETIME, period_start


class Kind(IntEnum):
    """In the order in which they are locked."""

    CODE = 1
    TOTAL = 2
    BRANCH = 3
    CUSTOMER = 4


class Counter(NamedTuple):
    """`owner` is a code or an offer, `part` a branch or a customer."""

    kind: Kind
    owner: uuid.UUID
    part: uuid.UUID | None = None
    period: dt.date = LIFETIME


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One offer on one bill, as its counters see it."""

    offer_id: uuid.UUID
    branch_id: uuid.UUID
    limits: Limits
    amount: int
    day: dt.date
    customer_id: uuid.UUID | None = None
    code_id: uuid.UUID | None = None
    code_limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is added to a counter, and how far it may go (None: any)."""

    used: int = 0
    reserved: int = 0
    spent: int = 0
    held: int = 0
    limit: int | None = None
    budget: int | None = None

    @property
    def takes(self) -> bool:
        return self.used + self.reserved > 0 or self.spent + self.held > 0

    @property
    def is_nothing(self) -> bool:
        return not (self.used or self.reserved or self.spent or self.held)

    def plus(self, other: "Change") -> "Change":
        return Change(
            used=self.used + other.used,
            reserved=self.reserved + other.reserved,
            spent=self.spent + other.spent,
            held=self.held + other.held,
            limit=self.limit if other.limit is None else other.limit,
            budget=self.budget if other.budget is None else other.budget,
        )


# What each of these makes of one use.
HOLD = Change(reserved=1, held=1)
LET_GO = Change(reserved=-1, held=-1)
USE_HELD = Change(used=1, spent=1, reserved=-1, held=-1)
USE_AT_ONCE = Change(used=1, spent=1)

CODE_WITHIN = "AND used + reserved + %(takes)s <= %(limit)s"
MOVE_CODE = f"""
WITH moved AS (
    UPDATE coupons_couponcode SET used = used + %(used)s, reserved = reserved + %(reserved)s
    WHERE id = %(owner)s AND tenant_id = %(tenant)s {{within}}
    RETURNING tenant_id, customer_id, used + reserved AS taken
), marked AS ({MARK.format(changed="moved")} WHERE customer_id IS NOT NULL)
SELECT taken FROM moved
"""  # noqa: S608  constants
OFFER_WITHIN = """
WHERE (%(limit)s::bigint IS NULL OR own.used + own.reserved + %(takes)s <= %(limit)s)
  AND (%(budget)s::bigint IS NULL OR own.spent + own.held + %(pays)s <= %(budget)s)
"""
TAKE_OFFER = """
INSERT INTO coupons_offeruse AS own (tenant_id, offer_id, branch_id, used, reserved, spent, held)
VALUES (%(tenant)s, %(owner)s, %(part)s, %(used)s, %(reserved)s, %(spent)s, %(held)s)
ON CONFLICT (tenant_id, offer_id, branch_id) DO UPDATE
SET used = own.used + %(used)s, reserved = own.reserved + %(reserved)s,
    spent = own.spent + %(spent)s, held = own.held + %(held)s
{within}
RETURNING used
"""
# Where the limit was taken away since, there is no row, and nothing to move.
MOVE_OFFER = """
UPDATE coupons_offeruse
SET used = used + %(used)s, reserved = reserved + %(reserved)s,
    spent = spent + %(spent)s, held = held + %(held)s
WHERE tenant_id = %(tenant)s AND offer_id = %(owner)s AND branch_id IS NOT DISTINCT FROM %(part)s
RETURNING used
"""
CUSTOMER_WITHIN = "WHERE own.n + %(takes)s <= %(limit)s"
TAKE_CUSTOMER = """
INSERT INTO coupons_customeruse AS own (tenant_id, customer_id, offer_id, period_start, n)
VALUES (%(tenant)s, %(part)s, %(owner)s, %(period)s, %(takes)s)
ON CONFLICT (tenant_id, customer_id, offer_id, period_start) DO UPDATE
SET n = own.n + %(takes)s {within}
RETURNING n
"""
MOVE_CUSTOMER = """
UPDATE coupons_customeruse SET n = n + %(takes)s
WHERE tenant_id = %(tenant)s AND customer_id = %(part)s AND offer_id = %(owner)s
  AND period_start = %(period)s
RETURNING n
"""

Changes = dict[Counter, Change]


def add(changes: Changes, uses: Iterable[Use], what: Change) -> None:
    """Add what happens to each of `uses` to `changes`; amounts are the uses' own."""
    for use in uses:
        for counter, change in _of(use, what):
            before = changes.get(counter)
            changes[counter] = change if before is None else before.plus(change)


def give_back(changes: Changes, use: Use, *, amount: int, whole: bool) -> None:
    """Add that `amount` of a redeemed use came back, and with `whole` the use itself."""
    add(changes, [replace(use, amount=amount)], Change(used=-1 if whole else 0, spent=-1))


def _of(use: Use, what: Change) -> list[tuple[Counter, Change]]:
    limits = use.limits
    counts = Change(used=what.used, reserved=what.reserved)
    pays = replace(counts, spent=what.spent * use.amount, held=what.held * use.amount)
    found: list[tuple[Counter, Change]] = []
    if use.code_id is not None and use.code_limit is not None:
        found.append((Counter(Kind.CODE, use.code_id), replace(counts, limit=use.code_limit)))
    if limits.total is not None or limits.budget is not None:
        of_offer = replace(pays, limit=limits.total, budget=limits.budget)
        found.append((Counter(Kind.TOTAL, use.offer_id), of_offer))
    if limits.per_branch is not None:
        of_branch = replace(pays, limit=limits.per_branch)
        found.append((Counter(Kind.BRANCH, use.offer_id, use.branch_id), of_branch))
    if use.customer_id is not None:
        if limits.per_customer is not None:
            hers = Counter(Kind.CUSTOMER, use.offer_id, use.customer_id)
            found.append((hers, replace(counts, limit=limits.per_customer)))
        if limits.per_period is not None:
            start = period_start(use.day, limits.period)
            hers = Counter(Kind.CUSTOMER, use.offer_id, use.customer_id, start)
            found.append((hers, replace(counts, limit=limits.per_period)))
    return found


def move(changes: Changes) -> dict[uuid.UUID, int]:
    """Make the changes, all of them or, by raising, none.

    Raises Module 11's refusal when a limit or budget would be passed. Answers how often each offer
    whose total was moved is used now, reservations not counted.
    """
    totals = {}
    for counter in sorted(changes, key=_place):
        change = changes[counter]
        if change.is_nothing:
            continue
        taken = _move(counter, change)
        if taken is None and change.takes:
            raise _refusal(counter, change)
        if counter.kind is Kind.TOTAL and taken is not None:
            totals[counter.owner] = taken
    return totals


def _place(counter: Counter) -> tuple[int, int, int, dt.date]:
    part = 0 if counter.part is None else counter.part.int
    return counter.kind, counter.owner.int, part, counter.period


def _move(counter: Counter, change: Change) -> int | None:
    """What the counter says after the change; None where no row was changed."""
    takes = change.used + change.reserved
    if counter.kind is Kind.CUSTOMER and not takes:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            _statement(counter.kind, change),
            {
                "tenant": current_tenant_id(),
                "owner": counter.owner,
                "part": counter.part,
                "period": counter.period,
                "used": change.used,
                "reserved": change.reserved,
                "spent": change.spent,
                "held": change.held,
                "takes": takes,
                "pays": change.spent + change.held,
                "limit": change.limit,
                "budget": change.budget,
            },
        )
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def _statement(kind: Kind, change: Change) -> str:
    if kind is Kind.CODE:
        return MOVE_CODE.format(within=CODE_WITHIN if change.takes else "")
    if kind is Kind.CUSTOMER:
        return TAKE_CUSTOMER.format(within=CUSTOMER_WITHIN) if change.takes else MOVE_CUSTOMER
    # A first row is within every limit but a budget below one bill, which no quote offers.
    return TAKE_OFFER.format(within=OFFER_WITHIN) if change.takes else MOVE_OFFER


def _refusal(counter: Counter, change: Change) -> DomainError:
    if counter.kind is Kind.CODE:
        return refusal_of([reason(ReasonCode.CODE_USED, limit=change.limit or 0)])
    return refusal_of([_why(counter, change)], offer=str(counter.owner))


def _why(counter: Counter, change: Change) -> Reason:
    limit = change.limit or 0
    if counter.kind is Kind.BRANCH:
        return reason(ReasonCode.LIMIT_BRANCH, limit=limit)
    if counter.kind is Kind.CUSTOMER:
        lifelong = counter.period == LIFETIME
        code = ReasonCode.LIMIT_CUSTOMER if lifelong else ReasonCode.LIMIT_PERIOD
        return reason(code, limit=limit)
    use = OfferUse.objects.get(offer=counter.owner, branch=None)
    taken = use.used + use.reserved
    if change.limit is not None and taken + change.used + change.reserved > change.limit:
        return reason(ReasonCode.LIMIT_TOTAL, n=taken, limit=limit)
    left = (change.budget or 0) - use.spent - use.held
    return reason(ReasonCode.BUDGET_LEFT, left=left, need=change.spent + change.held)


# Every use there is: live reservations and what was redeemed and not given back.
_USES = """
    SELECT tenant_id, offer_id, branch_id, customer_id, local_day,
           1 AS used, 0 AS reserved, amount - returned AS spent, 0 AS held
    FROM coupons_redemption WHERE tenant_id = %(tenant)s AND counted AND {rows}
    UNION ALL
    SELECT tenant_id, offer_id, branch_id, customer_id, local_day, 0, 1, 0, amount
    FROM coupons_hold WHERE tenant_id = %(tenant)s AND {rows}
"""
COUNT_OFFERS = f"""
INSERT INTO coupons_offeruse (tenant_id, offer_id, branch_id, used, reserved, spent, held)
SELECT uses.tenant_id, uses.offer_id, counted.branch_id,
       sum(used), sum(reserved), sum(spent), sum(held)
FROM ({_USES.format(rows="offer_id = ANY(%(offers)s)")}) uses
JOIN coupons_offer offer ON offer.id = uses.offer_id
CROSS JOIN LATERAL (
    SELECT NULL::uuid AS branch_id
    WHERE offer.max_total_uses IS NOT NULL OR offer.budget IS NOT NULL
    UNION ALL
    SELECT uses.branch_id WHERE offer.max_uses_per_branch IS NOT NULL
) counted
GROUP BY uses.tenant_id, uses.offer_id, counted.branch_id
"""  # noqa: S608  composed of constants only
_COUNT_CUSTOMERS = """
INSERT INTO coupons_customeruse (tenant_id, customer_id, offer_id, period_start, n)
SELECT uses.tenant_id, uses.customer_id, uses.offer_id, counted.period_start, count(*)
FROM ({uses}) uses
JOIN coupons_offer offer ON offer.id = uses.offer_id
CROSS JOIN LATERAL (
    SELECT %(lifetime)s::date AS period_start WHERE offer.max_uses_per_customer IS NOT NULL
    UNION ALL
    SELECT date_trunc(offer.use_period, uses.local_day::timestamp)::date
    WHERE offer.max_uses_per_period IS NOT NULL
) counted
WHERE uses.customer_id IS NOT NULL
GROUP BY uses.tenant_id, uses.customer_id, uses.offer_id, counted.period_start
"""
COUNT_CUSTOMERS_OF_OFFERS = _COUNT_CUSTOMERS.format(
    uses=_USES.format(rows="offer_id = ANY(%(offers)s)")
)
COUNT_CUSTOMERS = _COUNT_CUSTOMERS.format(
    uses=_USES.format(rows="customer_id = ANY(%(customers)s)")
)


def recount(offer_ids: Sequence[uuid.UUID]) -> None:
    """Make the offers' counters anew from what was held and redeemed, for the limits they have.

    The caller holds the change lock.
    """
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "offers": list(offer_ids),
        "lifetime": LIFETIME,
    }
    with connection.cursor() as cursor:
        for table in ("coupons_offeruse", "coupons_customeruse"):
            cursor.execute(
                f"DELETE FROM {table} WHERE tenant_id = %(tenant)s AND offer_id = ANY(%(offers)s)",  # noqa: S608  ours
                values,
            )
        cursor.execute(COUNT_OFFERS, values)
        cursor.execute(COUNT_CUSTOMERS_OF_OFFERS, values)


def recount_customers(customer_ids: Sequence[uuid.UUID]) -> None:
    """Make these customers' counters anew, whose rows have changed hands."""
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "customers": list(customer_ids),
        "lifetime": LIFETIME,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM coupons_customeruse"
            " WHERE tenant_id = %(tenant)s AND customer_id = ANY(%(customers)s)",
            values,
        )
        cursor.execute(COUNT_CUSTOMERS, values)
