"""A reserved or paid bill as the counter shows and prints it."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from billing_bridge.counter.sheet import as_id
from billing_bridge.services.refunds import VOID
from customers.models import Customer, Service
from customers.selectors import customers_for_actor
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.core.ids import lower_bound
from marketing.core.models import Branch
from marketing.coupons.code_symbols import SYMBOLS
from marketing.coupons.models import Offer, Reservation, Reversal
from marketing.coupons.pricing.answer import PricedLine, Quote
from marketing.coupons.pricing.bill import CartLine
from marketing.coupons.pricing.units import unit_totals
from marketing.coupons.rules import LONGEST
from marketing.coupons.selectors.replay import KeptBill, kept_bill

State = Reservation.State
SHOWN = 60
# A bill paid under the same name was paid today, or the address is an old one.
SAME_BILL = dt.timedelta(days=2)
NUMBER_SYMBOLS = 6


@dataclass(frozen=True, slots=True)
class BillLine:
    """A line as paid; `left` units can still come back."""

    line: CartLine
    priced: PricedLine
    name: str
    left: int

    @property
    def back(self) -> int:
        return self.line.quantity - self.left

    @property
    def off(self) -> int:
        return self.priced.manual_discount + self.priced.discount + self.priced.points


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """`offers` are names, codes and paise given, `refunds` when and how many paise came back.

    `told` is what points said of it; `points_gone` went back with what came back of it, and
    `points_again` of those that paid for it are hers again.
    """

    reservation: Reservation
    branch: Branch
    customer: Customer | None
    quote: Quote
    lines: Sequence[BillLine]
    offers: Sequence[tuple[str, str, int]]
    refunds: Sequence[tuple[dt.datetime, int]]
    told: Mapping[str, Any]
    points_gone: int
    points_again: int
    is_void: bool

    @property
    def is_brought(self) -> bool:
        """A friend is thanked for her, or will be, because of this bill."""
        kept = self.reservation.effects.get("referral", {})
        return bool(kept.get("isWelcome") or kept.get("converted"))

    @property
    def is_over(self) -> bool:
        return self.reservation.state == State.EXPIRED or (
            self.reservation.state == State.RESERVED and self.reservation.expires_at <= clock.now()
        )

    @property
    def left(self) -> int:
        return sum(line.left for line in self.lines)

    @property
    def saved(self) -> int:
        return self.quote.manual_discount + self.quote.discount + self.quote.points

    @property
    def last_end(self) -> dt.datetime:
        """It cannot be renewed beyond."""
        return self.reservation.began_at + LONGEST


def get_reservation(actor: Actor, pk: uuid.UUID) -> Reservation:
    """Raises `NotFound` for one of another branch or chain."""
    found = Reservation.objects.filter(pk=pk).first()
    if found is None or not actor.has_branch(found.branch_id):
        raise NotFound()
    return found


def bill_of(actor: Actor, reservation: Reservation) -> Bill:
    """The bill with its names; five statements at most."""
    kept = kept_bill(reservation)
    names = service_names(line.service for line in kept.cart.lines)
    offers = Offer.objects.filter(pk__in=[one["offer"] for one in reservation.applied])
    named = {str(pk): name for pk, name in offers.values_list("pk", "name")}
    whose = reservation.customer_id
    reversals: list[Reversal] = []
    if reservation.state == State.REDEEMED:
        reversals = list(Reversal.objects.filter(reservation=reservation).order_by("pk"))
    return Bill(
        reservation=reservation,
        branch=Branch.objects.get(pk=reservation.branch_id),
        customer=customers_for_actor(actor).filter(pk=whose).first() if whose else None,
        quote=kept.quote,
        lines=[
            BillLine(
                line,
                priced,
                names.get(line.service, _("A service that is gone")),
                _left(reservation, line.number),
            )
            for line, priced in zip(kept.cart.lines, kept.quote.lines, strict=True)
        ],
        offers=[
            (named.get(one["offer"], _("An offer that is gone")), one["code"], one["amount"])
            for one in reservation.applied
        ],
        refunds=[(each.made_at, _worth(kept, each)) for each in reversals],
        is_void=any(each.operation == VOID for each in reversals),
        told={name: said["told"] for name, said in reservation.effects.items() if "told" in said},
        points_gone=_points(reversals, "takenBack"),
        points_again=_points(reversals, "returned"),
    )


def _points(reversals: Iterable[Reversal], what: str) -> int:
    return sum(each.effects.get("points", {}).get(what, 0) for each in reversals)


def _worth(kept: KeptBill, reversal: Reversal) -> int:
    """What the returned units had cost, in paise."""
    units = unit_totals(kept.cart, kept.quote)
    return sum(
        units[int(line)][place] for line, places in reversal.lines.items() for place in places
    )


def services_of(ids: Iterable[str]) -> dict[str, Service]:
    """By id; what can be none is left out, and what is gone."""
    known = Service.objects.in_bulk([pk for text in ids for pk in as_id(text)])
    return {str(pk): service for pk, service in known.items()}


def service_names(ids: Iterable[str]) -> dict[str, str]:
    return {pk: service.name for pk, service in services_of(ids).items()}


def bills_of_today(branch: Branch) -> QuerySet[Reservation]:
    """Reserved and paid bills of the branch's own day, the latest first."""
    now = clock.now().astimezone(ZoneInfo(branch.time_zone))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return (
        Reservation.objects.filter(
            pk__gte=lower_bound(midnight - LONGEST),
            branch=branch,
            state__in=[State.RESERVED, State.REDEEMED],
            local_day=now.date(),
        )
        .defer("trace", "applied")
        .order_by("-pk")
    )


def paid_as(branch_id: uuid.UUID, key: str) -> Reservation | None:
    """The bill that was paid under the counter's name for it: it is not made twice."""
    return (
        Reservation.objects.filter(
            pk__gte=lower_bound(clock.now() - SAME_BILL),
            branch=branch_id,
            key=key,
            state=State.REDEEMED,
        )
        .defer("trace")
        .first()
    )


def invoice_number(reservation: Reservation) -> str:
    """The same each time for the same bill: its day, and six symbols that are hardly another's."""
    rest, symbols = reservation.pk.int & (1 << 62) - 1, []
    for _place in range(NUMBER_SYMBOLS):
        rest, symbol = divmod(rest, len(SYMBOLS))
        symbols.append(SYMBOLS[symbol])
    return f"{reservation.local_day:%y%m%d}-{''.join(symbols)}"


def _left(reservation: Reservation, number: int) -> int:
    sold = reservation.sold.get(str(number), {"units": 0, "back": []})
    return int(sold["units"]) - len(sold["back"])
