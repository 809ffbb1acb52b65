"""A friend is brought: by her code at sign-up, by a link she opened, by a code at the counter."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from customers import rules as customer_rules
from customers import services as customer_services
from customers.models import ContactPoint, Customer
from customers.selectors import customers_with_address
from customers.services.standing import standing_ids
from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import DomainError, NotFound, ValidationFailed
from marketing.core.sentences import gettext as _
from marketing.core.tenancy import current_tenant, current_tenant_id
from marketing.referrals import rules
from marketing.referrals.errors import (
    AlreadyReferred,
    InvalidReferralCode,
    ReferralLimitReached,
    ReferralNotEligible,
    SelfReferral,
)
from marketing.referrals.models import (
    Referral,
    ReferralCode,
    ReferralProgramme,
    ReferralStep,
    ReferralTouch,
    RewardOn,
)
from marketing.referrals.selectors import judging
from marketing.referrals.selectors.judging import Fault, FoundCode, Friend
from marketing.referrals.services import places
from marketing.referrals.services.notices import carry_notices
from marketing.referrals.services.tokens import note_tokens
from marketing.referrals.services.transitions import move, tell

# The partial unique indexes of the friend decide who was first.
INSERT = """
INSERT INTO referrals_referral (
    tenant_id, referrer_id, code_id, friend_id, friend_phone, branch_id, state, reason, source,
    signals, bill_units, first_invoice, bill_invoice, attributed_at, updated_at,
    referrer_reward_type, referrer_reward_value, friend_reward_type, friend_reward_value
)
SELECT %(tenant)s, %(referrer)s, %(code)s, %(friend)s, %(phone)s, %(branch)s, %(state)s, '',
       %(source)s, '[]', '{}', '', '', %(now)s, %(now)s,
       referrer_reward_type, referrer_reward_value, referred_reward_type, referred_reward_value
FROM referrals_referralprogramme WHERE tenant_id = %(tenant)s
"""
ONCE = " ON CONFLICT DO NOTHING"
STEP = """
INSERT INTO referrals_referralstep (tenant_id, referral_id, state, reason, by, at)
VALUES (%s, %s, %s, '', %s, %s)
"""


@transaction.atomic
def apply_code(
    *,
    actor: Actor,
    code: str,
    phone: str = "",
    customer: Customer | None = None,
    name: str = "",
    branch_id: uuid.UUID | None = None,
    tokens: Mapping[str, str] | None = None,
) -> Referral:
    """Module 11's `referrals/apply`: from now on the friend is brought by the code's owner.

    She is made a customer where nobody has the phone. Twice by the same code is the same answer.
    `tokens` are what she pays or books by (`note_tokens`).
    Raises `ValidationFailed` at `referred_phone`, `InvalidReferralCode`, `SelfReferral`,
    `ReferralLimitReached`, `AlreadyReferred`, `ReferralNotEligible`.
    """
    actor.require("referral.apply")
    now = clock.now()
    found = judging.find_code(code, now)
    if found is None:
        raise InvalidReferralCode(fields={"referral_code": [_("There is no such code.")]})
    number = customer.phone if customer else _phone(phone)
    if branch_id is None and actor.branch_ids and len(actor.branch_ids) == 1:
        branch_id = next(iter(actor.branch_ids))
    if branch_id is not None and not actor.has_branch(branch_id):
        raise NotFound()
    if customer is None:
        customer = customers_with_address(ContactPoint.Kind.PHONE, number).first()
    friend = Friend(customer_id=customer.pk if customer else None, phone=number)
    verdict = judging.judge(found, friend)
    if verdict.referral is not None and verdict.referral.state != rules.INVITED:
        if tokens and customer is not None:
            note_tokens(customer_id=customer.pk, tokens=tokens)
            verdict.referral.refresh_from_db()
        return verdict.referral
    if verdict.fault is not None:
        raise refusal(verdict.fault, found)
    if customer is None:
        customer = _new_customer(actor, number, name)
    # Held before the code's row, as a merge has them.
    standing_ids(pk for pk in (customer.pk, found.referrer_id) if pk is not None)
    require_place(found)
    referral = attribute(
        actor,
        found,
        customer_id=customer.pk,
        phone=number,
        branch_id=branch_id or customer.home_branch_id,
        source=Referral.Source.API,
        at=now,
    )
    if referral is None:
        raise AlreadyReferred()
    if tokens:
        note_tokens(customer_id=customer.pk, tokens=tokens)
        referral.refresh_from_db()
    return referral


def attribute(
    actor: Actor,
    code: FoundCode | ReferralCode,
    *,
    customer_id: uuid.UUID,
    phone: str,
    branch_id: uuid.UUID | None,
    source: str,
    at: dt.datetime,
    referrer_id: uuid.UUID | None = None,
    by: str = "",
) -> Referral | None:
    """Write the friend down as this code's; None when somebody else was faster.

    The place of the month is taken by the caller. `by` is who typed the code, if not the actor.
    """
    referrer_id = referrer_id or getattr(code, "referrer_id", None)
    if referrer_id is None:
        return None
    standing = standing_ids(sorted({customer_id, referrer_id}))
    if rules.is_landline(phone):
        phone = ""
    referral_id = _insert(
        actor,
        state=rules.ATTRIBUTED,
        referrer=standing[referrer_id],
        code=code.id,
        friend=standing[customer_id],
        phone=phone,
        branch=branch_id,
        source=source,
        now=at,
    )
    if referral_id is None:
        return None
    ReferralTouch.objects.create(
        code_id=code.id,
        kind=ReferralTouch.Kind.TYPED,
        referral_id=referral_id,
        branch_id=branch_id,
        by=(by or actor.label)[:150],
    )
    referral = Referral.objects.get(pk=referral_id)
    tell("referral.created", referral, actor)
    audit.record(actor, "referral.attribute", referral, {"source": source})
    _sign_up(actor, referral, at)
    referral.refresh_from_db()
    return referral


# What a referral is that goes on, and is not of the bill that was a mistake.
GOES_ON = (
    *("referrer_id", "code_id", "friend_id", "friend_phone", "branch_id", "source"),
    *("attributed_at", "is_flagged", "signals", "reviewed_at", "friend_reward_at"),
    *("referrer_reward_type", "referrer_reward_value"),
    *("friend_reward_type", "friend_reward_value"),
)


def bring_again(actor: Actor, referral: Referral, *, first_invoice: str, is_welcome: bool) -> None:
    """A bill that counted was a mistake: this row ends, and another goes on in its place.

    States go forwards only. It keeps the month's place, what was promised, and of what was told
    that she signed up. `first_invoice` is the one that stays of two bills that are asked for.
    `is_welcome`: she had her discount on the mistaken bill, and has it still to come.
    """
    if not move(actor, [referral.pk], rules.EXPIRED, reason=rules.BILL_VOIDED):
        return
    values = {name: getattr(referral, name) for name in GOES_ON}
    values["first_invoice"] = first_invoice
    if is_welcome:
        values["friend_reward_at"] = None
    made = Referral.objects.create(state=rules.ATTRIBUTED, **values)
    ReferralStep.objects.create(
        referral=made, state=rules.ATTRIBUTED, reason=rules.BILL_VOIDED, by=actor.label[:150]
    )
    carry_notices(referral, made)
    tell("referral.created", made, actor)


@transaction.atomic
def leave_phone(*, code: str, phone: str) -> bool:
    """A stranger leaves her phone on the page of a link: she may be brought by it for 30 days.

    Says whether the phone can be one and nothing else: no one learns who is a customer.
    """
    now = clock.now()
    found = judging.find_code(code, now)
    try:
        number = _phone(phone)
    except ValidationFailed:
        return False
    if found is None or found.referrer_id is None or rules.is_landline(number):
        return found is not None
    system = Actor.system(current_tenant_id())
    since = now - rules.CLICK_LASTS
    again = Referral.objects.filter(
        code=found.id, friend_phone=number, state=rules.INVITED, created_at__gte=since
    )
    if not again.exists() and judging.judge(found, Friend(phone=number)).fault is None:
        _insert(
            system,
            state=rules.INVITED,
            referrer=found.referrer_id,
            code=found.id,
            friend=None,
            phone=number,
            branch=None,
            source=Referral.Source.LINK,
            now=now,
        )
        ReferralTouch.objects.create(code_id=found.id, kind=ReferralTouch.Kind.PHONE)
    return True


def note_click(code: FoundCode) -> None:
    """The link was opened; by whom is not kept."""
    ReferralTouch.objects.create(code_id=code.id, kind=ReferralTouch.Kind.CLICK)


def require_place(code: FoundCode) -> None:
    """Take a place of the month, or raise `ReferralLimitReached`."""
    if not places.take(code.id, code.month, code.limit):
        raise refusal(Fault.REFERRAL_LIMIT, code)


def refusal(fault: Fault, code: FoundCode) -> DomainError:
    """The fault as Module 11 tells it."""
    if fault is Fault.SELF_REFERRAL:
        return SelfReferral()
    if fault is Fault.REFERRAL_LIMIT:
        return ReferralLimitReached(details={"limit": code.limit, "month": code.month.isoformat()})
    if fault is Fault.ALREADY_REFERRED:
        return AlreadyReferred()
    return ReferralNotEligible(details={"reason": fault.value})


def _insert(actor: Actor, *, state: str, now: dt.datetime, **row: Any) -> uuid.UUID | None:
    values = {"tenant": current_tenant_id(), "state": state, "now": now, **row}
    with connection.cursor() as cursor:
        cursor.execute(INSERT + ONCE + " RETURNING id", values)
        made = cursor.fetchone()
        if made is None:
            return None
        cursor.execute(STEP, [current_tenant_id(), made[0], state, actor.label[:150], now])
    pk: uuid.UUID = made[0]
    return pk


def _sign_up(actor: Actor, referral: Referral, at: dt.datetime) -> None:
    """Where signing up is enough, it counts from now."""
    programme = ReferralProgramme.objects.get()
    if programme.reward_on == RewardOn.SIGNUP:
        convert(actor, referral, programme, at)


def convert(
    actor: Actor,
    referral: Referral,
    programme: ReferralProgramme,
    at: dt.datetime,
    values: dict[str, Any] | None = None,
) -> bool:
    """The friend did what is asked: the reward is due after the refund window."""
    hold_until = at + dt.timedelta(days=programme.hold_days)
    known = {"converted_at": at, "hold_until": hold_until, **(values or {})}
    if not move(actor, [referral.pk], rules.QUALIFIED, values=known):
        return False
    _flag(referral, programme)
    if programme.hold_days:
        move(actor, [referral.pk], rules.HELD)
    return True


def _flag(referral: Referral, programme: ReferralProgramme) -> None:
    """A household is looked at by a manager, and never refused by itself."""
    people = Customer.objects.in_bulk([referral.referrer_id, referral.friend_id])
    if referral.friend_id not in people or referral.referrer_id not in people:
        return
    signals = judging.signals_of(
        people[referral.referrer_id], people[referral.friend_id], programme
    )
    if signals:
        known = Referral.objects.values_list("signals", flat=True).get(pk=referral.pk)
        both = [*known, *(signal for signal in signals if signal not in known)]
        Referral.objects.filter(pk=referral.pk).update(is_flagged=True, signals=both)


def _phone(text: str) -> str:
    try:
        return customer_rules.normalize_phone(text, current_tenant().country)
    except ValueError as error:
        raise ValidationFailed(fields={"referred_phone": [_(str(error))]}) from error


def _new_customer(actor: Actor, phone: str, name: str) -> Customer:
    first, _space, last = " ".join(name.split()).partition(" ")
    values = {"first_name": first[:100] or _("New customer"), "last_name": last[:100]}
    return customer_services.create_customer(
        actor=actor, values={**values, "phone": phone}, source="referral"
    )
