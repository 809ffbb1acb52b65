"""One person at the till who enters one code for everybody: flagged, and told to managers."""

import datetime as dt
import json
import uuid
from collections import defaultdict
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.ids import lower_bound
from marketing.core.models import Role, Staff
from marketing.core.services import notify
from marketing.core.tenancy import current_tenant, current_tenant_id
from marketing.referrals import rules
from marketing.referrals.models import ReferralProgramme

ENTRIES = "referral.entries"
SIGNAL = "many_entries"
# Yesterday too: what was entered after the last look of the day.
MANY = """
SELECT touch.code_id, code.code, touch.branch_id, branch.name, touch.by,
       (touch.at AT TIME ZONE coalesce(nullif(branch.time_zone, ''), %(zone)s))::date AS day,
       count(DISTINCT touch.referral_id), array_agg(touch.referral_id)
FROM referrals_referraltouch touch
JOIN referrals_referralcode code ON code.id = touch.code_id
LEFT JOIN core_branch branch ON branch.id = touch.branch_id
WHERE touch.tenant_id = %(tenant)s AND touch.id >= %(first)s AND touch.kind = 'typed'
  AND touch.by <> %(system)s AND touch.referral_id IS NOT NULL
GROUP BY touch.code_id, code.code, touch.branch_id, branch.name, touch.by, day
HAVING count(DISTINCT touch.referral_id) > %(most)s
"""
# Those that a manager looked at stay as she left them.
FLAG = """
WITH asked AS (
    SELECT id FROM referrals_referral
    WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s) AND reviewed_at IS NULL
      AND state = ANY(%(states)s) AND NOT signals ? %(signal)s
    ORDER BY id FOR UPDATE
)
UPDATE referrals_referral
SET is_flagged = true, signals = signals || %(signals)s::jsonb, updated_at = now()
FROM asked WHERE referrals_referral.id = asked.id
"""


@transaction.atomic
def watch_entries() -> int:
    """Flag what one member of staff, or one key, entered more often than the programme allows of
    one code at a branch in a day, and tell managers and owners, once a day; how many such.

    Before rewards are given: the flagged wait for a manager.
    """
    programme = ReferralProgramme.objects.first()
    if programme is None:
        return 0
    zone = current_tenant().time_zone
    midnight = dt.datetime.combine(
        clock.now().astimezone(ZoneInfo(zone)).date(), dt.time(), ZoneInfo(zone)
    )
    tenant = current_tenant_id()
    with connection.cursor() as cursor:
        cursor.execute(
            MANY,
            {
                "tenant": tenant,
                "zone": zone,
                "first": lower_bound(midnight - dt.timedelta(days=1)),
                "system": Actor.system(tenant).label,
                "most": programme.entries_per_staff,
            },
        )
        found = cursor.fetchall()
        if not found:
            return 0
        cursor.execute(
            FLAG,
            {
                "tenant": tenant,
                "ids": sorted({pk for *_rest, referrals in found for pk in referrals}),
                "states": [rules.ATTRIBUTED, rules.QUALIFIED, rules.HELD],
                "signal": SIGNAL,
                "signals": json.dumps([SIGNAL]),
            },
        )
    owners = list(Staff.objects.filter(role=Role.SUPER_OWNER).values_list("pk", flat=True))
    managers = defaultdict(list)
    of_branches = Staff.objects.filter(
        role__in=[Role.BRANCH_MANAGER, Role.REGIONAL_MANAGER],
        branches__in={row[2] for row in found if row[2] is not None},
    )
    for branch_id, pk in of_branches.values_list("branches", "pk"):
        managers[branch_id].append(pk)
    for code_id, code, branch_id, branch, by, day, count, _referrals in found:
        notify(
            ENTRIES,
            staff_ids=[*owners, *managers[branch_id]],
            key=str(uuid.uuid5(code_id, f"{branch_id} {by} {day}")),
            target_id=code_id,
            facts={"code": code, "branch": branch or "", "by": by, "count": count},
        )
    return len(found)
