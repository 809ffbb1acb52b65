"""Points on a bill: what loyalty does while it is priced, held, paid and refunded.

She earns on what she pays for each line, without tax and without what points or a wallet paid. What
was earned and spent is frozen by line and unit when the bill is paid; refunds read that.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from customers.models import Customer
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.postgresql.base import Answer
from marketing.core.tenancy import current_tenant_id
from marketing.coupons.pricing.answer import Quote
from marketing.coupons.pricing.bill import Cart, PointsAs, PointsUse
from marketing.coupons.pricing.paise import WHOLE, apportion, half_up
from marketing.coupons.pricing.units import Units, over_units, unit_nets, unit_totals
from marketing.coupons.quote_effects import Basket, Contribution, Held, Json, Paid, Returned
from marketing.loyalty import rules, selectors, services
from marketing.loyalty.models import PointsHold
from marketing.loyalty.models.ledger import OF_BRANCH
from marketing.loyalty.selectors import AtTheCounter
from marketing.loyalty.services import BillLine, Entered, Source

# As much as she has and the programme lets her.
MOST = "max"

# Her tier's id, for offers that are for some tiers only.
TIER = """
(SELECT account.tier_id::text FROM loyalty_pointsaccount account
 WHERE account.customer_id = customer.id)
"""


class PointsEffect:
    """The counter asks it for `{"use": 200}` points, or for `"max"`. Silent while nothing is on."""

    name = "points"

    def ask(self, basket: Basket) -> Answer | None:
        if basket.customer_id is None:
            return None
        return selectors.ask_at_the_counter(basket.customer_id, basket.kept.get("hold"))

    def contribute(self, basket: Basket) -> Contribution:
        known = None if basket.known is None else selectors.at_the_counter(basket.known)
        asked = basket.asked.get("use", 0)
        if known is None or not asked:
            return Contribution(known=known)
        points = known.usable
        if known.most is not None:
            points = min(points, known.most)
        if asked != MOST:
            points = min(points, asked)
        return Contribution(
            points=PointsUse(
                amount=points * known.value_paise,
                used_as=PointsAs.DISCOUNT if known.is_discount else PointsAs.TENDER,
                point=known.value_paise,
                least=known.least * known.value_paise,
                share_bp=known.percent * WHOLE // 100,
            ),
            known=known,
        )

    def tell(self, basket: Basket, quote: Quote) -> Json:
        known: AtTheCounter | None = basket.known
        asked = basket.asked.get("use", 0)
        if known is None:
            return _not_at_all(basket) if asked else {}
        used = _used(basket.cart, quote)
        has = known.usable
        to_pay = quote.net + quote.points if known.is_discount else quote.total
        most = rules.most_redeemable(has, to_pay, known.value_paise, known.percent, known.most)
        told: dict[str, Any] = {
            "balance": known.balance.points,
            "available": has,
            "pending": known.balance.pending,
            "tier": known.balance.tier,
            "pointValue": _rupees(known.value_paise),
            "usedAs": PointsAs.DISCOUNT if known.is_discount else PointsAs.TENDER,
            "leastUsable": known.least,
            "mostUsable": most if most >= known.least else 0,
            "missing": max(0, known.least - has),
            "asked": asked or None,
            "used": used,
            "worth": _rupees(used * known.value_paise),
            "wouldEarn": sum(_points(_earning(basket.cart, quote), known)),
            "reason": None,
        }
        if asked and (used == 0 or (asked != MOST and used < asked)):
            told["reason"] = _why_less(asked, has, known)
        return told

    def hold(self, basket: Basket, quote: Quote, reservation_id: uuid.UUID) -> Json:
        former = basket.kept.get("hold")
        if former:
            services.void_hold(actor=_system(), hold=PointsHold.objects.get(pk=former))
        points = _used(basket.cart, quote)
        if not points or basket.customer_id is None:
            return {}
        hold = _hold(basket.customer_id, basket.branch_id, points, reservation_id)
        return {"hold": str(hold.pk), "points": points}

    def renew(self, held: Held, until: dt.datetime) -> None:
        hold = PointsHold.objects.get(pk=held.kept["hold"])
        services.renew_hold(actor=_system(), hold=hold)

    def release(self, held: Sequence[Held]) -> None:
        holds = PointsHold.objects.in_bulk([each.kept["hold"] for each in held])
        # As everybody locks accounts: by their customers.
        for hold in sorted(holds.values(), key=lambda hold: (hold.customer_id, hold.pk)):
            services.void_hold(actor=_system(), hold=hold)

    def commit(self, paid: Paid) -> Json:
        customer_id = paid.held.customer_id
        is_off = paid.known is None
        if customer_id is None or is_off:
            return {}
        source = _source(paid.invoice_id, paid.held.branch_id)
        her = services.enter(customer_id, clock.now())
        used = _use(paid, source, her)
        kept: dict[str, Any] = {}
        earned = 0
        if her.programme.is_enabled:
            earned, kept["earned"] = _earn(paid, source, her)
        if used:
            spent_on = _spent_on(paid.cart, paid.quote)
            kept["spent"] = _plain(over_units(used, spent_on))
            kept["paid"] = _plain(over_units(used * _point_as_money(paid.cart), spent_on))
        if kept:
            kept["told"] = {"used": used, "earned": earned}
        return kept

    def reverse(self, returned: Returned) -> Json:
        source = _source(returned.invoice_id, returned.branch_id)
        refund = Source("refund", f"{returned.reservation_id} {_turn(returned)}")
        told: dict[str, Any] = {}
        back = _of_units(returned.kept.get("spent", {}), returned)
        if back:
            services.reverse_spend(
                actor=_system(),
                source=refund,
                of=source,
                points=sum(back.values()),
                branch_id=returned.branch_id,
            )
            told["returned"] = sum(back.values())
        if paid := _of_units(returned.kept.get("paid", {}), returned):
            told["paidBack"] = _rupees(sum(paid.values()))
        lines = _of_units(returned.kept.get("earned", {}), returned)
        if lines:
            made = services.reverse_earn(
                actor=_system(),
                source=refund,
                of=source,
                lines=lines,
                branch_id=returned.branch_id,
            )
            told["takenBack"] = abs(made.points)
        return told


def _use(paid: Paid, source: Source, her: Entered) -> int:
    """Post what is held; hold it once more where the hold ran out while she paid."""
    kept = paid.held.kept
    if not kept:
        return 0
    points: int = kept["points"]
    # Whoever would end it waits for her account, which is locked.
    hold = PointsHold.objects.select_related("transaction").get(pk=kept["hold"])
    if not hold.lasts(clock.now()):
        # What ran out and nobody gave back yet is still hers to use.
        services.void_hold(actor=_system(), hold=hold)
        hold = _hold(her.customer_id, paid.held.branch_id, points, paid.held.reservation_id)
    services.post_hold(actor=_system(), hold=hold, source=source, her=her)
    return points


def _earn(paid: Paid, source: Source, her: Entered) -> tuple[int, dict[str, list[int]]]:
    """How many points, and what of each unit they are for, by line."""
    lines = _earning(paid.cart, paid.quote, wallet=paid.wallet)
    made = services.earn_points(
        actor=_system(),
        customer=Customer(pk=her.customer_id),
        source=source,
        lines=lines,
        branch_id=paid.held.branch_id,
        at=paid.at,
        her=her,
    )
    nets = unit_nets(paid.cart, paid.quote)
    earned = {line.ref: apportion(line.net_paise, nets[int(line.ref)]) for line in lines}
    return made.points if made else 0, earned


def _not_at_all(basket: Basket) -> dict[str, Any]:
    reason = "customer_required" if basket.customer_id is None else "programme_off"
    return {"asked": basket.asked["use"], "used": 0, "worth": "0.00", "reason": reason}


def _why_less(asked: int | str, has: int, known: AtTheCounter) -> str:
    if has < known.least or (asked != MOST and has < int(asked)):
        return "not_enough"
    if asked != MOST and int(asked) < known.least:
        return "below_least"
    return "above_most"


def _used(cart: Cart, quote: Quote) -> int:
    if cart.points is None:
        return 0
    worth = quote.tender if cart.points.used_as is PointsAs.TENDER else quote.points
    return worth // cart.points.point


def _point_as_money(cart: Cart) -> int:
    """Paise of a point that paid; 0 where points were a discount: what it cost is less by them."""
    if cart.points is None or cart.points.used_as is PointsAs.DISCOUNT:
        return 0
    return cart.points.point


def _hold(
    customer_id: uuid.UUID, branch_id: uuid.UUID, points: int, reservation_id: uuid.UUID
) -> PointsHold:
    """Hold anew, under a name of its own: what a reservation held before has ended."""
    return services.hold_points(
        actor=_system(),
        customer=Customer(pk=customer_id),
        points=points,
        source=Source("reservation", f"{reservation_id} {uuid.uuid4()}"),
        branch_id=branch_id,
    )


def _earning(cart: Cart, quote: Quote, *, wallet: int = 0) -> list[BillLine]:
    """What she pays for each line, without tax and without what points and her wallet pay."""
    before = quote.tender + min(wallet, quote.payable)
    paid = apportion(before, [line.total for line in quote.lines])
    services_of = {line.number: (line.service, line.category) for line in cart.lines}
    lines = []
    for line, tender in zip(quote.lines, paid, strict=True):
        service, category = services_of[line.number]
        net = line.taxable - (half_up(tender * line.taxable, line.total) if line.total else 0)
        lines.append(BillLine(str(line.number), net, _uuid(service), _uuid(category)))
    return lines


def _points(lines: Sequence[BillLine], known: AtTheCounter) -> list[int]:
    return rules.points_of_lines(
        [
            rules.EarnLine(
                line.ref, line.net_paise, known.rates.of(line.service_id, line.category_id)
            )
            for line in lines
        ],
        known.balance.multiplier,
    )


def _spent_on(cart: Cart, quote: Quote) -> Units:
    """What of each unit points paid, to give them back by."""
    if quote.tender:
        return unit_totals(cart, quote)
    cuts = {line.number: [0] * line.quantity for line in cart.lines}
    return cuts | {share.line: list(share.units) for share in quote.points_shares}


def _of_units(kept: Json, returned: Returned) -> dict[str, int]:
    """What was kept of the returned units, by line; lines without any left out."""
    sums = {
        line: sum(units[place] for place in returned.lines.get(int(line), ()))
        for line, units in kept.items()
    }
    return {line: amount for line, amount in sums.items() if amount}


def _plain(units: Units) -> dict[str, list[int]]:
    return {str(line): amounts for line, amounts in units.items() if any(amounts)}


def _source(invoice_id: str, branch_id: uuid.UUID) -> Source:
    return Source("invoice", f"{invoice_id}{OF_BRANCH}{branch_id.hex[-12:]}")


def _turn(returned: Returned) -> str:
    """A name of the refund that fits: which units come back says it, as each does once."""
    line = min(returned.lines)
    return f"{line} {min(returned.lines[line])}"


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _rupees(paise: int) -> str:
    return str(Decimal(paise).scaleb(-2).quantize(Decimal("0.01")))


def _system() -> Actor:
    return Actor.system(current_tenant_id())
