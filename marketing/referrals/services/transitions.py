"""The only way in which a referral's state changes: forwards, with a row for each step."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db import connection

from marketing.core import clock, events
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id
from marketing.referrals import rules
from marketing.referrals.models import Referral
from marketing.referrals.services.notices import take_back_notices

MOVE = """
WITH asked AS (
    SELECT id FROM referrals_referral
    WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s) AND state = ANY(%(before)s)
    ORDER BY id FOR UPDATE
), moved AS (
    UPDATE referrals_referral
    SET state = %(state)s, reason = %(reason)s, updated_at = %(now)s {more}
    FROM asked WHERE referrals_referral.id = asked.id
    RETURNING referrals_referral.id
)
INSERT INTO referrals_referralstep (tenant_id, referral_id, state, reason, by, at)
SELECT %(tenant)s, id, %(state)s, %(reason)s, %(by)s, %(now)s FROM moved
RETURNING referral_id
"""
# Module 11's events, by the state that they tell of.
TOLD = {
    rules.ATTRIBUTED: "referral.created",
    rules.QUALIFIED: "referral.converted",
    rules.REWARDED: "referral.rewarded",
}


def move(
    actor: Actor,
    ids: Collection[uuid.UUID],
    state: str,
    *,
    reason: str = "",
    values: Mapping[str, Any] | None = None,
) -> list[uuid.UUID]:
    """Bring these into `state`, with `values` of other columns; those that may go there.

    Who is somewhere else already is left as she is, and not in the answer. Where nothing is due
    any more, notices of it that wait do not go.
    """
    if not ids:
        return []
    values = values or {}
    more = "".join(f", {name} = %(value_{name})s" for name in values)
    with connection.cursor() as cursor:
        cursor.execute(
            MOVE.format(more=more),
            {
                "tenant": current_tenant_id(),
                "ids": list(ids),
                "before": rules.preceding(state),
                "state": state,
                "reason": reason,
                "by": actor.label[:150],
                "now": clock.now(),
                **{f"value_{name}": value for name, value in values.items()},
            },
        )
        moved = sorted(pk for (pk,) in cursor.fetchall())
    if state in rules.OVER:
        take_back_notices(moved)
    if state in TOLD:
        for row in Referral.objects.filter(pk__in=moved).order_by("pk"):
            tell(TOLD[state], row, actor)
    return moved


def tell(name: str, row: Referral, actor: Actor) -> None:
    """Record the event for who listens."""
    events.record(
        name,
        {
            "referralId": str(row.pk),
            "referrerId": str(row.referrer_id),
            "referredId": row.friend_id and str(row.friend_id),
            "status": row.status,
            "state": row.state,
        },
        actor_id=actor.user_id,
    )
