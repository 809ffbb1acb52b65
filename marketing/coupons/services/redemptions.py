"""A reserved bill is paid: its holds become redemptions, once."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from copy import copy
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from marketing.core import audit, clock, events
from marketing.core.actor import Actor
from marketing.core.errors import DomainError, NotFound, ValidationFailed
from marketing.core.prepared import kept_cursor, send_later
from marketing.core.sentences import gettext as _
from marketing.core.tenancy import current_tenant_id
from marketing.core.whole import whole
from marketing.coupons import quote_effects
from marketing.coupons.errors import Busy, ReservationExpired
from marketing.coupons.given import note_use
from marketing.coupons.models import Hold, Redemption, Reservation
from marketing.coupons.quote_effects import UNREAD, Paid
from marketing.coupons.selectors.replay import KeptBill, kept_basket, kept_bill, kept_quote
from marketing.coupons.services import counters
from marketing.coupons.services.bills import (
    HELD,
    LIMITS,
    RESERVATION,
    OnBill,
    encoded,
    on_bill,
    reservation_of,
)
from marketing.coupons.services.budgets import is_spent
from marketing.coupons.services.counters import USE_AT_ONCE, USE_HELD, Changes, Kind
from marketing.coupons.services.locks import counter_call
from marketing.coupons.services.reservations import held_of, let_go, over

State = Reservation.State
MAX_INVOICE = 100

FIND = f"""
SELECT {RESERVATION} FROM coupons_reservation bill
WHERE bill.tenant_id = %(tenant)s AND (
    bill.id = %(id)s
    OR bill.state = 'redeemed' AND bill.invoice_id = %(invoice)s::text AND bill.branch_id = (
        SELECT branch_id FROM coupons_reservation WHERE id = %(id)s AND tenant_id = %(tenant)s))
ORDER BY bill.id FOR UPDATE OF bill
"""  # noqa: S608  names of our own columns
# One row for the bill at least, and one for each offer, with the limits that it has now.
REDEEM = f"""
WITH bill AS (
    UPDATE coupons_reservation
    SET state = 'redeemed', invoice_id = %(invoice)s::text, redeemed_at = %(now)s
    WHERE id = %(id)s AND tenant_id = %(tenant)s AND state = %(found_in)s
    RETURNING id, tenant_id
), held AS (
    DELETE FROM coupons_hold hold USING bill
    WHERE hold.tenant_id = bill.tenant_id AND hold.reservation_id = bill.id
    RETURNING hold.*
), used AS (
    INSERT INTO coupons_redemption (tenant_id, reservation_id, offer_id, code_id, branch_id,
        customer_id, invoice_id, revision, amount, shares, state, local_day, redeemed_at)
    SELECT tenant_id, reservation_id, offer_id, code_id, branch_id, customer_id,
           %(invoice)s::text, revision, amount, shares, 'redeemed', local_day, %(now)s
    FROM held ORDER BY id
    RETURNING id, offer_id
)
SELECT used.id, {HELD}
FROM bill LEFT JOIN held ON true LEFT JOIN used ON used.offer_id = held.offer_id {LIMITS}
ORDER BY used.id
"""  # noqa: S608  constants
KEEP_EFFECTS = """
UPDATE coupons_reservation SET effects = %s WHERE id = %s AND tenant_id = %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """A paid bill; `repeated` when it had been redeemed before and nothing was done now."""

    reservation: Reservation
    redemptions: list[Redemption]
    repeated: bool = False


@whole()
def redeem(
    *, actor: Actor, reservation_id: uuid.UUID, invoice_id: str, wallet: int = 0
) -> Redeemed:
    """Use what the reservation holds for the bill `invoice_id`, which a branch has once.

    The same invoice again, under this reservation or another, is answered with what was done.
    After the reservation's end its limits are taken anew, at the promised amounts, or it raises
    `ReservationExpired`; `ReservationOver` when it was released, or redeemed for another invoice.
    `wallet`: as `Paid` has it.
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
        return _redeem(actor, reservation, kept_bill(reservation), invoice_id, wallet)


@whole()
def redeem_found(
    *, actor: Actor, found: Reservation, bill: KeptBill, invoice_id: str, wallet: int = 0
) -> Redeemed:
    """`redeem`, of what `find_bills` found for an invoice that no bill has yet; `bill` is its own.

    `found` is left as it is, for whoever goes on with it after a refusal.
    """
    actor.require("coupon.redeem")
    require_invoice(invoice_id)
    reservation = copy(found)
    reservation.effects = dict(found.effects)
    with counter_call():
        return _redeem(actor, reservation, bill, invoice_id, wallet)


def _redeem(
    actor: Actor, reservation: Reservation, bill: KeptBill, invoice_id: str, wallet: int
) -> Redeemed:
    """The reservation is locked, and so is the invoice's place."""
    if reservation.state not in (State.RESERVED, State.EXPIRED):
        raise over(reservation)
    with events.together():
        used = _use(reservation, invoice_id)
        tell_redeemed(used.redemptions)
        keep_effects(reservation, commit_effects(reservation, bill, by=actor.label, wallet=wallet))
    audit.record(actor, "coupon.redeem", reservation, {"invoiceId": invoice_id})
    # Last: every bill with a limited offer waits for its row until this one is over.
    with _no_longer_held(reservation) if used.anew else nullcontext():
        count_uses(used.changes)
    return Redeemed(reservation=reservation, redemptions=used.redemptions)


def require_invoice(invoice_id: str) -> None:
    """Raises `ValidationFailed` for a name that no bill can have."""
    if not 0 < len(invoice_id) <= MAX_INVOICE:
        raise ValidationFailed(fields={"invoiceId": [f"1-{MAX_INVOICE}"]})


def _find(reservation_id: uuid.UUID, invoice_id: str) -> list[Reservation]:
    """The reservation, and the one that this invoice of its branch was redeemed by; locked."""
    with kept_cursor() as cursor:
        cursor.execute(
            FIND, {"tenant": current_tenant_id(), "id": reservation_id, "invoice": invoice_id}
        )
        return [reservation_of(row) for row in cursor.fetchall()]


def again(done: Reservation) -> Redeemed:
    """The answer to a bill that was redeemed before."""
    return Redeemed(
        reservation=done,
        redemptions=list(Redemption.objects.filter(reservation=done).order_by("pk")),
        repeated=True,
    )


class _Used(NamedTuple):
    """What the bill used, and what that changes; `anew` where the sweeper gave it back before."""

    redemptions: list[Redemption]
    changes: Changes
    anew: bool


def _use(reservation: Reservation, invoice_id: str) -> _Used:
    """Turn a locked reservation, and what it holds, to redeemed.

    Over, but not swept yet, it still holds what is hers; else that is held anew.
    """
    swept = reservation.state == State.EXPIRED
    if swept:
        _hold_anew(reservation)
    with kept_cursor() as cursor:
        cursor.execute(
            REDEEM,
            {
                "tenant": current_tenant_id(),
                "id": reservation.pk,
                "found_in": reservation.state,
                "invoice": invoice_id,
                "now": (now := clock.now()),
            },
        )
        rows = cursor.fetchall()
    if not rows:
        raise Busy()
    reservation.state = State.REDEEMED
    reservation.invoice_id, reservation.redeemed_at = invoice_id, now
    used = [(pk, on_bill(held)) for pk, *held in rows if pk is not None]
    changes: Changes = {}
    counters.add(changes, [each.use for _pk, each in used], USE_AT_ONCE if swept else USE_HELD)
    if swept:
        with _no_longer_held(reservation):
            _hold_effects_anew(reservation)
    return _Used([redemption_of(reservation, *each) for each in used], changes, swept)


def _hold_anew(reservation: Reservation) -> None:
    """Write what it was promised as held; counters are asked for it when it is used."""
    Hold.objects.bulk_create(
        Hold(
            reservation=reservation,
            offer_id=entry["offer"],
            code_id=entry["codeId"],
            branch_id=reservation.branch_id,
            customer_id=reservation.customer_id,
            revision=entry["revision"],
            amount=entry["amount"],
            shares=entry["shares"],
            local_day=reservation.local_day,
        )
        for entry in reservation.applied
    )


def redemption_of(reservation: Reservation, pk: uuid.UUID, on_bill: OnBill) -> Redemption:
    """What its row `pk` says of a redeemed bill."""
    use = on_bill.use
    return Redemption(
        pk=pk,
        reservation=reservation,
        offer_id=use.offer_id,
        code_id=use.code_id,
        branch_id=use.branch_id,
        customer_id=use.customer_id,
        invoice_id=reservation.invoice_id,
        revision=on_bill.revision,
        amount=use.amount,
        returned=0,
        shares=on_bill.shares,
        counted=True,
        local_day=use.day,
        redeemed_at=reservation.redeemed_at or clock.now(),
    )


def count_uses(changes: Changes) -> None:
    """Move the counters, and tell which offers are used up now; raises as `counters.move`."""
    totals = counters.move(changes)
    for counter, change in changes.items():
        used = totals.get(counter.owner) if counter.kind is Kind.TOTAL else None
        if used is not None and (used == change.limit or is_spent(counter.owner, change)):
            events.record("coupon.exhausted", {"couponId": str(counter.owner)})


@contextmanager
def _no_longer_held(reservation: Reservation) -> Iterator[None]:
    """What was given back and cannot be taken anew is a reservation that is over."""
    try:
        yield
    except DomainError as error:
        raise ReservationExpired(
            _(
                "The reservation is over, and its limits have been used by others. Price the bill"
                " again: what she gets now may differ."
            ),
            details={"expiresAt": reservation.expires_at.isoformat(), **error.details},
        ) from error


def _hold_effects_anew(reservation: Reservation) -> None:
    quote = kept_quote(reservation)
    for effect in quote_effects.effects():
        if effect.name in reservation.effects:
            basket = kept_basket(reservation, effect.name)
            reservation.effects[effect.name] = dict(effect.hold(basket, quote, reservation.pk))


def tell_redeemed(redemptions: Sequence[Redemption]) -> None:
    """For who listens, and for her facts."""
    if redemptions:
        note_use(redemptions[0].customer_id)
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


def keep_effects(reservation: Reservation, kept: dict[str, Any]) -> None:
    """What effects keep with a paid bill."""
    if kept != reservation.effects:
        reservation.effects = kept
        send_later(KEEP_EFFECTS, [encoded(kept), reservation.pk, current_tenant_id()])


def commit_effects(
    reservation: Reservation,
    bill: KeptBill,
    *,
    by: str,
    wallet: int = 0,
    known: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Let effects make it final; what they keep for a later reversal.

    `known` is what they read of a bill that was priced just now.
    """
    kept: dict[str, Any] = {}
    effects = quote_effects.effects()
    if not effects or reservation.redeemed_at is None:
        return dict(reservation.effects)
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
                wallet=wallet,
                known=known.get(effect.name, UNREAD),
            )
        )
        if said:
            kept[effect.name] = dict(said)
    return kept
