"""What takes part in a bill besides offers: loyalty and referrals register here.

Coupons knows none of them by name. An effect is asked in this order, always in the caller's
transaction: `ask`, `contribute` and `tell` while the bill is priced (they read only), `hold` when
it is reserved, `commit` when it is redeemed, `release` when it is not, `reverse` when lines come
back. Effects lock before the offers' counters are taken, in the order of their names, and raise
`DomainError`s to refuse: then nothing of the bill is done.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from marketing.coupons.pricing.answer import Quote
from marketing.coupons.pricing.bill import Cart, EnteredCode, PointsUse

Json = Mapping[str, Any]

UNREAD = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """A bill that is being priced.

    `customer_id` is who stands for her now. `asked` is what the counter said to this effect
    (points to use, a referral code). `reservation_id` names the reservation that this bill has
    already: what the effect holds for it (`kept`, as `hold` returned it) counts as free. `known`
    is what its `ask` returned, and once it has contributed what that read. `visits` counts her
    finalised bills; `typed` are the codes as typed.
    """

    branch_id: uuid.UUID
    customer_id: uuid.UUID | None
    cart: Cart
    now: dt.datetime
    asked: Json = field(default_factory=dict)
    reservation_id: uuid.UUID | None = None
    kept: Json = field(default_factory=dict)
    known: Any = None
    visits: int = 0
    typed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What an effect adds before pricing: points to spend, and codes that are its own.

    `codes` maps a typed code's key to what it opens, or why it does not; only codes that no offer
    has are asked for. None: the effect takes the code, which opens no offer. `brought` are codes
    that open offers without being typed. `known` is handed to `tell` and `hold` of the same price.
    """

    points: PointsUse | None = None
    codes: Mapping[str, EnteredCode | None] = field(default_factory=dict)
    brought: Sequence[EnteredCode] = ()
    known: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a reservation keeps for one effect: `kept` is what its `hold` returned."""

    reservation_id: uuid.UUID
    branch_id: uuid.UUID
    customer_id: uuid.UUID | None
    kept: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """A held bill that is paid now, under the counter's invoice id.

    A bill that no offer was on comes so too: then nothing is held, what was taken off its lines is
    their `manual_discount`, and `asked` is what the counter said to this effect. `by` names the
    member of staff or the key that paid it; `wallet` is what of it was paid by money that she had
    paid in before, in paise, where the counter said so. `known` is what `contribute` read, where
    the bill was priced just now; else `UNREAD`.
    """

    held: Held
    invoice_id: str
    cart: Cart
    quote: Quote
    at: dt.datetime
    asked: Json = field(default_factory=dict)
    by: str = ""
    wallet: int = 0
    known: Any = UNREAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """Units of a paid bill that came back.

    `lines` maps a line's number to the places of its units (from 0); `is_whole` says that nothing
    of the bill is left, `is_mistake` that the bill was rung up wrongly and another one may follow.
    `kept` is what `commit` returned; `operation` is the counter's name for the refund, given once.
    """

    reservation_id: uuid.UUID
    branch_id: uuid.UUID
    customer_id: uuid.UUID | None
    invoice_id: str
    operation: str
    lines: Mapping[int, Sequence[int]]
    is_whole: bool
    kept: Json
    is_mistake: bool = False


class QuoteEffect(Protocol):
    """One module's part in bills. All values it returns are JSON."""

    name: str

    def ask(self, basket: Basket) -> Any:
        """Ask by `ask_later` what `contribute` reads, which then comes with the bill's own facts.

        The customer is as she was named and not counted yet, the branch's zone not known.
        """

    def contribute(self, basket: Basket) -> Contribution:
        """What to price the bill with. Reads only."""

    def tell(self, basket: Basket, quote: Quote) -> Json:
        """What to show beside the price: points she would earn, what she has. Reads only.

        As the API spells it: camelCase, money in rupees as text.
        """

    def hold(self, basket: Basket, quote: Quote, reservation_id: uuid.UUID) -> Json:
        """Keep what the price needs; a second call for the same reservation replaces the first.

        Empty: nothing is kept, and only `commit` is called.
        """

    def renew(self, held: Held, until: dt.datetime) -> None:
        """The reservation now lasts until then."""

    def release(self, held: Sequence[Held]) -> None:
        """Give back what was kept for these; what is given back already stays so."""

    def commit(self, paid: Paid) -> Json:
        """Make it final, and earn; what is returned is kept for `reverse`, its `told` is shown.

        After the reservation's end `hold` is called once more before, and may refuse.
        """

    def reverse(self, returned: Returned) -> Json:
        """Give back in proportion; returns what to show, as `tell` does.

        `paidBack` in it is what of the refund is no money: points that she has again.
        """


_effects: dict[str, QuoteEffect] = {}
_tier_sql = ""
_tier_names: Callable[[], Mapping[str, str]] = dict


def register(effect: QuoteEffect) -> None:
    """Add a module's part; called while apps are loaded."""
    _effects[effect.name] = effect


def effects() -> list[QuoteEffect]:
    """All parts, in the order in which they lock."""
    return [_effects[name] for name in sorted(_effects)]


def register_tier(sql: str) -> None:
    """Say how to find a customer's tier: a scalar subquery in SQL over `customer.id`, text."""
    global _tier_sql
    _tier_sql = sql


def register_tier_names(names: Callable[[], Mapping[str, str]]) -> None:
    """Say what tiers there are: what `register_tier` finds, to the name people know, in order."""
    global _tier_names
    _tier_names = names


def tier_names() -> Mapping[str, str]:
    """The open chain's tiers; none where nobody keeps tiers."""
    return _tier_names()


def tier_sql() -> str:
    """The registered subquery; that of no tier where nobody keeps tiers."""
    return _tier_sql or "''"
