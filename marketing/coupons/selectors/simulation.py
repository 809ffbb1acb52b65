"""What an offer would have cost on the bills of the last 90 days."""

import dataclasses
import datetime as dt
import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from marketing.core.actor import Actor
from marketing.core.models import Branch
from marketing.coupons.pricing.bill import Cart, EnteredCode
from marketing.coupons.pricing.compiled import Catalogue
from marketing.coupons.pricing.engine import quote
from marketing.coupons.pricing.facts import Customer, OfferUsage, Settings
from marketing.coupons.pricing.terms import OfferTerms
from marketing.coupons.rules import local_day, period_start
from marketing.coupons.selectors.past_bills import DAYS, MOST, PastBill, buyers_of, past_bills
from marketing.coupons.selectors.periods import weeks_from
from marketing.coupons.selectors.settings import present_settings

Moment = tuple[uuid.UUID, dt.date]


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchCost:
    """Estimates for one branch: bills touched, rupees given, and of what turnover."""

    branch: Branch
    touched: int
    discount: Decimal
    turnover: Decimal

    @property
    def share(self) -> Decimal:
        return self.discount / self.turnover if self.turnover else Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dearest:
    """The bill on which most would have been given."""

    bill: PastBill
    branch: Branch
    discount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Estimates in rupees over the last `DAYS` days, from `looked_at` of `bills` bills.

    `used_up_on` is the day on which the last of its limit or budget would have gone;
    `as_long_as_it_lasts` the discount over the days for which the offer is meant, if it ends.
    """

    bills: int
    looked_at: int
    touched: int
    discount: Decimal
    turnover: Decimal
    branches: Sequence[BranchCost]
    dearest: Dearest | None
    used_up_on: dt.date | None
    as_long_as_it_lasts: Decimal | None

    @property
    def share(self) -> Decimal:
        """Of the turnover."""
        return self.discount / self.turnover if self.turnover else Decimal(0)

    @property
    def is_sampled(self) -> bool:
        return self.looked_at < self.bills

    @property
    def each(self) -> Decimal:
        """Of a bill that the offer touches."""
        return self.discount / self.touched if self.touched else Decimal(0)


def simulate(actor: Actor, terms: OfferTerms, now: dt.datetime, *, most: int = MOST) -> Cost:
    """The offer alone on each past bill of the actor's branches, as if it had held all the time.

    By its hours, weekdays, conditions and limits, in the order of time; its first and last day
    are not looked at, and of one that goes by codes everybody is taken to have one. Services are
    priced as they were sold. A sample of at most `most` bills, scaled; limits count what each of
    its bills stands for.
    """
    past = past_bills(now, actor.branch_ids, most=most)
    branches = Branch.objects.in_bulk({bill.branch_id for bill in past.sample})
    run = _Run(terms, branches, past.weight, present_settings())
    buyers = buyers_of(past.sample, terms.audience)
    for bill in past.sample:
        run.price(bill, buyers.of(bill))
    weight, found = past.weight, run.found
    discount = _rupees(sum(found.values()), weight)
    return Cost(
        bills=past.bills,
        looked_at=len(past.sample),
        touched=_whole(len(found) * weight),
        discount=discount,
        turnover=past.turnover,
        branches=_by_branch(past.sample, found, branches, weight),
        dearest=_dearest(past.sample, found, branches),
        used_up_on=run.used_up_on,
        as_long_as_it_lasts=_while_it_lasts(terms, discount),
    )


@dataclass(slots=True)
class _Run:
    """The bills priced one after the other, with what was taken before."""

    terms: OfferTerms
    branches: dict[uuid.UUID, Branch]
    weight: Decimal
    settings: Settings
    found: dict[uuid.UUID, int] = field(default_factory=dict)
    used_up_on: dt.date | None = None
    catalogue: Catalogue = field(init=False)
    codes: tuple[EnteredCode, ...] = field(init=False)
    weeks_from: int = field(default_factory=weeks_from)
    uses: Counter[uuid.UUID] = field(default_factory=Counter)
    hers: Counter[uuid.UUID] = field(default_factory=Counter)
    in_period: Counter[Moment] = field(default_factory=Counter)
    spent: int = 0

    def __post_init__(self) -> None:
        table = dataclasses.replace(self.terms.timetable, starts=None, ends=None)
        terms = dataclasses.replace(self.terms, active=True, timetable=table)
        self.catalogue = Catalogue([terms])
        self.codes = () if terms.automatic else (EnteredCode(code="CODE", offer=terms.id),)

    def price(self, bill: PastBill, buyer: Customer) -> None:
        branch = self.branches[bill.branch_id]
        day = local_day(bill.at, branch.time_zone)
        period = (bill.customer_id, period_start(day, self.terms.limits.period, self.weeks_from))
        answer = quote(
            Cart(
                branch=str(bill.branch_id),
                at=bill.at,
                timezone=branch.time_zone,
                lines=bill.lines,
                codes=self.codes,
            ),
            self.catalogue,
            customer=buyer,
            usage={self.terms.id: self._usage(bill, period)},
            settings=self.settings,
        )
        if not answer.discount:
            return
        self.found[bill.id] = answer.discount
        self.uses[bill.branch_id] += 1
        self.hers[bill.customer_id] += 1
        self.in_period[period] += 1
        self.spent += answer.discount
        if self.used_up_on is None and self._is_used_up():
            self.used_up_on = day

    def _usage(self, bill: PastBill, period: Moment) -> OfferUsage:
        return OfferUsage(
            total=_whole(self.uses.total() * self.weight),
            branch=_whole(self.uses[bill.branch_id] * self.weight),
            customer=self.hers[bill.customer_id],
            in_period=self.in_period[period],
            spent=_whole(self.spent * self.weight),
        )

    def _is_used_up(self) -> bool:
        limits = self.terms.limits
        total, spent = self.uses.total() * self.weight, self.spent * self.weight
        return (limits.total is not None and total >= limits.total) or (
            limits.budget is not None and spent >= limits.budget
        )


def _by_branch(
    sample: Sequence[PastBill],
    found: dict[uuid.UUID, int],
    branches: dict[uuid.UUID, Branch],
    weight: Decimal,
) -> list[BranchCost]:
    turnover: dict[uuid.UUID, Decimal] = defaultdict(Decimal)
    discount: Counter[uuid.UUID] = Counter()
    touched: Counter[uuid.UUID] = Counter()
    for bill in sample:
        turnover[bill.branch_id] += bill.total
        if bill.id in found:
            discount[bill.branch_id] += found[bill.id]
            touched[bill.branch_id] += 1
    costs = [
        BranchCost(
            branch=branches[pk],
            touched=_whole(touched[pk] * weight),
            discount=_rupees(discount[pk], weight),
            turnover=turnover[pk] * weight,
        )
        for pk in turnover
    ]
    return sorted(costs, key=lambda cost: (-cost.discount, cost.branch.name))


def _dearest(
    sample: Sequence[PastBill], found: dict[uuid.UUID, int], branches: dict[uuid.UUID, Branch]
) -> Dearest | None:
    if not found:
        return None
    bill = max(
        (bill for bill in sample if bill.id in found),
        key=lambda bill: (found[bill.id], bill.at),
    )
    return Dearest(
        bill=bill, branch=branches[bill.branch_id], discount=Decimal(found[bill.id]) / 100
    )


def _while_it_lasts(terms: OfferTerms, discount: Decimal) -> Decimal | None:
    table = terms.timetable
    if table.starts is None or table.ends is None:
        return None
    days = Decimal((table.ends - table.starts).total_seconds()) / 86_400
    return discount * days / DAYS


def _rupees(paise: int, weight: Decimal) -> Decimal:
    return Decimal(paise) * weight / 100


def _whole(number: Decimal) -> int:
    return int(number.to_integral_value(ROUND_HALF_UP))
