"""Counters of limited offers and codes: moved by one conditional statement a table, or not at all.

All statements go to the server in one piece: a row that many want is held no longer than they take.

Whoever moves several does so in the order of (kind, ids): codes, offers in all, offers in a
branch, customers. No counter is touched for a limit that an offer does not have.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import groupby
from typing import Any, NamedTuple

from customers.facts import MARK
from marketing.core.errors import DomainError
from marketing.core.postgresql.base import Answer
from marketing.core.prepared import ask_later, bigints, send_later
from marketing.core.tenancy import current_tenant_id
from marketing.coupons.errors import refusal_of
from marketing.coupons.models import OfferUse
from marketing.coupons.pricing.reasons import Reason, ReasonCode, reason
from marketing.coupons.pricing.terms import Limits
from marketing.coupons.rules import LIFETIME
from marketing.coupons.selectors.periods import period_starts


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

# What is asked of the counters of one table, in the order in which they are locked.
_ASKED = """
unnest(%(owners)s::uuid[], %(parts)s::uuid[], %(periods)s::date[], %(used)s::bigint[],
       %(reserved)s::bigint[], %(spent)s::bigint[], %(held)s::bigint[], %(limits)s::bigint[],
       %(budgets)s::bigint[])
    WITH ORDINALITY AS asked (owner, part, period, used, reserved, spent, held, most, budget, place)
"""
# An UPDATE of several rows locks them in no order of ours: they are locked before it.
_LOCK = """
SELECT FROM {asked} JOIN {table} own ON own.tenant_id = %(tenant)s AND {same}
ORDER BY asked.place FOR UPDATE OF own
"""
# Where the limit of an offer was taken away since, there is no row, and nothing to move.
_MOVE = """
UPDATE {table} own SET {moved} FROM {asked} WHERE own.tenant_id = %(tenant)s AND {same}
RETURNING asked.place, {now}
"""
CODE_WITHIN = "AND own.used + own.reserved + asked.used + asked.reserved <= asked.most"
OFFER_WITHIN = """
WHERE (
    SELECT (asked.most IS NULL
            OR own.used + own.reserved + excluded.used + excluded.reserved <= asked.most)
       AND (asked.budget IS NULL
            OR own.spent + own.held + excluded.spent + excluded.held <= asked.budget)
    FROM asked WHERE asked.owner = own.offer_id AND asked.part IS NOT DISTINCT FROM own.branch_id)
"""
TAKE_OFFERS = """
WITH asked AS MATERIALIZED (SELECT * FROM {asked}), taken AS (
    INSERT INTO coupons_offeruse AS own (
        tenant_id, offer_id, branch_id, used, reserved, spent, held)
    SELECT %(tenant)s, owner, part, used, reserved, spent, held FROM asked {alone} ORDER BY place
    ON CONFLICT (tenant_id, offer_id, branch_id) DO UPDATE
    SET used = own.used + excluded.used, reserved = own.reserved + excluded.reserved,
        spent = own.spent + excluded.spent, held = own.held + excluded.held
    {within}
    RETURNING offer_id, branch_id, used
)
SELECT asked.place, taken.used FROM asked JOIN taken
    ON taken.offer_id = asked.owner AND taken.branch_id IS NOT DISTINCT FROM asked.part
"""
# A first row is within every limit, but of a budget that was set below what was promised before.
OFFER_ALONE = "WHERE budget IS NULL OR spent + held <= budget"
CUSTOMER_WITHIN = """
WHERE own.n + excluded.n <= (
    SELECT asked.most FROM asked
    WHERE asked.owner = own.offer_id AND asked.part = own.customer_id
      AND asked.period = own.period_start)
"""
TAKE_CUSTOMERS = """
WITH asked AS MATERIALIZED (SELECT * FROM {asked}), taken AS (
    INSERT INTO coupons_customeruse AS own (tenant_id, customer_id, offer_id, period_start, n)
    SELECT %(tenant)s, part, owner, period, used + reserved FROM asked ORDER BY place
    ON CONFLICT (tenant_id, customer_id, offer_id, period_start) DO UPDATE
    SET n = own.n + excluded.n {within}
    RETURNING customer_id, offer_id, period_start, n
)
SELECT asked.place, taken.n FROM asked JOIN taken ON taken.customer_id = asked.part
    AND taken.offer_id = asked.owner AND taken.period_start = asked.period
"""


class _Table(NamedTuple):
    """A table of counters: which row is asked for, what is added, what is told of it then."""

    name: str
    same: str
    moved: str
    now: str


_CODES = _Table(
    "coupons_couponcode",
    "own.id = asked.owner",
    "used = own.used + asked.used, reserved = own.reserved + asked.reserved",
    "own.used",
)
_OFFERS = _Table(
    "coupons_offeruse",
    "own.offer_id = asked.owner AND own.branch_id IS NOT DISTINCT FROM asked.part",
    f"{_CODES.moved}, spent = own.spent + asked.spent, held = own.held + asked.held",
    "own.used",
)
_CUSTOMERS = _Table(
    "coupons_customeruse",
    "own.customer_id = asked.part AND own.offer_id = asked.owner"
    " AND own.period_start = asked.period",
    "n = own.n + asked.used + asked.reserved",
    "own.n",
)
# What rules ask of her codes is copied to her facts.
_MOVE_CODES = f"""
WITH moved AS (
    UPDATE {_CODES.name} own SET {_CODES.moved} FROM {_ASKED}
    WHERE own.tenant_id = %(tenant)s AND {_CODES.same} {{within}}
    RETURNING own.tenant_id, own.customer_id, asked.place, own.used
), marked AS ({MARK.format(changed="moved")} WHERE customer_id IS NOT NULL)
SELECT place, used FROM moved
"""  # noqa: S608  constants
_TABLES = {Kind.CODE: _CODES, Kind.TOTAL: _OFFERS, Kind.BRANCH: _OFFERS, Kind.CUSTOMER: _CUSTOMERS}

Changes = dict[Counter, Change]


def add(changes: Changes, uses: Iterable[Use], what: Change) -> None:
    """Add what happens to each of `uses` to `changes`; amounts are the uses' own."""
    uses = list(uses)
    starts = period_starts([(use.day, use.limits) for use in uses])
    for use, start in zip(uses, starts, strict=True):
        for counter, change in _of(use, what, start):
            before = changes.get(counter)
            changes[counter] = change if before is None else before.plus(change)


def give_back(changes: Changes, use: Use, *, amount: int, whole: bool) -> None:
    """Add that `amount` of a redeemed use came back, and with `whole` the use itself."""
    add(changes, [replace(use, amount=amount)], Change(used=-1 if whole else 0, spent=-1))


def _of(use: Use, what: Change, start: dt.date) -> list[tuple[Counter, Change]]:
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
            hers = Counter(Kind.CUSTOMER, use.offer_id, use.customer_id, start)
            found.append((hers, replace(counts, limit=limits.per_period)))
    return found


def move(changes: Changes) -> dict[uuid.UUID, int]:
    """Make the changes, all of them or, by raising, none.

    Raises Module 11's refusal when a limit or budget would be passed. Answers how often each offer
    whose total was moved is used now, reservations not counted.
    """
    totals: dict[uuid.UUID, int] = {}
    moving = [each for each in sorted(changes, key=_place) if _moves(each, changes[each])]
    asked_by_table = []
    for (table, _takes), together in groupby(
        moving, key=lambda each: (_TABLES[each.kind], changes[each].takes)
    ):
        asked = {each: changes[each] for each in together}
        asked_by_table.append((asked, _ask_to_move(table, asked)))
    for asked, answer in asked_by_table:
        counters = list(asked)
        moved = {counters[place - 1]: int(count) for place, count in answer.rows}
        for counter, change in asked.items():
            if change.takes and counter not in moved:
                raise _refusal(counter, change)
            if counter.kind is Kind.TOTAL and counter in moved:
                totals[counter.owner] = moved[counter]
    return totals


def _moves(counter: Counter, change: Change) -> bool:
    """A customer's counter does not tell what is held from what is used."""
    if counter.kind is Kind.CUSTOMER:
        return bool(change.used + change.reserved)
    return not change.is_nothing


def _place(counter: Counter) -> tuple[int, int, int, dt.date]:
    part = 0 if counter.part is None else counter.part.int
    return counter.kind, counter.owner.int, part, counter.period


def _ask_to_move(table: _Table, changes: Changes) -> Answer:
    """Places and what the counters there say after changes of one table that all take, or all do
    not; those of which no row was changed are left out."""
    counters = list(changes)
    takes = changes[counters[0]].takes
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "owners": [each.owner for each in counters],
        "parts": [each.part for each in counters],
        "periods": [each.period for each in counters],
        "used": bigints(change.used for change in changes.values()),
        "reserved": bigints(change.reserved for change in changes.values()),
        "spent": bigints(change.spent for change in changes.values()),
        "held": bigints(change.held for change in changes.values()),
        "limits": bigints(change.limit for change in changes.values()),
        "budgets": bigints(change.budget for change in changes.values()),
    }
    if len(counters) > 1 and (table is _CODES or not takes):
        send_later(_LOCK.format(asked=_ASKED, table=table.name, same=table.same), values)
    return ask_later(_statement(table, takes=takes), values)


def _statement(table: _Table, *, takes: bool) -> str:
    if takes and table is _OFFERS:
        return TAKE_OFFERS.format(asked=_ASKED, alone=OFFER_ALONE, within=OFFER_WITHIN)
    if takes and table is _CUSTOMERS:
        return TAKE_CUSTOMERS.format(asked=_ASKED, within=CUSTOMER_WITHIN)
    if table is _CODES:
        return _MOVE_CODES.format(within=CODE_WITHIN if takes else "")
    return _MOVE.format(
        table=table.name, asked=_ASKED, same=table.same, moved=table.moved, now=table.now
    )


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
    use = OfferUse.objects.filter(offer=counter.owner, branch=None).first() or OfferUse(
        used=0, reserved=0, spent=0, held=0
    )
    taken = use.used + use.reserved
    if change.limit is not None and taken + change.used + change.reserved > change.limit:
        return reason(ReasonCode.LIMIT_TOTAL, n=taken, limit=limit)
    left = (change.budget or 0) - use.spent - use.held
    return reason(ReasonCode.BUDGET_LEFT, left=left, need=change.spent + change.held)
