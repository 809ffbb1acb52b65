"""What a bill means for who brought the friend: paid, it counts; refunded, it does not."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from psycopg.types.json import Jsonb

from customers.models import Customer
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.prepared import kept_cursor
from marketing.core.tenancy import current_tenant_id
from marketing.coupons.pricing.answer import Quote
from marketing.coupons.pricing.bill import Cart
from marketing.coupons.pricing.units import unit_nets
from marketing.referrals import rules
from marketing.referrals.models import (
    Referral,
    ReferralCode,
    ReferralProgramme,
    RewardOn,
    RewardType,
)
from marketing.referrals.selectors import judging
from marketing.referrals.selectors.judging import BillAtHand, Friend
from marketing.referrals.selectors.welcome import OF_HER
from marketing.referrals.services import places, rewards
from marketing.referrals.services.applying import attribute, bring_again, convert
from marketing.referrals.services.transitions import move

# What stands open for the customer.
OPEN = f"""
SELECT referral.id, referral.state, referral.code_id, customer.phone
FROM customers_customer customer JOIN referrals_referral referral ON {OF_HER}
WHERE customer.id = %(customer)s AND customer.tenant_id = %(tenant)s
  AND (referral.state = 'attributed'
       OR (referral.state = 'invited' AND referral.created_at > %(since)s))
ORDER BY referral.state, referral.id DESC
LIMIT 1
"""  # noqa: S608  constants


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidBill:
    """A bill as it was paid. `code` is the referral code told with it; `has_place`: a place of its
    month is held. `by` is who typed it.
    """

    branch_id: uuid.UUID
    customer_id: uuid.UUID
    invoice_id: str
    cart: Cart
    quote: Quote
    at: dt.datetime
    code: str = ""
    has_place: bool = True
    by: str = ""

    @property
    def at_hand(self) -> BillAtHand:
        return BillAtHand(self.branch_id, self.invoice_id)


def take_paid_bill(bill: PaidBill) -> dict[str, Any]:
    """Attribute the friend, and convert the referral if this bill is what is asked.

    Explicit code, else the last link within 30 days; returns what a refund must know, empty
    where referrals have no part in the bill.
    """
    system = Actor.system(current_tenant_id())
    referral = _by_code(system, bill) if bill.code else None
    if referral is None:
        referral = _open(system, bill)
    if referral is None or referral.state != rules.ATTRIBUTED:
        return {} if referral is None else {"referral": str(referral.pk)}
    # Who was brought by a bill was asked this there, and that bill is before none of hers.
    is_signed_up = referral.source == Referral.Source.API
    if (is_signed_up and not bill.code) and judging.has_bills(
        [bill.customer_id], before=referral.attributed_at, but=bill.at_hand
    ):
        move(system, [referral.pk], rules.REJECTED, reason="existing_customer")
        return {}
    programme = ReferralProgramme.objects.get()
    kept = {"referral": str(referral.pk)} | _welcomed(referral, bill.at)
    if not _counts(programme, bill.quote.total):
        return kept
    if programme.reward_on == RewardOn.SECOND_VISIT and _is_first(referral, bill):
        return kept | {"isFirst": True}
    is_converted = convert(
        system,
        referral,
        programme,
        bill.at,
        {
            "first_invoice": referral.first_invoice or bill.invoice_id,
            "bill_invoice": bill.invoice_id,
            "bill_total": bill.quote.total,
            "bill_net": bill.quote.net,
            "bill_units": Jsonb(unit_nets(bill.cart, bill.quote)),
            "branch_id": referral.branch_id or bill.branch_id,
        },
    )
    return kept | {"converted": is_converted}


def take_refund(
    kept: Mapping[str, Any],
    lines: Mapping[int, Sequence[int]],
    *,
    is_whole: bool,
    is_mistake: bool = False,
) -> dict[str, Any]:
    """Units of the bill came back; `kept` is what `take_paid_bill` returned.

    Half of what the friend paid, or more: the referral is void, and its rewards are taken back;
    so it is where all of the first of two bills comes back that were asked for. Of a bill that was
    a mistake it goes on as if that had not been, unless it was rewarded.
    """
    if not kept.get("referral"):
        return {}
    system = Actor.system(current_tenant_id())
    referral = Referral.objects.select_for_update().get(pk=kept["referral"])
    if is_whole and not kept.get("converted") and referral.state == rules.ATTRIBUTED:
        undone: dict[str, Any] = {"first_invoice": ""} if kept.get("isFirst") else {}
        undone |= {"friend_reward_at": None} if kept.get("isWelcome") else {}
        Referral.objects.filter(pk=referral.pk).update(**undone, updated_at=clock.now())
        return {}
    # What stays of the two bills, where two are asked for.
    first = ""
    if kept.get("converted"):
        if not _counted_back(referral, lines, is_whole=is_whole):
            return {"referral": str(referral.pk), "state": referral.state}
        if referral.first_invoice != referral.bill_invoice:
            first = referral.first_invoice
    elif is_whole and kept.get("isFirst"):
        first = referral.bill_invoice
    else:
        return {}
    if referral.state == rules.REWARDED:
        rewards.take_back(system, referral)
    elif is_mistake:
        bring_again(
            system,
            referral,
            first_invoice=first,
            is_welcome=bool(kept.get("isWelcome")),
        )
    else:
        move(system, [referral.pk], rules.VOIDED, reason="refunded")
    referral.refresh_from_db()
    return {"referral": str(referral.pk), "state": referral.state}


def _counted_back(
    referral: Referral, lines: Mapping[int, Sequence[int]], *, is_whole: bool
) -> bool:
    """Count what came back of the bill that converted her; whether it counts no more."""
    units = referral.bill_units
    back = sum(
        units.get(str(line), [])[place]
        for line, places_back in lines.items()
        for place in places_back
        if place < len(units.get(str(line), []))
    )
    net = referral.bill_net or 0
    refunded = net if is_whole else min(net, referral.bill_refunded + back)
    Referral.objects.filter(pk=referral.pk).update(bill_refunded=refunded, updated_at=clock.now())
    return rules.voids(refunded, net)


def visited(customer_ids: Sequence[uuid.UUID]) -> int:
    """These customers have come: it is enough where a first visit is asked. How many converted."""
    programme = ReferralProgramme.objects.filter(
        reward_on=RewardOn.FIRST_VISIT, is_enabled=True
    ).first()
    if programme is None:
        return 0
    system = Actor.system(current_tenant_id())
    rows = Referral.objects.filter(friend_id__in=customer_ids, state=rules.ATTRIBUTED)
    return sum(convert(system, row, programme, clock.now()) for row in rows.order_by("pk"))


def _by_code(system: Actor, bill: PaidBill) -> Referral | None:
    """The referral by the code that was told; its place was taken when the bill was held."""
    found = judging.find_code(bill.code, bill.at)
    if found is None or found.referrer_id is None:
        return None
    phone = Customer.objects.values_list("phone", flat=True).get(pk=bill.customer_id)
    verdict = judging.judge(
        found,
        Friend(customer_id=bill.customer_id, phone=phone),
        holds_place=bill.has_place,
        but=bill.at_hand,
    )
    made = None
    has_place = bill.has_place
    if verdict.fault is None and verdict.referral is None:
        has_place = has_place or places.take(found.id, found.month, found.limit)
    if has_place and verdict.fault is None and verdict.referral is None:
        made = attribute(
            system,
            found,
            customer_id=bill.customer_id,
            phone=phone,
            branch_id=bill.branch_id,
            source=Referral.Source.CODE,
            at=bill.at,
            by=bill.by,
        )
    if made is None and has_place:
        places.give_back(found.id, found.month)
    return made or verdict.referral


def _open(system: Actor, bill: PaidBill) -> Referral | None:
    with kept_cursor() as cursor:
        cursor.execute(
            OPEN,
            {
                "customer": bill.customer_id,
                "tenant": current_tenant_id(),
                "since": bill.at - rules.CLICK_LASTS,
            },
        )
        row = cursor.fetchone()
    if row is None:
        return None
    pk, state, code_id, phone = row
    if state == rules.ATTRIBUTED:
        return Referral.objects.get(pk=pk)
    return _by_link(system, bill, pk, ReferralCode.objects.get(pk=code_id), phone)


def _by_link(
    system: Actor, bill: PaidBill, invited: uuid.UUID, code: ReferralCode, phone: str
) -> Referral | None:
    found = judging.find_code(code.code, bill.at)
    if found is None or found.referrer_id is None:
        return None
    friend = Friend(customer_id=bill.customer_id, phone=phone)
    verdict = judging.judge(found, friend, but=bill.at_hand)
    if verdict.referral is not None:
        return verdict.referral
    if verdict.fault is not None or not places.take(found.id, found.month, found.limit):
        move(system, [invited], rules.REJECTED, reason=str(verdict.fault or "referral_limit"))
        return None
    try:
        with transaction.atomic():
            move(
                system,
                [invited],
                rules.ATTRIBUTED,
                values={
                    "friend_id": bill.customer_id,
                    "branch_id": bill.branch_id,
                    "attributed_at": bill.at,
                },
            )
    except IntegrityError:
        places.give_back(found.id, found.month)  # somebody else brought her at this moment
        return None
    return Referral.objects.get(pk=invited)


def _welcomed(referral: Referral, at: dt.datetime) -> dict[str, Any]:
    """Her first bill is paid: what she gets on it she has had. What a refund must know."""
    if referral.friend_reward_type == RewardType.POINTS or referral.friend_reward_at is not None:
        return {}
    Referral.objects.filter(pk=referral.pk).update(friend_reward_at=at)
    return {"isWelcome": True}


def _is_first(referral: Referral, bill: PaidBill) -> bool:
    """Note the bill as the first of the two that are asked for; False where there is one."""
    noted = Referral.objects.filter(pk=referral.pk, first_invoice="").update(
        first_invoice=bill.invoice_id, branch_id=referral.branch_id or bill.branch_id
    )
    if not noted:
        referral.refresh_from_db(fields=["first_invoice", "branch"])
    return bool(noted)


def _counts(programme: ReferralProgramme, total: int) -> bool:
    """Whether a bill of so many paise is one that is asked for."""
    if programme.reward_on == RewardOn.FIRST_VISIT:
        return True
    return total > 0 and total >= int(programme.min_order_for_reward * 100)
