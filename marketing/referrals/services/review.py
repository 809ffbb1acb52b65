"""A manager looks at what is flagged; what lies too long unused runs out; collusion is told."""

import datetime as dt

from django.db import connection, transaction
from django.utils.translation import gettext as _

from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import NotFound, ValidationFailed
from marketing.core.models import Role, Staff
from marketing.core.services import notify
from marketing.core.tenancy import current_tenant, current_tenant_id
from marketing.referrals import rules
from marketing.referrals.errors import ReferralOver
from marketing.referrals.models import Referral
from marketing.referrals.services.transitions import move

COLLUSION = "referral.collusion"
AT_ONCE = 500
REASON_LENGTH = 200
# Whom one code brought to a branch, and all who came there for the first time.
SHARES = """
WITH fresh AS (
    SELECT DISTINCT ON (bill.customer_id) bill.customer_id, bill.branch_id, bill.purchased_at
    FROM customers_purchase bill
    WHERE bill.tenant_id = %(tenant)s AND bill.status = 'finalised'
    ORDER BY bill.customer_id, bill.purchased_at
), newcomers AS (
    SELECT branch_id, count(*) AS n FROM fresh WHERE purchased_at > %(since)s GROUP BY branch_id
)
SELECT referral.branch_id, branch.name, code.code, referral.code_id, count(*), newcomers.n
FROM referrals_referral referral
JOIN newcomers USING (branch_id)
JOIN core_branch branch ON branch.id = referral.branch_id
JOIN referrals_referralcode code ON code.id = referral.code_id
WHERE referral.tenant_id = %(tenant)s AND referral.converted_at > %(since)s
  AND referral.state <> ALL(%(free)s)
GROUP BY referral.branch_id, branch.name, code.code, referral.code_id, newcomers.n
HAVING newcomers.n >= %(enough)s AND count(*) * 100 > newcomers.n * %(percent)s
"""


@transaction.atomic
def approve_referral(*, actor: Actor, referral: Referral) -> Referral:
    """Nothing is wrong with it: it goes on, and is rewarded after its refund window.

    Raises `ReferralOver` when it was decided already, `NotFound` for another branch's.
    """
    return _decide(actor, referral, "")


@transaction.atomic
def reject_referral(*, actor: Actor, referral: Referral, reason: str) -> Referral:
    """It was not honest: nobody is rewarded. The reason is kept, and shown to colleagues."""
    reason = reason.strip()
    if not 3 <= len(reason) <= REASON_LENGTH:
        raise ValidationFailed(
            fields={"reason": [_("Say why, in 3 to %(max)d characters.") % {"max": REASON_LENGTH}]}
        )
    return _decide(actor, referral, reason)


def _decide(actor: Actor, referral: Referral, reason: str) -> Referral:
    actor.require("referral.review")
    if not actor.has_branch(referral.branch_id):
        raise NotFound()
    now = clock.now()
    waiting = Referral.objects.filter(
        pk=referral.pk, is_flagged=True, state__in=[rules.QUALIFIED, rules.HELD]
    )
    if not waiting.update(is_flagged=False, reviewed_at=now, updated_at=now):
        referral.refresh_from_db()
        raise ReferralOver(details={"state": referral.state})
    if reason:
        move(actor, [referral.pk], rules.REJECTED, reason=reason)
    audit.record(
        actor,
        "referral.reject" if reason else "referral.approve",
        referral,
        {"reason": reason} if reason else {},
    )
    referral.refresh_from_db()
    return referral


@transaction.atomic
def expire_unused() -> int:
    """What led to no visit: a link after 30 days, a friend who signed up after 90. How many."""
    now = clock.now()
    invited = Referral.objects.filter(
        state=rules.INVITED, created_at__lt=now - rules.CLICK_LASTS
    ).order_by("pk")
    attributed = Referral.objects.filter(
        state=rules.ATTRIBUTED, attributed_at__lt=now - rules.UNUSED_LASTS
    ).order_by("pk")
    system = Actor.system(current_tenant_id())
    phones = list(invited.values_list("pk", flat=True)[:AT_ONCE])
    # What was left on a page is kept no longer than was said there.
    left = move(system, phones, rules.EXPIRED, reason="unused", values={"friend_phone": ""})
    people = list(attributed.values_list("pk", flat=True)[:AT_ONCE])
    return len(left) + len(move(system, people, rules.EXPIRED, reason="unused"))


@transaction.atomic
def watch_collusion() -> int:
    """Tell managers and owners of a code that brings too many of a branch's new customers.

    Once a month for each code and branch; how many were told of.
    """
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            SHARES,
            {
                "tenant": current_tenant_id(),
                "since": now - dt.timedelta(days=30),
                "free": sorted(rules.FREE),
                "enough": rules.COLLUSION_FROM,
                "percent": rules.COLLUSION_PERCENT,
            },
        )
        rows = cursor.fetchall()
    month = rules.month_of(now, current_tenant().time_zone)
    owners = list(Staff.objects.filter(role=Role.SUPER_OWNER).values_list("pk", flat=True))
    for branch_id, branch, code, code_id, brought, new in rows:
        managers = Staff.objects.filter(
            role__in=[Role.BRANCH_MANAGER, Role.REGIONAL_MANAGER], branches=branch_id
        )
        notify(
            COLLUSION,
            staff_ids=[*owners, *managers.values_list("pk", flat=True)],
            key=f"{code_id} {branch_id} {month}",
            target_id=code_id,
            facts={"code": code, "branch": branch, "brought": brought, "new": new},
        )
    return len(rows)
