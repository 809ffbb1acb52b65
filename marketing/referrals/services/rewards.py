"""What both get: approved after the refund window, given once, taken back when the bill is."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence

from django.db import connection, transaction

from customers.models import Customer
from customers.services.standing import standing_ids
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.core.tenancy import current_tenant_id
from marketing.coupons import services as coupons
from marketing.coupons.models import CouponCode
from marketing.loyalty import services as loyalty
from marketing.loyalty.errors import NothingToReverse
from marketing.loyalty.services import Source
from marketing.referrals import rules
from marketing.referrals.models import Referral, ReferralProgramme, RewardType
from marketing.referrals.services.transitions import move

AT_ONCE = 100
# What the points programme gives besides, for any friend.
BONUS = "referral_bonus"
# Rewards of one referrer within 7 and within 30 days, those of this sweep before it included.
JUDGED = """
WITH due AS (
    SELECT id, referrer_id, friend_id, reviewed_at,
           row_number() OVER (PARTITION BY referrer_id ORDER BY id) AS place
    FROM referrals_referral
    WHERE tenant_id = %(tenant)s AND state IN ('qualified', 'held') AND NOT is_flagged
      AND hold_until <= %(now)s
    ORDER BY hold_until LIMIT %(most)s
)
SELECT due.id, due.referrer_id = due.friend_id,
       due.reviewed_at IS NULL AND (
           due.place + recent.week > %(weekly)s OR due.place + recent.month > %(monthly)s)
FROM due, LATERAL (
    SELECT count(*) FILTER (WHERE approved_at > %(week)s) AS week, count(*) AS month
    FROM referrals_referral given
    WHERE given.referrer_id = due.referrer_id AND given.approved_at > %(month)s
      AND given.state IN ('approved', 'rewarded')
) recent
"""
FLAG = """
UPDATE referrals_referral SET is_flagged = true, signals = signals || %s::jsonb, updated_at = now()
WHERE tenant_id = %s AND id = ANY(%s)
"""


@transaction.atomic
def approve_due() -> int:
    """Approve what is past its refund window; how many were looked at.

    Who got more rewards than the programme gives in a week or month waits for a manager, as do
    flagged ones. Who became one with her friend by a merge has referred herself.
    """
    programme = ReferralProgramme.objects.select_for_update().first()
    if programme is None:
        return 0
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            JUDGED,
            {
                "tenant": current_tenant_id(),
                "now": now,
                "most": AT_ONCE,
                "weekly": programme.weekly_rewards,
                "monthly": programme.monthly_rewards,
                "week": now - rules.WEEK,
                "month": now - rules.MONTH,
            },
        )
        rows = cursor.fetchall()
    system = Actor.system(current_tenant_id())
    herself = [pk for pk, is_self, _fast in rows if is_self]
    fast = [pk for pk, is_self, is_fast in rows if is_fast and not is_self]
    move(system, herself, rules.REJECTED, reason="self_referral")
    if fast:
        with connection.cursor() as cursor:
            cursor.execute(FLAG, ['["velocity"]', current_tenant_id(), fast])
    fine = [pk for pk, is_self, is_fast in rows if not is_self and not is_fast]
    # One that was flagged since it was read waits.
    held = Referral.objects.select_for_update(of=("self",)).filter(pk__in=fine, is_flagged=False)
    fine = list(held.order_by("pk").values_list("pk", flat=True))
    move(system, fine, rules.APPROVED, values={"approved_at": now})
    return len(rows)


@transaction.atomic
def reward_due() -> int:
    """Give both sides what was promised, of up to a hundred approved; how many were rewarded."""
    rows = list(
        Referral.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(state=rules.APPROVED)
        .order_by("pk")[:AT_ONCE]
    )
    if not rows:
        return 0
    system = Actor.system(current_tenant_id())
    standing = standing_ids(sorted({pk for row in rows for pk in _people(row)}))
    erased = set(
        Customer.objects.filter(
            pk__in=standing.values(), status=Customer.Status.ERASED
        ).values_list("pk", flat=True)
    )
    gone = [row.pk for row in rows if standing[row.referrer_id] in erased]
    move(system, gone, rules.VOIDED, reason="erased")
    owed = [row for row in rows if row.pk not in set(gone)]
    codes = _issue(system, owed, standing)
    people = Customer.objects.in_bulk(list(standing.values()))
    now = clock.now()
    for row in owed:
        referrer = people[standing[row.referrer_id]]
        _points(system, row, referrer, "referral", row.branch_id)
        loyalty.grant_bonus(
            actor=system,
            customer=referrer,
            bonus="referral",
            source=Source(BONUS, str(row.pk)),
            branch_id=row.branch_id,
        )
        friend = people.get(standing[row.friend_id]) if row.friend_id else None
        has_points = row.friend_reward_type == RewardType.POINTS
        if friend is not None and has_points and friend.pk not in erased:
            _points(system, row, friend, "referral_friend", row.branch_id)
        move(
            system,
            [row.pk],
            rules.REWARDED,
            values={
                "referrer_reward_at": now,
                "referrer_reward_code_id": codes.get(row.pk),
                "friend_reward_at": row.friend_reward_at or now,
            },
        )
    return len(rows)


def take_back(system: Actor, referral: Referral) -> None:
    """Take back both rewards: a code that was not used opens nothing any more, points go as the
    programme says, below zero if she used them. Money is never asked for: of a code that was used
    there is nothing to take back, and the history says so."""
    code = None
    if referral.referrer_reward_code_id is not None:
        mine = CouponCode.objects.filter(pk=referral.referrer_reward_code_id)
        code = mine.select_for_update().first()
    is_used = code is not None and code.used > 0
    reason = rules.REFUNDED_USED if is_used else rules.REFUNDED
    if not move(system, [referral.pk], rules.CLAWED_BACK, reason=reason):
        return
    if code is not None and not is_used:
        coupons.revoke_codes(actor=system, code_ids=[code.pk])
    for side, kind in (
        ("referral", referral.referrer_reward_type),
        ("referral_friend", referral.friend_reward_type),
    ):
        if kind == RewardType.POINTS:
            _reverse(system, Source(side, str(referral.pk)), referral)
    _reverse(system, Source(BONUS, str(referral.pk)), referral)


def _reverse(system: Actor, given: Source, referral: Referral) -> None:
    try:
        with transaction.atomic():
            loyalty.reverse_earn(
                actor=system,
                source=Source(f"{given.type}_back", given.id),
                of=given,
                branch_id=referral.branch_id,
            )
    except (NotFound, NothingToReverse):
        return  # the friend was erased before, or the lot was written off


def _people(row: Referral) -> list[uuid.UUID]:
    return [pk for pk in (row.referrer_id, row.friend_id) if pk is not None]


def _points(
    system: Actor, row: Referral, customer: Customer, side: str, branch_id: uuid.UUID | None
) -> None:
    kind, value = (
        (row.referrer_reward_type, row.referrer_reward_value)
        if side == "referral"
        else (row.friend_reward_type, row.friend_reward_value)
    )
    if kind == RewardType.POINTS and value:
        loyalty.give_points(
            actor=system,
            customer=customer,
            points=int(value),
            source=Source(side, str(row.pk)),
            reason="referral",
            branch_id=branch_id,
        )


def _issue(
    system: Actor, rows: Sequence[Referral], standing: dict[uuid.UUID, uuid.UUID]
) -> dict[uuid.UUID, uuid.UUID]:
    """A personal code for each referral whose reward is one: one batch a round, in which each
    referrer has one; the code by referral."""
    rounds: dict[int, dict[uuid.UUID, uuid.UUID]] = defaultdict(dict)
    counted: dict[uuid.UUID, int] = defaultdict(int)
    for row in rows:
        if row.referrer_reward_type != RewardType.POINTS:
            who = standing[row.referrer_id]
            rounds[counted[who]][who] = row.pk
            counted[who] += 1
    programme = ReferralProgramme.objects.select_related("referrer_offer").get()
    issued: dict[uuid.UUID, uuid.UUID] = {}
    if programme.referrer_offer is None:
        return issued
    for whose in rounds.values():
        batch = coupons.issue_codes(
            actor=system,
            offer=programme.referrer_offer,
            customers=Customer.objects.filter(pk__in=list(whose)),
            expires_at=clock.now() + dt.timedelta(days=programme.reward_days),
            by_owner=True,
        )
        made = CouponCode.objects.filter(batch=batch).values_list("customer_id", "pk")
        issued |= {whose[customer]: pk for customer, pk in made if customer in whose}
    return issued
