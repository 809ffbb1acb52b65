"""A bill is reserved while the customer pays: its limits, budgets and effects are hers so long."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Coalesce, Least

from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.core.whole import whole
from marketing.coupons import quote_effects
from marketing.coupons.errors import ReservationExpired, ReservationOver
from marketing.coupons.models import Hold, Reservation
from marketing.coupons.pricing.answer import Quote
from marketing.coupons.pricing.bill import Cart
from marketing.coupons.quote_effects import Held
from marketing.coupons.rules import LASTS, LONGEST
from marketing.coupons.selectors.prices import Priced
from marketing.coupons.services import counters
from marketing.coupons.services.bills import (
    FOUND_OR_NEW,
    find_or_begin,
    held_by,
    require_branch,
)
from marketing.coupons.services.counters import HOLD, LET_GO, Changes
from marketing.coupons.services.locks import counter_call
from marketing.coupons.services.promises import (
    hold_effects,
    priced_for_her,
    promise,
    require_promise,
    uses_of,
)
from marketing.coupons.services.writing import write_reserved

State = Reservation.State

FIND = FOUND_OR_NEW.format(found="bill.key = %(key)s AND bill.state = 'reserved' FOR UPDATE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """`reservation.pk` is the token, `quote` what is promised until `reservation.expires_at`."""

    reservation: Reservation
    priced: Priced

    @property
    def quote(self) -> Quote:
        return self.priced.quote

    @property
    def told(self) -> Mapping[str, Any]:
        return self.priced.told


@whole()
def reserve(
    *,
    actor: Actor,
    branch_id: uuid.UUID,
    customer_id: uuid.UUID | None,
    cart: Cart,
    key: str,
    quote_hash: str | None = None,
    asked: Mapping[str, Mapping[str, Any]] | None = None,
) -> Reserved:
    """Hold what the bill is priced with for ten minutes.

    `key` is the counter's name for the bill: the same again renews it and holds what the basket
    needs now, in the place of what it held, for up to thirty minutes in all. Raises `QuoteChanged`
    when `quote_hash` is no longer what would be promised; without a hash, Module 11's refusal for
    the first code that does not apply. `Busy` and every other refusal leave all as it was.
    """
    require_branch(actor, branch_id)
    with counter_call():
        reservation = find_or_begin(FIND, branch_id, key=key)
        is_new = reservation.reserved_at is None
        priced = priced_for_her(
            branch_id=branch_id,
            customer_id=customer_id,
            cart=cart,
            asked=asked,
            mine=None if is_new else reservation,
        )
        require_promise(priced, quote_hash)
        former = [] if is_new else held_by([reservation.pk])
        promise(reservation, priced)
        reservation.effects = hold_effects(reservation, priced)
        held = uses_of(reservation, priced)
        changes: Changes = {}
        counters.add(changes, [each.use for each in former], LET_GO)
        counters.add(changes, [each.use for each in held], HOLD)
        if former:
            Hold.objects.filter(reservation=reservation).delete()
        write_reserved(actor, reservation, held, is_new=is_new)
        counters.move(changes)
    return Reserved(reservation=reservation, priced=priced)


@whole()
def renew(*, actor: Actor, reservation_id: uuid.UUID) -> Reservation:
    """Ten minutes from now, but thirty from the beginning at most.

    Raises `ReservationExpired` after the end, `ReservationOver` when it was released or redeemed.
    """
    now = clock.now()
    began_at = Coalesce("first_reserved_at", "reserved_at")
    reservation = _get(actor, reservation_id)
    with counter_call():
        renewed = Reservation.objects.filter(
            pk=reservation.pk, state=State.RESERVED, expires_at__gt=now
        ).update(expires_at=Least(now + LASTS, began_at + LONGEST))
        reservation.refresh_from_db()
        if not renewed:
            raise over(reservation)
        audit.record(
            actor, "coupon.renew", reservation, {"expiresAt": reservation.expires_at.isoformat()}
        )
        for effect in quote_effects.effects():
            if effect.name in reservation.effects:
                effect.renew(held_of(reservation, effect.name), reservation.expires_at)
    return reservation


@whole()
def release(*, actor: Actor, reservation_id: uuid.UUID) -> Reservation:
    """Give back what is held; released or expired already is the same answer.

    Raises `ReservationOver` for what was redeemed.
    """
    reservation = _get(actor, reservation_id)
    with counter_call():
        reservation = Reservation.objects.select_for_update().get(pk=reservation.pk)
        if reservation.state == State.REDEEMED:
            raise over(reservation)
        if reservation.state == State.RESERVED:
            audit.record(actor, "coupon.release", reservation)
            let_go(reservation)
    return reservation


def let_go(reservation: Reservation) -> None:
    """Release a live reservation whose row is locked."""
    reservation.state = State.RELEASED
    reservation.save(update_fields=["state"])
    release_effects([reservation])
    changes: Changes = {}
    counters.add(changes, [each.use for each in held_by([reservation.pk])], LET_GO)
    counters.move(changes)
    Hold.objects.filter(reservation=reservation).delete()


def release_effects(reservations: list[Reservation]) -> None:
    """Let every effect give back what it kept for these."""
    for effect in quote_effects.effects():
        theirs = [each for each in reservations if effect.name in each.effects]
        if theirs:
            effect.release([held_of(each, effect.name) for each in theirs])


def held_of(reservation: Reservation, name: str) -> Held:
    """What the reservation keeps for the effect of that name."""
    return Held(
        reservation_id=reservation.pk,
        branch_id=reservation.branch_id,
        customer_id=reservation.customer_id,
        kept=reservation.effects.get(name, {}),
    )


def over(reservation: Reservation) -> ReservationExpired | ReservationOver:
    """Why nothing can be done with it any more."""
    if reservation.state in (State.RESERVED, State.EXPIRED):
        return ReservationExpired(details={"expiresAt": reservation.expires_at.isoformat()})
    return ReservationOver(details={"state": reservation.state})


def _get(actor: Actor, pk: uuid.UUID) -> Reservation:
    actor.require("coupon.redeem")
    reservation = Reservation.objects.filter(pk=pk).defer("trace").first()
    if reservation is None or not actor.has_branch(reservation.branch_id):
        raise NotFound()
    return reservation
