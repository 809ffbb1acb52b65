"""A reserved bill is paid: its holds become redemptions, once."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q

from marketing.core import audit, clock, events
from marketing.core.actor import Actor
from marketing.core.errors import DomainError, NotFound, ValidationFailed
from marketing.coupons import quote_effects
from marketing.coupons.errors import Busy, ReservationExpired
from marketing.coupons.given import note_use
from marketing.coupons.models import Hold, Redemption, Reservation
from marketing.coupons.pricing.bill import Cart
from marketing.coupons.quote_effects import Paid
from marketing.coupons.selectors.replay import kept_basket, kept_bill, kept_quote
from marketing.coupons.services import counters
from marketing.coupons.services.bills import (
    OnBill,
    applied_of,
    held_by,
    require_branch,
)
from marketing.coupons.services.budgets import is_spent
from marketing.coupons.services.counters import USE_AT_ONCE, USE_HELD, Changes, Kind
from marketing.coupons.services.locks import counter_call
from marketing.coupons.services.reservations import held_of, let_go, over, reserve

State = Reservation.State
MAX_INVOICE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """A paid bill; `repeated` when it had been redeemed before and nothing was done now."""

    reservation: Reservation
    redemptions: list[Redemption]
    repeated: bool = False


@transaction.atomic
def redeem(*, actor: Actor, reservation_id: uuid.UUID, invoice_id: str) -> Redeemed:
    """Use what the reservation holds for the bill `invoice_id`, which a branch has once.

    The same invoice again, under this reservation or another, is answered with what was done.
    After the reservation's end its limits are taken anew, at the promised amounts, or it raises
    `ReservationExpired`; `ReservationOver` when it was released, or redeemed for another invoice.
    """
    actor.require("coupon.redeem")
    require_invoice(invoice_id)
    with counter_call():
        found = _find(reservation_id, invoice_id)
        reservation = next((each for each in found if each.pk == reservation_id), None)
        if reservation is None or not actor.has_branch(reservation.branch_id):
            raise NotFound()
        done = next((each for each in found if each.invoice_id == invoice_id), None)
        if done is not None:
            if done.pk != reservation.pk and reservation.state == State.RESERVED:
                let_go(reservation)
            return again(done)
        if reservation.state not in (State.RESERVED, State.EXPIRED):
            raise over(reservation)
        used = _use(reservation, invoice_id)
        redemptions = _write(reservation, used.offers)
        kept = commit_effects(reservation, by=actor.label)
        if kept != reservation.effects:
            reservation.effects = kept
            reservation.save(update_fields=["effects"])
        audit.record(actor, "coupon.redeem", reservation, {"invoiceId": invoice_id})
        # Last: every bill with a limited offer waits for its row until this one is over.
        _count(reservation, used)
    return Redeemed(reservation=reservation, redemptions=redemptions)


@transaction.atomic
def redeem_bill(
    *,
    actor: Actor,
    branch_id: uuid.UUID,
    customer_id: uuid.UUID | None,
    cart: Cart,
    invoice_id: str,
    quote_hash: str | None = None,
    asked: Mapping[str, Mapping[str, Any]] | None = None,
) -> Redeemed:
    """Price and redeem in one, for counters that reserve nothing; refused as the two are."""
    require_branch(actor, branch_id)
    require_invoice(invoice_id)
    done = Reservation.objects.filter(
        branch=branch_id, invoice_id=invoice_id, state=State.REDEEMED
    ).first()
    if done is not None:
        return again(done)
    reserved = reserve(
        actor=actor,
        branch_id=branch_id,
        customer_id=customer_id,
        cart=cart,
        key=f"invoice {invoice_id}"[:100],
        quote_hash=quote_hash,
        asked=asked,
    )
    return redeem(actor=actor, reservation_id=reserved.reservation.pk, invoice_id=invoice_id)


def require_invoice(invoice_id: str) -> None:
    """Raises `ValidationFailed` for a name that no bill can have."""
    if not 0 < len(invoice_id) <= MAX_INVOICE:
        raise ValidationFailed(fields={"invoiceId": [f"1-{MAX_INVOICE}"]})


def _find(reservation_id: uuid.UUID, invoice_id: str) -> list[Reservation]:
    """The reservation, and the one that this invoice of its branch was redeemed by; locked."""
    branch = Reservation.objects.filter(pk=reservation_id).values("branch_id")
    return list(
        Reservation.objects.select_for_update()
        .filter(
            Q(pk=reservation_id)
            | Q(branch_id__in=branch, invoice_id=invoice_id, state=State.REDEEMED)
        )
        .order_by("pk")
    )


def again(done: Reservation) -> Redeemed:
    """The answer to a bill that was redeemed before."""
    return Redeemed(
        reservation=done,
        redemptions=list(Redemption.objects.filter(reservation=done).order_by("pk")),
        repeated=True,
    )


class _Used(NamedTuple):
    """What the bill uses, and what that changes; `anew` where the sweeper gave it back before."""

    offers: list[OnBill]
    changes: Changes
    anew: bool = False


def _use(reservation: Reservation, invoice_id: str) -> _Used:
    """Turn the reservation to redeemed; what of its holds, or of what it was promised, is used."""
    now = clock.now()
    swept = reservation.state == State.EXPIRED
    moved = Reservation.objects.filter(
        pk=reservation.pk, state=State.RESERVED, expires_at__gt=now
    ).update(state=State.REDEEMED, invoice_id=invoice_id, redeemed_at=now)
    if not moved:
        # Over: what the sweeper has not given back yet is still held.
        late = Reservation.objects.filter(pk=reservation.pk, state=reservation.state)
        if not late.filter(expires_at__lte=now).update(
            state=State.REDEEMED, invoice_id=invoice_id, redeemed_at=now
        ):
            raise Busy()
    reservation.state = State.REDEEMED
    reservation.invoice_id, reservation.redeemed_at = invoice_id, now
    changes: Changes = {}
    if swept:
        used = applied_of(reservation)
        counters.add(changes, [each.use for each in used], USE_AT_ONCE)
        with _no_longer_held(reservation):
            _hold_effects_anew(reservation)
        return _Used(used, changes, anew=True)
    held = held_by([reservation.pk])
    counters.add(changes, [each.use for each in held], USE_HELD)
    if held:
        Hold.objects.filter(reservation=reservation).delete()
    return _Used(held, changes)


def _count(reservation: Reservation, used: _Used) -> None:
    with _no_longer_held(reservation) if used.anew else nullcontext():
        totals = counters.move(used.changes)
    _tell_exhausted(totals, used.changes)


@contextmanager
def _no_longer_held(reservation: Reservation) -> Iterator[None]:
    """What was given back and cannot be taken anew is a reservation that is over."""
    try:
        yield
    except DomainError as error:
        raise ReservationExpired(
            details={"expiresAt": reservation.expires_at.isoformat(), **error.details}
        ) from error


def _hold_effects_anew(reservation: Reservation) -> None:
    quote = kept_quote(reservation)
    for effect in quote_effects.effects():
        if effect.name in reservation.effects:
            basket = kept_basket(reservation, effect.name)
            reservation.effects[effect.name] = dict(effect.hold(basket, quote, reservation.pk))


def _write(reservation: Reservation, used: list[OnBill]) -> list[Redemption]:
    redemptions = Redemption.objects.bulk_create(
        Redemption(
            reservation=reservation,
            offer_id=each.use.offer_id,
            code_id=each.use.code_id,
            branch_id=each.use.branch_id,
            customer_id=each.use.customer_id,
            invoice_id=reservation.invoice_id,
            revision=each.revision,
            amount=each.use.amount,
            shares=each.shares,
            local_day=each.use.day,
            redeemed_at=reservation.redeemed_at or clock.now(),
        )
        for each in used
    )
    if redemptions:
        note_use(reservation.customer_id)
    events.record_all(
        "coupon.redeemed",
        [
            {
                "couponId": str(row.offer_id),
                "customerId": row.customer_id and str(row.customer_id),
                "invoiceId": row.invoice_id,
            }
            for row in redemptions
        ],
    )
    return redemptions


def _tell_exhausted(totals: Mapping[uuid.UUID, int], changes: Changes) -> None:
    for counter, change in changes.items():
        used = totals.get(counter.owner) if counter.kind is Kind.TOTAL else None
        if used is not None and (used == change.limit or is_spent(counter.owner, change)):
            events.record("coupon.exhausted", {"couponId": str(counter.owner)})


def commit_effects(reservation: Reservation, *, by: str) -> dict[str, Any]:
    """Let effects make it final; what they keep for a later reversal."""
    kept: dict[str, Any] = {}
    effects = quote_effects.effects()
    if not effects or reservation.redeemed_at is None:
        return dict(reservation.effects)
    bill = kept_bill(reservation)
    for effect in effects:
        said = effect.commit(
            Paid(
                held=held_of(reservation, effect.name),
                invoice_id=reservation.invoice_id,
                cart=bill.cart,
                quote=bill.quote,
                at=reservation.redeemed_at,
                asked=bill.asked.get(effect.name, {}),
                by=by,
            )
        )
        if said:
            kept[effect.name] = dict(said)
    return kept
