"""A bill is reserved while the customer pays: its limits, budgets and effects are hers so long."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from django.db.models.functions import Coalesce, Least

from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.core.prepared import bigints, kept_cursor
from marketing.core.tenancy import current_tenant_id
from marketing.core.whole import whole
from marketing.coupons import quote_effects
from marketing.coupons.errors import QuoteChanged, ReservationExpired, ReservationOver, refusal_of
from marketing.coupons.models import Hold, Reservation
from marketing.coupons.pricing.answer import Quote, Verdict
from marketing.coupons.pricing.bill import Cart
from marketing.coupons.pricing.canonical import encode
from marketing.coupons.pricing.reasons import ReasonCode
from marketing.coupons.quote_effects import Held
from marketing.coupons.rules import LASTS, LONGEST, local_day
from marketing.coupons.selectors.prices import Priced, price_bill
from marketing.coupons.selectors.replay import pack
from marketing.coupons.services import counters
from marketing.coupons.services.bills import (
    RESERVATION,
    OnBill,
    encoded,
    held_by,
    require_branch,
    reservation_of,
    stand_for,
)
from marketing.coupons.services.counters import HOLD, LET_GO, Changes, Use
from marketing.coupons.services.locks import counter_call

State = Reservation.State

# The id is of a bill that is not reserved yet: effects name it before its row is written.
FIND = f"""
SELECT uuidv7(), bill.*
FROM (VALUES (true)) AS always
LEFT JOIN LATERAL (
    SELECT {RESERVATION} FROM coupons_reservation bill
    WHERE bill.tenant_id = %(tenant)s AND bill.branch_id = %(branch)s AND bill.key = %(key)s
      AND bill.state = 'reserved'
    FOR UPDATE
) bill ON true
"""  # noqa: S608  names of our own columns
WRITTEN = (
    "branch_id", "customer_id", "key", "state", "quote_hash", "engine", "catalogue", "trace",
    "applied", "sold", "effects", "discount", "payable", "local_day", "reserved_at",
    "first_reserved_at", "expires_at", "invoice_id",
)  # fmt: skip
_HOLDS = """
INSERT INTO coupons_hold (tenant_id, reservation_id, offer_id, code_id, branch_id, customer_id,
    revision, amount, shares, local_day)
SELECT bill.tenant_id, bill.id, held.offer_id, held.code_id, bill.branch_id, bill.customer_id,
       held.revision, held.amount, held.shares, bill.local_day
FROM bill, unnest(%(offers)s::uuid[], %(codes)s::uuid[], %(revisions)s::bigint[],
                  %(amounts)s::bigint[], %(shares)s::jsonb[])
    AS held (offer_id, code_id, revision, amount, shares)
"""
INSERT = f"""
WITH bill AS (
    INSERT INTO coupons_reservation (id, tenant_id, {", ".join(WRITTEN)})
    VALUES (%(id)s, %(tenant)s, {", ".join(f"%({name})s" for name in WRITTEN)})
    RETURNING *
), audited AS ({audit.WRITE})
{_HOLDS}"""  # noqa: S608  names of our own columns
UPDATE = f"""
WITH bill AS (
    UPDATE coupons_reservation SET {", ".join(f"{name} = %({name})s" for name in WRITTEN)}
    WHERE id = %(id)s AND tenant_id = %(tenant)s
    RETURNING *
), audited AS ({audit.WRITE})
{_HOLDS}"""  # noqa: S608  names of our own columns


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
        mine, new_id = _find(branch_id, key)
        priced = price_bill(
            branch_id=branch_id,
            customer_id=stand_for(customer_id),
            cart=cart,
            asked=asked,
            reservation_id=mine.pk if mine else None,
            kept=mine.effects if mine else None,
        )
        _require_promise(priced, quote_hash)
        former = held_by([mine.pk]) if mine else []
        reservation = mine or Reservation(pk=new_id, branch_id=branch_id, key=key)
        _promise(reservation, priced)
        reservation.effects = _hold_effects(reservation, priced)
        held = _on_bill(reservation, priced)
        changes: Changes = {}
        counters.add(changes, [each.use for each in former], LET_GO)
        counters.add(changes, [each.use for each in held], HOLD)
        if former:
            Hold.objects.filter(reservation=reservation).delete()
        _write(actor, reservation, held, is_new=mine is None)
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


def _find(branch_id: uuid.UUID, key: str) -> tuple[Reservation | None, uuid.UUID]:
    """What is reserved under the key, locked; and the id of one that is made."""
    with kept_cursor() as cursor:
        cursor.execute(FIND, {"tenant": current_tenant_id(), "branch": branch_id, "key": key})
        new_id, *row = cursor.fetchone()
    return (None if row[0] is None else reservation_of(row)), new_id


def _write(actor: Actor, reservation: Reservation, held: list[OnBill], *, is_new: bool) -> None:
    """Write the reservation with what it holds, and who reserved it, in one statement."""
    values = {name: getattr(reservation, name) for name in WRITTEN}
    for name in ("applied", "sold", "effects"):
        values[name] = encoded(values[name])
    # Numbers as text, whose type does not go by their size.
    for name in ("catalogue", "discount", "payable"):
        values[name] = str(values[name])
    told = {"key": reservation.key, "quoteHash": reservation.quote_hash}
    values |= audit.entry(actor, "coupon.reserve", reservation, told)
    values |= {
        "id": reservation.pk,
        "tenant": current_tenant_id(),
        "offers": [each.use.offer_id for each in held],
        "codes": [each.use.code_id for each in held],
        "revisions": bigints(each.revision for each in held),
        "amounts": bigints(each.use.amount for each in held),
        "shares": [encoded(each.shares) for each in held],
    }
    with kept_cursor() as cursor:
        cursor.execute(INSERT if is_new else UPDATE, values)


def _get(actor: Actor, pk: uuid.UUID) -> Reservation:
    actor.require("coupon.redeem")
    reservation = Reservation.objects.filter(pk=pk).defer("trace").first()
    if reservation is None or not actor.has_branch(reservation.branch_id):
        raise NotFound()
    return reservation


def _require_promise(priced: Priced, quote_hash: str | None) -> None:
    if quote_hash is not None:
        if quote_hash != priced.quote_hash:
            raise QuoteChanged(
                priced,
                details={
                    "quote": orjson.loads(encode(priced.quote)),
                    "quoteHash": priced.quote_hash,
                },
            )
        return
    for code in priced.quote.codes:
        # One that was typed twice has opened its offer.
        repeated = any(why.code is ReasonCode.CODE_REPEATED for why in code.reasons)
        if code.verdict is Verdict.BLOCKED and not repeated:
            raise refusal_of(code.reasons, code=code.code)


def _promise(reservation: Reservation, priced: Priced) -> None:
    """Put into the reservation what is promised, ten minutes from now.

    One that is still held is so no longer than thirty from when that began.
    """
    now, quote = priced.basket.now, priced.quote
    is_held = reservation.reserved_at is not None and reservation.expires_at > now
    reservation.first_reserved_at = reservation.began_at if is_held else None
    reservation.customer_id = priced.scene.customer_id
    reservation.quote_hash = priced.quote_hash
    reservation.engine = quote.engine
    reservation.catalogue = priced.live.number
    reservation.trace = pack(
        priced.facts,
        priced.quote,
        day=priced.live.day,
        asked=priced.asked,
        typed=priced.basket.typed,
    )
    reservation.applied = [
        {
            "offer": one.offer,
            "revision": one.revision,
            "code": one.code,
            "codeId": _code_id(priced, one.offer),
            "amount": one.amount,
            "shares": [
                {"line": share.line, "amount": share.amount, "units": list(share.units)}
                for share in one.shares
            ],
        }
        for one in quote.applied
    ]
    reservation.sold = sold_of(priced.facts.cart)
    reservation.discount = quote.discount
    reservation.payable = quote.payable
    reservation.local_day = local_day(priced.facts.cart.at, priced.scene.zone)
    reservation.reserved_at = now
    reservation.expires_at = min(now + LASTS, reservation.began_at + LONGEST)


def sold_of(cart: Cart) -> dict[str, Any]:
    """The lines of a bill, none of whose units came back yet."""
    return {str(line.number): {"units": line.quantity, "back": []} for line in cart.lines}


def _code_id(priced: Priced, offer: str) -> str | None:
    """The row of the code that opens the offer; an effect's code has none."""
    row = priced.entered.ids.get(offer)
    return None if row is None else str(row[0])


def _hold_effects(reservation: Reservation, priced: Priced) -> dict[str, Any]:
    """What effects keep with the reservation, by their names."""
    kept = {
        effect.name: dict(effect.hold(priced.asking(effect.name), priced.quote, reservation.pk))
        for effect in quote_effects.effects()
    }
    return {name: held for name, held in kept.items() if held}


def _on_bill(reservation: Reservation, priced: Priced) -> list[OnBill]:
    """What applies, none of it of no effect: the engine leaves that out."""
    found = []
    for one, entry in zip(priced.quote.applied, reservation.applied, strict=True):
        code_id, code_limit = priced.entered.ids.get(one.offer, (None, None))
        found.append(
            OnBill(
                Use(
                    offer_id=uuid.UUID(one.offer),
                    branch_id=reservation.branch_id,
                    customer_id=reservation.customer_id,
                    code_id=code_id,
                    code_limit=code_limit,
                    amount=one.amount,
                    day=reservation.local_day,
                    limits=priced.catalogue.by_id[one.offer].terms.limits,
                ),
                one.revision,
                entry["shares"],
            )
        )
    return found
