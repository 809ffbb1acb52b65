"""Module 11's `coupons/validate`: whether one code would give something. Reads only."""

import dataclasses
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from customers.models import Service
from marketing.core import clock
from marketing.coupons.pricing.bill import Cart, CartLine, EnteredCode
from marketing.coupons.pricing.facts import OfferUsage
from marketing.coupons.pricing.reasons import Reason, ReasonCode
from marketing.coupons.pricing.validity import (
    Validity,
    first_invalid,
    validate,
    validate_amount,
)
from marketing.coupons.selectors.prices import ForBill, read_for_bill, require_sound


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """`offer_id` is what the code opens, None where it opens nothing; `entry` as it was read."""

    validity: Validity
    offer_id: uuid.UUID | None
    entry: EnteredCode


def check_code(
    *,
    branch_id: uuid.UUID,
    customer_id: uuid.UUID | None,
    code: str,
    lines: Collection[CartLine] = (),
    amount: int = 0,
    service_ids: Collection[str] = (),
) -> Checked:
    """Judge the code by itself: by the bill's `lines`, or else by its `amount` in paise.

    `service_ids` say what the amount is for, where that is known. Raises `ValidationFailed` at
    the fields of the lines, `NotFound` for another chain's branch or customer.
    """
    now = clock.now()
    cart = Cart(branch=str(branch_id), at=now, timezone="UTC", lines=_with_categories(lines))
    require_sound(cart)
    read = read_for_bill(branch_id, customer_id, cart, [code], now, None)
    entry = read.entered.codes[0]
    if not entry.offer or entry.offer not in read.catalogue.by_id:
        why = entry.fault or Reason(ReasonCode.CODE_UNKNOWN)
        unknown = Validity(valid=False, invalid_reason=first_invalid([why]), reasons=(why,))
        return Checked(validity=unknown, offer_id=None, entry=entry)
    cart = dataclasses.replace(cart, timezone=read.scene.zone)
    validity = _judged(read, cart, entry, amount, service_ids)
    return Checked(validity=validity, offer_id=uuid.UUID(entry.offer), entry=entry)


def _judged(
    read: ForBill, cart: Cart, entry: EnteredCode, amount: int, service_ids: Collection[str]
) -> Validity:
    terms = read.catalogue.by_id[entry.offer].terms
    usage = read.usage.get(entry.offer, OfferUsage())
    if cart.lines:
        return validate(
            cart,
            terms,
            entry,
            customer=read.customer,
            usage=usage,
            settings=read.scene.settings,
        )
    return validate_amount(
        cart,
        amount,
        _categories(service_ids),
        terms,
        entry,
        customer=read.customer,
        usage=usage,
        settings=read.scene.settings,
    )


def _with_categories(lines: Collection[CartLine]) -> tuple[CartLine, ...]:
    """The lines with their services' categories, where nobody said them."""
    unsaid = {line.service for line in lines if not line.category}
    known = _categories(unsaid)
    return tuple(
        line if line.category else dataclasses.replace(line, category=known[line.service])
        for line in lines
    )


def _categories(service_ids: Collection[str]) -> dict[str, str]:
    """The services' categories; a service that we do not know has none."""
    known = {}
    for text in service_ids:
        try:
            known[uuid.UUID(text)] = text
        except ValueError:
            continue
    rows = Service.objects.filter(pk__in=known).values_list("pk", "category_id") if known else ()
    found = {known[pk]: str(category) for pk, category in rows}
    return {text: found.get(text, "") for text in service_ids}
