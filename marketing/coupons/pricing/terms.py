"""The terms of an offer, as its editor means them. One per revision; never changed in place."""

import datetime as dt
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Kind(StrEnum):
    """What an offer gives. The first three are Module 11's `discountType`."""

    PERCENTAGE = "percentage"
    FLAT = "flat"
    FREE_SERVICE = "free_service"
    FIXED_PRICE = "fixed_price"
    BUY_X_GET_Y = "buy_x_get_y"
    BUNDLE = "bundle"
    SPEND_TIERS = "spend_tiers"


class Scope(StrEnum):
    """Where it is reckoned and rounded: once over the eligible lines, per line, or per unit."""

    BILL = "bill"
    LINE = "line"
    UNIT = "unit"


class Weights(StrEnum):
    """How a bill's discount is spread: by what each line still costs, or by its quantity."""

    NET = "net"
    QUANTITY = "quantity"


class Pick(StrEnum):
    """Which units of a group are the reduced ones."""

    CHEAPEST = "cheapest"
    DEAREST = "dearest"


class GroupBy(StrEnum):
    """Whether units are counted over the whole bill or only with those of the same day."""

    BILL = "bill"
    PERFORMED_ON = "performed_on"


class Basis(StrEnum):
    """List prices, or what is left after manual discounts and the offers applied before."""

    LIST = "list"
    RUNNING = "running"


class Measure(StrEnum):
    """Whose amount a minimum or tier looks at: the whole bill's, or the eligible lines'."""

    BILL = "bill"
    ELIGIBLE = "eligible"


class Stacking(StrEnum):
    """The three presets. Two offers share a line only when both say `ITEM`.

    `NONE`: alone on the bill (exclusive). `INVOICE`: beside others on the bill, but each line
    has one. `ITEM`: also on a line that has others of this kind.
    """

    NONE = "none"
    INVOICE = "invoice"
    ITEM = "item"


class BudgetPolicy(StrEnum):
    """What happens to the bill that would overshoot the budget."""

    REJECT = "reject"
    PARTIAL = "partial"


class Period(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Weekday(IntEnum):
    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


NO_IDS: frozenset[str] = frozenset()
EVERY_DAY = frozenset(Weekday)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Services an offer looks at. Nothing included means all; what is excluded is out always."""

    services: frozenset[str] = NO_IDS
    categories: frozenset[str] = NO_IDS
    excluded_services: frozenset[str] = NO_IDS
    excluded_categories: frozenset[str] = NO_IDS


@dataclass(frozen=True, slots=True, kw_only=True)
class HourWindow:
    """Minutes since midnight, half-open; `until` at or before `start` runs past midnight.

    The hours after midnight count to the weekday, and the blackout, of the day they began.
    """

    start: int
    until: int
    weekdays: frozenset[Weekday] = EVERY_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class DateSpan:
    """Whole days, both included."""

    first: dt.date
    last: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """When it holds, on the branch's wall clock: `starts` and `ends` are naive, half-open.

    Module 11's `validUntil` includes its day: `ends` is the next midnight (`end_of`). No
    `hours` means all day. Blackouts beat everything else.
    """

    starts: dt.datetime | None = None
    ends: dt.datetime | None = None
    hours: tuple[HourWindow, ...] = ()
    blackouts: tuple[DateSpan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Branches; none included means all, excluded wins."""

    branches: frozenset[str] = NO_IDS
    excluded_branches: frozenset[str] = NO_IDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who may have it: any of `segments`, none of `excluded_segments`, any of `tiers`.

    `nth_visit` counts completed, unvoided bills with this one: 1 is the first visit.
    """

    segments: frozenset[str] = NO_IDS
    excluded_segments: frozenset[str] = NO_IDS
    tiers: frozenset[str] = NO_IDS
    nth_visit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """What must be on the bill. Amounts in paise, both ends included.

    `min_quantity` counts eligible units, per day under `GroupBy.PERFORMED_ON`. `requires`
    wants `requires_quantity` units of other services on the bill, eligible or not.
    """

    min_amount: int | None = None
    max_amount: int | None = None
    basis: Basis = Basis.LIST
    measure: Measure = Measure.BILL
    min_quantity: int = 0
    requires: Selection | None = None
    requires_quantity: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """Most it may give: in all on one bill, and on one line; `floor_price` a unit keeps."""

    bill: int | None = None
    line: int | None = None
    floor_price: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How often, and how much in all. None is unlimited. `per_period` is a customer's.

    `budget` is paise of discount over the offer's life. The engine judges by the usage handed
    in; the exact taking is the service's.
    """

    total: int | None = None
    per_customer: int | None = None
    per_branch: int | None = None
    per_period: int | None = None
    period: Period = Period.MONTH
    budget: int | None = None
    budget_policy: BudgetPolicy = BudgetPolicy.REJECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Combining:
    """With what it may stand. `priority` orders offers within a stage, the higher first.

    `combines_with` names tags: None allows any, otherwise the other offer must carry one of
    them, and the other way round.
    """

    stacking: Stacking = Stacking.NONE
    priority: int = 0
    tags: frozenset[str] = NO_IDS
    combines_with: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyGet:
    """Buy so much, get `get_quantity` units at `rate_bp` off (10000 is free).

    Bought are `buy_quantity` units of the offer's selection, or dearest units until
    `buy_amount` paise is reached. `get` is the selection of the reduced units; None takes them
    from the same. 3 for 2 is buy 2, get 1. Groups repeat up to `max_groups`; a unit counts
    in one group of one offer only.
    """

    buy_quantity: int = 0
    buy_amount: int = 0
    get_quantity: int = 1
    rate_bp: int = 10_000
    get: Selection | None = None
    pick: Pick = Pick.CHEAPEST
    max_groups: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BundlePart:
    """So many units of these."""

    selection: Selection
    quantity: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """All `parts` together at `price` paise; repeats up to `max_groups`."""

    price: int
    parts: tuple[BundlePart, ...]
    max_groups: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendTier:
    """From this amount (paise, measured as the thresholds say): a share or an amount off."""

    threshold: int
    rate_bp: int = 0
    amount: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferTerms:
    """One offer at one revision.

    What each kind reads: percentage `rate_bp`, `scope` bill or line; flat `amount`, `scope`;
    fixed price `amount` (the new price of a unit); free service `free_units` of the selection;
    buy-X-get-Y `buy_get`; bundle `bundle`; spend tiers `tiers` (all shares or all amounts,
    rising), `scope`. `automatic` offers apply by themselves, the others by code; a flash sale
    is an automatic offer with a window. `terms_check.py` says what is wrong
    with terms; the engine expects nothing to be.
    """

    id: str
    kind: Kind
    revision: int = 1
    name: str = ""
    active: bool = True
    automatic: bool = False
    scope: Scope = Scope.BILL
    rate_bp: int = 0
    amount: int = 0
    weights: Weights = Weights.NET
    free_units: int = 1
    buy_get: BuyGet | None = None
    bundle: Bundle | None = None
    tiers: tuple[SpendTier, ...] = ()
    selection: Selection = field(default_factory=Selection)
    skip_discounted: bool = False
    skip_addons: bool = False
    group_by: GroupBy = GroupBy.BILL
    timetable: Timetable = field(default_factory=Timetable)
    places: Places = field(default_factory=Places)
    audience: Audience = field(default_factory=Audience)
    thresholds: Thresholds = field(default_factory=Thresholds)
    caps: Caps = field(default_factory=Caps)
    limits: Limits = field(default_factory=Limits)
    combining: Combining = field(default_factory=Combining)
