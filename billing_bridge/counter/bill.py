"""A reserved or paid bill as the counter shows and prints it, and the writes on it."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from billing_bridge.api import shapes
from billing_bridge.bills import read_bill, rupees
from billing_bridge.bodies import invoice_of
from billing_bridge.counter.sheet import Sheet, as_id
from billing_bridge.services.invoices import Taken, take_invoice
from billing_bridge.services.refunds import VOID
from customers.models import Customer, Service
from customers.selectors import customers_for_actor
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import NotFound, ValidationFailed
from marketing.core.ids import lower_bound
from marketing.core.models import Branch
from marketing.coupons import services
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

    `told` is what points and referrals said of it.
    """

    reservation: Reservation
    branch: Branch
    customer: Customer | None
    quote: Quote
    lines: Sequence[BillLine]
    offers: Sequence[tuple[str, str, int]]
    refunds: Sequence[tuple[dt.datetime, int]]
    told: Mapping[str, Any]

    is_void: bool

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
        return self.reservation.reserved_at + LONGEST


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
    )


def _worth(kept: KeptBill, reversal: Reversal) -> int:
    """What the returned units had cost, in paise."""
    units = unit_totals(kept.cart, kept.quote)
    return sum(
        units[int(line)][place] for line, places in reversal.lines.items() for place in places
    )


def service_names(ids: Iterable[str]) -> dict[str, str]:
    """By id; what can be none is left out, and what is gone."""
    found = Service.objects.filter(pk__in=[pk for text in ids for pk in as_id(text)]).order_by()
    return {str(pk): name for pk, name in found.values_list("pk", "name")}


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


@transaction.atomic
def pay(*, actor: Actor, reservation: Reservation, invoice_id: str, method: str) -> Taken:
    """Redeem the reservation, and record the sale as the billing system would.

    Raises `ReservationExpired`, `ReservationOver` as `redeem` does, and `ValidationFailed` at
    `invoiceId` for the number of another bill: nothing is done then.
    """
    done = services.redeem(
        actor=actor, reservation_id=reservation.pk, invoice_id=invoice_id
    ).reservation
    if done.pk != reservation.pk:
        message = _("Another bill of this branch has this number. Leave it empty for a new one.")
        raise ValidationFailed(fields={"invoiceId": [message]})
    form = shapes.InvoiceInput(data=_invoice_body(done, method))
    form.is_valid(raise_exception=True)
    data = dict(form.validated_data)
    bill = read_bill(actor, data, at=done.redeemed_at)
    return take_invoice(actor=actor, invoice=invoice_of(bill, data))


def _invoice_body(reservation: Reservation, method: str) -> dict[str, Any]:
    kept = kept_bill(reservation)
    quote = kept.quote
    body = Sheet.of_reservation(reservation).body()
    for line, entry, priced in zip(body["lines"], kept.cart.lines, quote.lines, strict=True):
        line |= {"number": entry.number, "discount": rupees(priced.discount + priced.points)}
    paid = {method: quote.payable, "points": quote.tender}
    return body | {
        "codes": [],
        "invoiceId": reservation.invoice_id,
        "reservationId": str(reservation.pk),
        "pricesIncludeTax": kept.cart.prices_include_tax,
        "total": rupees(quote.total),
        "tax": rupees(quote.tax),
        "finalizedAt": reservation.redeemed_at,
        "payments": [
            {"method": name, "amount": rupees(amount)} for name, amount in paid.items() if amount
        ],
    }


def _left(reservation: Reservation, number: int) -> int:
    sold = reservation.sold.get(str(number), {"units": 0, "back": []})
    return int(sold["units"]) - len(sold["back"])
