"""Whether a code may bring this friend, asked before anything is written."""

import datetime as dt
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from django.db import connection
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Right

from customers.models import ContactPoint, Customer, Purchase
from customers.rules import bill_key, normalize_phone
from customers.selectors import customers_with_address
from customers.services.standing import followed
from marketing.core.models import Staff
from marketing.core.prepared import kept_cursor
from marketing.core.tenancy import current_tenant, current_tenant_id
from marketing.coupons.code_symbols import is_sound, key_of, normalise
from marketing.referrals import rules
from marketing.referrals.models import Referral, ReferralProgramme
from marketing.referrals.selectors.sharing import sharing_with

CODE = """
SELECT code.id, code.code, code.customer_id, customer.status, code.month, code.taken,
       programme.is_enabled, programme.max_referrals_per_month, programme.referred_reward_type,
       programme.friend_offer_id, tenant.time_zone
FROM referrals_referralcode code
JOIN customers_customer customer ON customer.id = code.customer_id
JOIN referrals_referralprogramme programme ON programme.tenant_id = code.tenant_id
JOIN core_tenant tenant ON tenant.id = code.tenant_id
WHERE code.tenant_id = %s AND code.code = %s
"""
# Who brought whom brought her, and so on: up to the length of a ring.
ANCESTORS = """
WITH RECURSIVE chain (id, steps) AS (
    SELECT %(referrer)s::uuid, 1
    UNION ALL
    SELECT link.referrer_id, chain.steps + 1
    FROM chain JOIN referrals_referral link ON link.friend_id = chain.id
    WHERE chain.steps < %(longest)s AND link.tenant_id = %(tenant)s AND link.state <> ALL(%(free)s)
)
SELECT EXISTS (SELECT FROM chain WHERE id = ANY(%(friends)s) AND steps > 1)
"""

# So many digits at the end are the same however a phone is written.
SAME_END = 6

# Of a degree, which is some hundred kilometres.
NEAR = 0.0003


class Fault(StrEnum):
    """Why not; spelled as the counter's reasons are."""

    SELF_REFERRAL = "self_referral"
    REFERRAL_LIMIT = "referral_limit"
    ALREADY_REFERRED = "already_referred"
    STAFF_EXCLUDED = "staff_excluded"
    EXISTING_CUSTOMER = "existing_customer"
    REFERRAL_RING = "referral_ring"
    REFERRALS_OFF = "referrals_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCode:
    """A code that exists. `referrer_id` is who stands for its owner now; None: she was erased."""

    id: uuid.UUID
    code: str
    referrer_id: uuid.UUID | None
    month: dt.date
    taken: int
    limit: int
    is_enabled: bool
    friend_reward: str
    friend_offer_id: uuid.UUID | None

    @property
    def opens_offer(self) -> bool:
        return self.friend_reward != "points"


@dataclass(frozen=True, slots=True, kw_only=True)
class Friend:
    """Who is brought: a customer, or a phone (E.164) that may be one's."""

    customer_id: uuid.UUID | None = None
    phone: str = ""


class BillAtHand(NamedTuple):
    """A bill that is being paid, and may have been recorded before."""

    branch_id: uuid.UUID
    invoice_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`fault` says why not. `referral` is hers by this very code already."""

    fault: Fault | None = None
    referral: Referral | None = None


def looks_like_code(text: str) -> bool:
    """Whether this can be a referral code; most that people type cannot."""
    key = key_of(normalise(text))
    return len(key) == rules.CODE_LENGTH and is_sound(key)


def find_code(text: str, now: dt.datetime) -> FoundCode | None:
    """The code as somebody typed it; one statement, none for what cannot be one."""
    if not looks_like_code(text):
        return None
    with kept_cursor() as cursor:
        cursor.execute(CODE, [current_tenant_id(), key_of(normalise(text))])
        row = cursor.fetchone()
    if row is None:
        return None
    pk, code, owner, status, month, taken, enabled, limit, reward, offer, zone = row
    if status == Customer.Status.MERGED:
        owner = followed(owner)
    if status == Customer.Status.ERASED:
        owner = None
    this_month = rules.month_of(now, zone)
    return FoundCode(
        id=pk,
        code=code,
        referrer_id=owner,
        month=this_month,
        taken=taken if month == this_month else 0,
        limit=limit,
        is_enabled=enabled,
        friend_reward=reward,
        friend_offer_id=offer,
    )


def judge(
    code: FoundCode, friend: Friend, *, holds_place: bool = False, but: BillAtHand | None = None
) -> Verdict:
    """Whether the code may bring the friend; Module 11's reasons first, in its order.

    `holds_place`: a place of the month is hers already. `but` does not make
    her an old customer. Reads only.
    """
    if not code.is_enabled or code.referrer_id is None:
        return Verdict(fault=Fault.REFERRALS_OFF)
    people = {row.pk: row for row in _people(friend)}
    referrer = Customer.objects.get(pk=code.referrer_id)
    phones = _phones([*people, code.referrer_id])
    theirs = {friend.phone, *(phone for pk in people for phone in phones.get(pk, ()))} - {""}
    if code.referrer_id in people or _same_person(referrer, phones, people, theirs):
        return Verdict(fault=Fault.SELF_REFERRAL)
    known = _claimed(friend, people, theirs)
    if known is not None and known.referrer_id == code.referrer_id:
        return Verdict(referral=known)
    if code.taken >= code.limit and not holds_place:
        return Verdict(fault=Fault.REFERRAL_LIMIT)
    if known is not None:
        return Verdict(fault=Fault.ALREADY_REFERRED)
    if _is_staff(theirs):
        return Verdict(fault=Fault.STAFF_EXCLUDED)
    if has_bills(list(people), but=but):
        return Verdict(fault=Fault.EXISTING_CUSTOMER)
    if people and _closes_ring(code.referrer_id, list(people)):
        return Verdict(fault=Fault.REFERRAL_RING)
    return Verdict()


def has_bills(
    customer_ids: list[uuid.UUID],
    *,
    before: dt.datetime | None = None,
    but: BillAtHand | None = None,
) -> bool:
    """Whether one of these has a bill that counts in any branch: before that moment, if it is
    said, and other than `but`."""
    bills = Purchase.objects.filter(customer_id__in=customer_ids, status=Purchase.Status.FINALISED)
    if before is not None:
        bills = bills.filter(purchased_at__lt=before)
    if but:
        number = but.invoice_id
        same = Q(external_id=number) | Q(invoice_number=number)
        bills = bills.exclude(Q(external_id=bill_key(*but)) | Q(same, branch=but.branch_id))
    return bills.exists()


def _people(friend: Friend) -> list[Customer]:
    """The friend herself, and whoever has her phone."""
    found = []
    if friend.customer_id is not None:
        found = list(Customer.objects.filter(pk=friend.customer_id))
    phone = friend.phone or (found[0].phone if found else "")
    if phone and not rules.is_landline(phone):
        others = customers_with_address(ContactPoint.Kind.PHONE, phone)
        found += [row for row in others if row.pk != friend.customer_id]
    return found


def _phones(customer_ids: list[uuid.UUID]) -> dict[uuid.UUID, set[str]]:
    """All phones of each, primary or not."""
    found: dict[uuid.UUID, set[str]] = {}
    primary = Customer.objects.filter(pk__in=customer_ids).exclude(phone="")
    points = ContactPoint.objects.filter(customer_id__in=customer_ids, kind=ContactPoint.Kind.PHONE)
    for pk, phone in primary.values_list("pk", "phone").union(
        points.values_list("customer_id", "value")
    ):
        found.setdefault(pk, set()).add(phone)
    return found


def _same_person(
    referrer: Customer,
    phones: dict[uuid.UUID, set[str]],
    people: dict[uuid.UUID, Customer],
    theirs: set[str],
) -> bool:
    shared = phones.get(referrer.pk, set()) & theirs
    if any(not rules.is_landline(phone) for phone in shared):
        return True
    mailbox = rules.plain_email(referrer.email)
    return bool(mailbox) and any(
        rules.plain_email(person.email) == mailbox for person in people.values()
    )


def _is_staff(phones: set[str]) -> bool:
    """Whether one of these is a staff member's, which stand as they were typed."""
    digits = Func(F("phone"), Value(r"\D"), Value(""), Value("g"), function="regexp_replace")
    alike = (
        Staff.objects.filter(is_active=True)
        .alias(end=Right(digits, SAME_END))
        .filter(end__in={phone[-SAME_END:] for phone in phones})
    )
    return any(_spelled(typed) in phones for typed in alike.values_list("phone", flat=True))


def _spelled(phone: str) -> str:
    try:
        return normalize_phone(phone, current_tenant().country)
    except ValueError:
        return ""


def _claimed(
    friend: Friend, people: dict[uuid.UUID, Customer], theirs: set[str]
) -> Referral | None:
    mobiles = [phone for phone in theirs if not rules.is_landline(phone)]
    hers = Q(friend_id__in=list(people)) | Q(friend_phone__in=mobiles)
    return Referral.objects.filter(hers).exclude(state__in=rules.FREE).order_by("pk").first()


def _closes_ring(referrer_id: uuid.UUID, friend_ids: list[uuid.UUID]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            ANCESTORS,
            {
                "referrer": referrer_id,
                "friends": friend_ids,
                "tenant": current_tenant_id(),
                "longest": rules.LONGEST_RING,
                "free": sorted(rules.FREE),
            },
        )
        return bool(cursor.fetchone()[0])


def signals_of(referrer: Customer, friend: Customer, programme: ReferralProgramme) -> list[str]:
    """What the two have in common that families have, and those who cheat."""
    found = []
    if any(
        rules.is_landline(phone)
        for phone in set.intersection(
            *(_phones([pk]).get(pk, set()) for pk in (referrer.pk, friend.pk))
        )
    ):
        found.append("same_landline")
    if _live_together(referrer, friend):
        found.append("same_address")
    surname = referrer.last_name.strip().casefold()
    if programme.flags_surnames and surname and surname == friend.last_name.strip().casefold():
        found.append("same_surname")
    return [*found, *sharing_with(friend.pk, referrer.pk).get(referrer.pk, [])]


def _live_together(one: Customer, other: Customer) -> bool:
    """By their addresses in words, or to some thirty metres."""
    words = _address(one)
    if words and words == _address(other):
        return True
    places = (one.latitude, one.longitude), (other.latitude, other.longitude)
    return all(
        mine is not None and theirs is not None and abs(mine - theirs) < NEAR
        for mine, theirs in zip(*places, strict=True)
    )


def _address(customer: Customer) -> str:
    text = customer.attributes.get("address")
    if not isinstance(text, str):
        return ""
    return " ".join(text.casefold().replace(",", " ").split())
