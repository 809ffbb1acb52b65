"""Lines of a paid bill come back, years later too: from the frozen amounts, never reckoned anew."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, Value
from django.utils.translation import gettext as _

from marketing.core import audit
from marketing.core.actor import Actor
from marketing.core.errors import IdempotencyMismatch, NotFound, ValidationFailed
from marketing.coupons import quote_effects
from marketing.coupons.errors import MoreThanSold
from marketing.coupons.given import note_use
from marketing.coupons.models import Redemption, Reservation, Reversal
from marketing.coupons.pricing.terms import Limits, Period
from marketing.coupons.quote_effects import Returned
from marketing.coupons.services import counters
from marketing.coupons.services.bills import require_branch
from marketing.coupons.services.counters import Changes, Use
from marketing.coupons.services.locks import counter_call

State = Redemption.State
# A line's number to the places of its units, from 0.
Units = dict[int, list[int]]


@transaction.atomic
def reverse(
    *,
    actor: Actor,
    branch_id: uuid.UUID,
    invoice_id: str,
    operation: str,
    lines: Mapping[int, int] | None = None,
) -> Reversal:
    """Take back so many units of each line of a redeemed bill, or all that is left of it.

    Of a line the most reduced units come back first, so that none is refunded at full price while
    a free one stays. An offer of which nothing is left gives its use back, unless it says that it
    is not to be had again. `operation` is the counter's name for the refund: the same again, and
    the whole bill once more, give the same answer. Raises `NotFound` for a bill that was not
    redeemed here, `MoreThanSold`, and `IdempotencyMismatch` for an operation with other lines.
    """
    require_branch(actor, branch_id)
    _require_asked(operation, lines)
    asked = None if lines is None else {str(line): lines[line] for line in sorted(lines)}
    with counter_call():
        bill = (
            Reservation.objects.select_for_update()
            .filter(branch=branch_id, invoice_id=invoice_id, state=Reservation.State.REDEEMED)
            .first()
        )
        if bill is None:
            raise NotFound(details={"invoiceId": invoice_id})
        former = list(Reversal.objects.filter(reservation=bill).order_by("pk"))
        for done in former:
            if done.operation == operation:
                if done.asked != asked:
                    raise IdempotencyMismatch()
                return done
        rows = list(
            Redemption.objects.select_for_update(of=("self",))
            .filter(reservation=bill)
            .select_related("offer", "code")
            .order_by("pk")
        )
        units = _units(bill, rows, lines)
        if not units and former:
            return former[-1]
        given_back, changes = _give_back(bill, rows, units)
        bill.save(update_fields=["sold"])
        reversal = Reversal.objects.create(
            reservation=bill,
            operation=operation,
            asked=asked,
            lines={str(line): places for line, places in units.items()},
            given_back=given_back,
            amount=sum(given_back.values()),
            effects=_reverse_effects(bill, operation, units),
        )
        audit.record(actor, "coupon.reverse", bill, {"operation": operation, "lines": asked})
        # Last, as in `redeem`: others wait for these rows.
        counters.move(changes)
    return reversal


def _require_asked(operation: str, lines: Mapping[int, int] | None) -> None:
    if not 0 < len(operation) <= 100:
        raise ValidationFailed(fields={"operation": ["1-100"]})
    if lines is not None and (not lines or any(units < 1 for units in lines.values())):
        raise ValidationFailed(fields={"lines": [_("Say how many units of which lines.")]})


def _units(bill: Reservation, rows: Sequence[Redemption], lines: Mapping[int, int] | None) -> Units:
    """Which units come back now. Raises `MoreThanSold`."""
    left = {
        int(line): [
            place for place in _in_order(int(line), sold, rows) if place not in sold["back"]
        ]
        for line, sold in bill.sold.items()
    }
    if lines is None:
        return {line: places for line, places in left.items() if places}
    short = {
        str(line): len(left.get(line, ()))
        for line, units in lines.items()
        if units > len(left.get(line, ()))
    }
    if short:
        raise MoreThanSold(details={"left": short})
    return {line: left[line][:units] for line, units in sorted(lines.items())}


def _in_order(line: int, sold: Mapping[str, Any], rows: Sequence[Redemption]) -> list[int]:
    """The line's units, the most reduced first."""
    cuts = [0] * sold["units"]
    for row in rows:
        for share in row.shares:
            if share["line"] == line:
                cuts = [cut + more for cut, more in zip(cuts, share["units"], strict=True)]
    return sorted(range(len(cuts)), key=lambda place: -cuts[place])


def _give_back(
    bill: Reservation, rows: Sequence[Redemption], units: Units
) -> tuple[dict[str, int], Changes]:
    """Move redemptions; paise given back by offer, and what that changes of counters."""
    for line, places in units.items():
        bill.sold[str(line)]["back"] += places
    given_back: dict[str, int] = {}
    changes: Changes = {}
    for row in rows:
        if row.state == State.REVERSED:
            continue
        amount = sum(
            share["units"][place] for share in row.shares for place in units.get(share["line"], ())
        )
        if not any(share["line"] in units for share in row.shares):
            continue
        whole = all(
            len(bill.sold[str(share["line"])]["back"]) == len(share["units"])
            for share in row.shares
        )
        frees = whole and row.counted and row.offer.reusable_after_cancel
        _move(row, amount, whole=whole, frees=frees)
        counters.give_back(changes, _use(row), amount=amount if row.counted else 0, whole=frees)
        given_back[str(row.offer_id)] = amount
    if given_back:
        note_use(bill.customer_id)
    return given_back, changes


def _move(row: Redemption, amount: int, *, whole: bool, frees: bool) -> None:
    live = Redemption.objects.filter(pk=row.pk, returned__lte=F("amount") - Value(amount)).exclude(
        state=State.REVERSED
    )
    moved = live.update(
        returned=F("returned") + amount,
        state=State.REVERSED if whole else State.PART_REVERSED,
        counted=row.counted and not frees,
    )
    if not moved:
        raise MoreThanSold()


def _use(row: Redemption) -> Use:
    offer = row.offer
    return Use(
        offer_id=row.offer_id,
        branch_id=row.branch_id,
        customer_id=row.customer_id,
        code_id=row.code_id,
        code_limit=row.code.max_uses if row.code else None,
        amount=0,
        day=row.local_day,
        limits=Limits(
            total=offer.max_total_uses,
            per_customer=offer.max_uses_per_customer,
            per_branch=offer.max_uses_per_branch,
            per_period=offer.max_uses_per_period,
            period=Period(offer.use_period),
            budget=offer.budget,
        ),
    )


def _reverse_effects(bill: Reservation, operation: str, units: Units) -> dict[str, Any]:
    is_whole = all(len(sold["back"]) == sold["units"] for sold in bill.sold.values())
    said = {}
    for effect in quote_effects.effects():
        said[effect.name] = dict(
            effect.reverse(
                Returned(
                    reservation_id=bill.pk,
                    branch_id=bill.branch_id,
                    customer_id=bill.customer_id,
                    invoice_id=bill.invoice_id,
                    operation=operation,
                    lines=units,
                    is_whole=is_whole,
                    kept=bill.effects.get(effect.name, {}),
                )
            )
        )
    return {name: told for name, told in said.items() if told}
