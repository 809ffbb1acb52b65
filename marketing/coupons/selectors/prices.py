"""A bill priced: the quote the counter shows. Reads only; `quote_hash` names what is promised."""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from marketing.core import clock
from marketing.core.errors import ValidationFailed
from marketing.core.sentences import gettext as _
from marketing.coupons import quote_effects
from marketing.coupons.pricing.answer import Quote
from marketing.coupons.pricing.bill import Cart, EnteredCode, PointsUse
from marketing.coupons.pricing.bill_check import cart_faults
from marketing.coupons.pricing.canonical import promise_hash
from marketing.coupons.pricing.compiled import Catalogue
from marketing.coupons.pricing.engine import quote, within_cpu
from marketing.coupons.pricing.facts import Customer, OfferUsage, Settings
from marketing.coupons.quote_effects import Basket
from marketing.coupons.rules import CLOCKS_APART, CPU_SECONDS
from marketing.coupons.selectors.catalogue import LiveOffers, live_offers, with_offers
from marketing.coupons.selectors.entered import Entered, ask_for, entered_by
from marketing.coupons.selectors.membership import segments_of
from marketing.coupons.selectors.scene import (
    Scene,
    may_hold,
    read_scene,
    segments_asked,
)
from marketing.coupons.selectors.usage import ask_for_usage, usage_of
from marketing.coupons.wording.faults import faults_at_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the engine was handed besides the offers; stored, it prices the bill again."""

    cart: Cart
    customer: Customer | None
    usage: Mapping[str, OfferUsage]
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """`quote` is the answer, `quote_hash` of what it promises; `told` is what effects add."""

    quote: Quote
    quote_hash: str
    facts: Facts
    scene: Scene
    live: LiveOffers
    catalogue: Catalogue
    entered: Entered
    basket: Basket
    asked: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    kept: Mapping[str, Any] = field(default_factory=dict)
    known: Mapping[str, Any] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)

    def asking(self, effect: str) -> Basket:
        """The basket with what was asked of that effect, and what it keeps and knows."""
        return _asking(self.basket, effect, self.asked, self.kept, self.known)


@dataclass(frozen=True, slots=True)
class ForBill:
    """The chain as it is for this bill, before pricing."""

    scene: Scene
    live: LiveOffers
    catalogue: Catalogue
    entered: Entered
    customer: Customer | None
    usage: dict[str, OfferUsage]


def price_bill(
    *,
    branch_id: uuid.UUID,
    customer_id: uuid.UUID | None,
    cart: Cart,
    asked: Mapping[str, Mapping[str, Any]] | None = None,
    reservation_id: uuid.UUID | None = None,
    kept: Mapping[str, Any] | None = None,
) -> Priced:
    """The best deal for this bill now, with every reason why.

    `cart` comes as `wire.read_cart` makes it, codes as typed: branch, time zone, what codes open
    and points are filled in here. `asked` is what is said to each effect, by its name. Under
    `reservation_id` what that reservation holds is the bill's own; `kept` is what effects keep
    with it. Raises `ValidationFailed` at the fields of the cart, `NotFound` for another chain's
    branch or customer.

    Goes to the server one to four times (scene and codes, usage, segments and their rules),
    besides what effects ask, and twice more when an offer of the chain has changed.
    """
    require_sound(cart)
    now = clock.now()
    cart = dataclasses.replace(cart, branch=str(branch_id))
    typed = [entry.code for entry in cart.codes]
    asked, kept = asked or {}, kept or {}
    basket = Basket(
        branch_id=branch_id,
        customer_id=customer_id,
        cart=cart,
        now=now,
        reservation_id=reservation_id,
        typed=tuple(typed),
    )
    known = _ask(basket, asked, kept)
    read = read_for_bill(branch_id, customer_id, cart, typed, now, reservation_id)
    basket = dataclasses.replace(
        basket,
        customer_id=read.scene.customer_id,
        cart=dataclasses.replace(
            cart, timezone=read.scene.zone, codes=tuple(read.entered.codes), points=None
        ),
        visits=read.scene.visits,
    )
    if basket.customer_id != customer_id:
        known = _ask(basket, asked, kept)
    basket, catalogue, known = _contributions(basket, read, asked, kept, known)
    facts = Facts(
        cart=basket.cart, customer=read.customer, usage=read.usage, settings=read.scene.settings
    )
    answer = quote(
        facts.cart,
        catalogue,
        customer=facts.customer,
        usage=facts.usage,
        settings=facts.settings,
        out_of_time=within_cpu(CPU_SECONDS),
    )
    told = {}
    for effect in quote_effects.effects():
        said = effect.tell(_asking(basket, effect.name, asked, kept, known), answer)
        if said:
            told[effect.name] = said
    return Priced(
        quote=answer,
        quote_hash=promise_hash(answer),
        facts=facts,
        scene=read.scene,
        live=read.live,
        catalogue=catalogue,
        entered=read.entered,
        basket=basket,
        asked=asked,
        kept=kept,
        known=known,
        told=told,
    )


def require_sound(cart: Cart) -> None:
    require_no_faults(cart)
    if abs(cart.at - clock.now()) > CLOCKS_APART:
        message = _("The bill's time is more than a quarter of an hour from ours.")
        raise ValidationFailed(fields={"at": [message]})


def require_no_faults(cart: Cart) -> None:
    """Raises `ValidationFailed` at the fields of a cart that cannot be priced."""
    faults = cart_faults(cart)
    if faults:
        raise ValidationFailed(fields=faults_at_fields(faults))


def read_for_bill(
    branch_id: uuid.UUID,
    customer_id: uuid.UUID | None,
    cart: Cart,
    typed: Sequence[str],
    now: dt.datetime,
    reservation_id: uuid.UUID | None,
) -> ForBill:
    """What `price_bill` prices with; `cart` has its branch."""
    codes = ask_for(typed, reservation_id)
    scene = read_scene(branch_id, customer_id)
    live = live_offers(scene.token, now)
    here = now.astimezone(ZoneInfo(scene.zone))
    entered = entered_by(codes, live=live, customer_id=scene.customer_id, now=here)
    opened = {entry.offer for entry in entered.codes if entry.offer}
    catalogue = with_offers(live, entered.offers)
    local = cart.at.astimezone(ZoneInfo(scene.zone)).replace(tzinfo=None)
    usage = ask_for_usage(
        [
            offer
            for offer in (*catalogue.automatic, *map(catalogue.by_id.get, opened))
            if offer is not None and (offer.id in opened or may_hold(offer, cart.branch, local))
        ],
        branch_id=branch_id,
        customer_id=scene.customer_id,
        day=local.date(),
        zone=scene.zone,
        reservation_id=reservation_id,
    )
    return ForBill(
        scene=scene,
        live=live,
        catalogue=catalogue,
        entered=entered,
        customer=_customer(scene, catalogue, opened, cart.branch, local, now),
        usage=usage_of(usage),
    )


def _customer(
    scene: Scene,
    catalogue: Catalogue,
    opened: set[str],
    branch: str,
    local: dt.datetime,
    now: dt.datetime,
) -> Customer | None:
    if scene.customer_id is None:
        return None
    asked = segments_asked(catalogue, opened, branch, local)
    return Customer(
        id=str(scene.customer_id),
        visits=scene.visits,
        segments=segments_of(scene.customer_id, asked, zone=scene.home_zone, now=now),
        tier=scene.tier,
    )


def _ask(
    basket: Basket, asked: Mapping[str, Mapping[str, Any]], kept: Mapping[str, Any]
) -> dict[str, Any]:
    """What effects ask ahead, by their names."""
    return {
        effect.name: effect.ask(_asking(basket, effect.name, asked, kept, {}))
        for effect in quote_effects.effects()
    }


def _contributions(
    basket: Basket,
    read: ForBill,
    asked: Mapping[str, Mapping[str, Any]],
    kept: Mapping[str, Any],
    known: Mapping[str, Any],
) -> tuple[Basket, Catalogue, dict[str, Any]]:
    """The basket with what effects add to its cart, the catalogue with what they open, and what
    each of them read.
    """
    points: PointsUse | None = None
    known = dict(known)
    theirs: dict[str, EnteredCode | None] = {}
    brought: list[EnteredCode] = []
    for effect in quote_effects.effects():
        part = effect.contribute(_asking(basket, effect.name, asked, kept, known))
        known[effect.name] = part.known
        points = part.points or points
        theirs |= {key: part.codes[key] for key in part.codes if key in read.entered.unknown}
        brought += part.brought
    catalogue = read.catalogue
    if theirs or brought:
        read.entered.answer(theirs, brought)
        catalogue = with_offers(read.live, read.entered.offers)
        opened = {pk for pk in map(str, read.entered.offers) if pk not in read.usage}
        read.usage.update(
            usage_of(
                ask_for_usage(
                    [catalogue.by_id[pk] for pk in opened if pk in catalogue.by_id],
                    branch_id=basket.branch_id,
                    customer_id=basket.customer_id,
                    day=basket.cart.at.astimezone(ZoneInfo(read.scene.zone)).date(),
                    zone=read.scene.zone,
                    reservation_id=basket.reservation_id,
                )
            )
        )
    cart = dataclasses.replace(basket.cart, codes=tuple(read.entered.codes), points=points)
    return dataclasses.replace(basket, cart=cart), catalogue, known


def _asking(
    basket: Basket,
    name: str,
    asked: Mapping[str, Mapping[str, Any]],
    kept: Mapping[str, Any],
    known: Mapping[str, Any],
) -> Basket:
    return dataclasses.replace(
        basket, asked=asked.get(name, {}), kept=kept.get(name, {}), known=known.get(name)
    )
