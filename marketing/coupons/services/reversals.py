"""Lines of a paid bill come back, years later too: from the frozen amounts, never reckoned anew."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from marketing.core import audit, events
from marketing.core.actor import Actor
from marketing.core.errors import IdempotencyMismatch, NotFound, ValidationFailed
from marketing.core.prepared import bigints, kept_cursor
from marketing.core.sentences import gettext as _
from marketing.core.tenancy import current_tenant_id
from marketing.core.whole import whole
from marketing.coupons import quote_effects
from marketing.coupons.errors import MoreThanSold
from marketing.coupons.given import note_use
from marketing.coupons.models import Redemption, Reservation, Reversal
from marketing.coupons.quote_effects import Returned
from marketing.coupons.services import counters
from marketing.coupons.services.bills import (
    RESERVATION,
    decoded,
    encoded,
    limits,
    require_branch,
    reservation_of,
)
from marketing.coupons.services.counters import Changes, Use
from marketing.coupons.services.locks import counter_call

FIND = f"""
SELECT {RESERVATION} FROM coupons_reservation bill
WHERE bill.tenant_id = %s AND bill.branch_id = %s AND bill.invoice_id = %s
  AND bill.state = 'redeemed'
FOR UPDATE
"""  # noqa: S608  names of our own columns
GIVEN = """
SELECT given.id, given.offer_id, given.customer_id, given.code_id, code.max_uses, given.local_day,
       given.shares, given.state, given.counted, offer.reusable_after_cancel,
       offer.max_total_uses, offer.max_uses_per_customer, offer.max_uses_per_branch,
       offer.max_uses_per_period, offer.use_period, offer.budget
FROM coupons_redemption given
JOIN coupons_offer offer ON offer.id = given.offer_id
LEFT JOIN coupons_couponcode code ON code.id = given.code_id
WHERE given.tenant_id = %s AND given.reservation_id = %s
ORDER BY given.id FOR UPDATE OF given
"""
MOVE = """
UPDATE coupons_redemption given
SET returned = given.returned + back.amount, counted = given.counted AND NOT back.frees,
    state = CASE WHEN back.is_whole THEN 'reversed' ELSE 'part_reversed' END
FROM unnest(%(ids)s::uuid[], %(amounts)s::bigint[], %(whole)s::bool[], %(frees)s::bool[])
    AS back (id, amount, is_whole, frees)
WHERE given.tenant_id = %(tenant)s AND given.id = back.id AND given.state <> 'reversed'
  AND given.returned + back.amount <= given.amount
"""
KEEP = """
WITH bill AS (
    UPDATE coupons_reservation SET sold = %(sold)s WHERE id = %(bill)s AND tenant_id = %(tenant)s
)
INSERT INTO coupons_reversal (
    tenant_id, reservation_id, operation, asked, lines, given_back, amount, effects)
VALUES (%(tenant)s, %(bill)s, %(operation)s, %(asked)s, %(lines)s, %(given_back)s, %(amount)s,
        %(effects)s)
RETURNING id, made_at
"""
# A line's number to the places of its units, from 0.
Units = dict[int, list[int]]


class _Given(NamedTuple):
    """What a bill was given by one offer; its use without an amount."""

    pk: uuid.UUID
    use: Use
    shares: list[dict[str, Any]]
    is_reversed: bool
    is_counted: bool
    is_reusable: bool


@whole()
def reverse(
    *,
    actor: Actor,
    branch_id: uuid.UUID,
    invoice_id: str,
    operation: str,
    lines: Mapping[int, int] | None = None,
    found: tuple[Reservation, list[Reversal]] | None = None,
    is_mistake: bool = False,
) -> Reversal:
    """Take back so many units of each line of a redeemed bill, or all that is left of it.

    Of a line the most reduced units come back first, so that none is refunded at full price while
    a free one stays. An offer of which nothing is left gives its use back, unless it says that it
    is not to be had again. `operation` is the counter's name for the refund: the same again, and
    the whole bill once more, give the same answer. `found` is the bill as `lock_redeemed` found it
    in this transaction; `is_mistake` says that there should have been no such bill, which is noted
    too where nothing is left to come back. Raises `NotFound` for a bill that was not redeemed here,
    `MoreThanSold`, and `IdempotencyMismatch` for an operation with other lines.
    """
    require_branch(actor, branch_id)
    _require_asked(operation, lines)
    asked = None if lines is None else {str(line): lines[line] for line in sorted(lines)}
    with counter_call(), events.together():
        found = found or lock_redeemed(branch_id, invoice_id)
        if found is None:
            raise NotFound(details={"invoiceId": invoice_id})
        bill, former = found
        for done in former:
            if done.operation == operation:
                if done.asked != asked:
                    message = _("Under this name other lines came back before.")
                    raise IdempotencyMismatch(fields={"lines": [message]})
                return done
        rows = _locked(bill)
        units = _units(bill, rows, lines)
        if not units and former and not is_mistake:
            return former[-1]
        given_back, changes = _give_back(bill, rows, units)
        reversal = Reversal(
            reservation=bill,
            operation=operation,
            asked=asked,
            lines={str(line): places for line, places in units.items()},
            given_back=given_back,
            amount=sum(given_back.values()),
            effects=_reverse_effects(bill, operation, units, is_mistake) if units else {},
        )
        _keep(reversal)
        audit.record(actor, "coupon.reverse", bill, {"operation": operation, "lines": asked})
        # Last, as in `redeem`: others wait for these rows.
        counters.move(changes)
    return reversal


def lock_redeemed(
    branch_id: uuid.UUID, invoice_id: str
) -> tuple[Reservation, list[Reversal]] | None:
    """The bill that the invoice was redeemed by, locked, and what came back of it before."""
    with kept_cursor() as cursor:
        cursor.execute(FIND, [current_tenant_id(), branch_id, invoice_id])
        row = cursor.fetchone()
    if row is None:
        return None
    bill = reservation_of(row)
    return bill, list(Reversal.objects.filter(reservation=bill).order_by("pk"))


def _require_asked(operation: str, lines: Mapping[int, int] | None) -> None:
    if not 0 < len(operation) <= 100:
        raise ValidationFailed(fields={"operation": ["1-100"]})
    if lines is not None and (not lines or any(units < 1 for units in lines.values())):
        raise ValidationFailed(fields={"lines": [_("Say how many units of which lines.")]})


def _units(bill: Reservation, rows: Sequence[_Given], lines: Mapping[int, int] | None) -> Units:
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


def _in_order(line: int, sold: Mapping[str, Any], rows: Sequence[_Given]) -> list[int]:
    """The line's units, the most reduced first."""
    cuts = [0] * sold["units"]
    for row in rows:
        for share in row.shares:
            if share["line"] == line:
                cuts = [cut + more for cut, more in zip(cuts, share["units"], strict=True)]
    return sorted(range(len(cuts)), key=lambda place: -cuts[place])


def _give_back(
    bill: Reservation, rows: Sequence[_Given], units: Units
) -> tuple[dict[str, int], Changes]:
    """Move redemptions; paise given back by offer, and what that changes of counters."""
    for line, places in units.items():
        bill.sold[str(line)]["back"] += places
    given_back: dict[str, int] = {}
    changes: Changes = {}
    moves: list[tuple[_Given, int, bool, bool]] = []
    for row in rows:
        if row.is_reversed or not any(share["line"] in units for share in row.shares):
            continue
        amount = sum(
            share["units"][place] for share in row.shares for place in units.get(share["line"], ())
        )
        whole_offer = all(
            len(bill.sold[str(share["line"])]["back"]) == len(share["units"])
            for share in row.shares
        )
        frees = whole_offer and row.is_counted and row.is_reusable
        moves.append((row, amount, whole_offer, frees))
        counters.give_back(changes, row.use, amount=amount if row.is_counted else 0, whole=frees)
        given_back[str(row.use.offer_id)] = amount
    if moves:
        _move(moves)
        note_use(bill.customer_id)
    return given_back, changes


def _move(moves: Sequence[tuple[_Given, int, bool, bool]]) -> None:
    """Count on locked redemptions what comes back of each; raises `MoreThanSold`."""
    with kept_cursor() as cursor:
        cursor.execute(
            MOVE,
            {
                "tenant": current_tenant_id(),
                "ids": [row.pk for row, _amount, _whole, _frees in moves],
                "amounts": bigints(amount for _row, amount, _whole, _frees in moves),
                "whole": [whole_offer for _row, _amount, whole_offer, _frees in moves],
                "frees": [frees for _row, _amount, _whole, frees in moves],
            },
        )
        if cursor.rowcount != len(moves):
            raise MoreThanSold()


def _locked(bill: Reservation) -> list[_Given]:
    """What the bill was given by each offer, with the limits that it has now; locked."""
    with kept_cursor() as cursor:
        cursor.execute(GIVEN, [current_tenant_id(), bill.pk])
        return [_given(bill, row) for row in cursor.fetchall()]


def _given(bill: Reservation, row: Sequence[Any]) -> _Given:
    pk, offer, customer, code, most, day, shares, state, is_counted, is_reusable, *columns = row
    use = Use(
        offer_id=offer,
        branch_id=bill.branch_id,
        customer_id=customer,
        code_id=code,
        code_limit=most,
        amount=0,
        day=day,
        limits=limits(columns),
    )
    is_reversed = state == Redemption.State.REVERSED
    return _Given(pk, use, decoded(shares), is_reversed, is_counted, is_reusable)


def _keep(reversal: Reversal) -> None:
    """Write it, and on its bill which units are back."""
    bill = reversal.reservation
    with kept_cursor() as cursor:
        cursor.execute(
            KEEP,
            {
                "tenant": current_tenant_id(),
                "bill": bill.pk,
                "sold": encoded(bill.sold),
                "operation": reversal.operation,
                "asked": None if reversal.asked is None else encoded(reversal.asked),
                "lines": encoded(reversal.lines),
                "given_back": encoded(reversal.given_back),
                "amount": str(reversal.amount),
                "effects": encoded(reversal.effects),
            },
        )
        reversal.pk, reversal.made_at = cursor.fetchone()
    reversal._state.adding = False


def _reverse_effects(
    bill: Reservation, operation: str, units: Units, is_mistake: bool
) -> dict[str, Any]:
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
                    is_mistake=is_mistake,
                )
            )
        )
    return {name: told for name, told in said.items() if told}
