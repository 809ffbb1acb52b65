"""The nightly proof: balances are derived anew from entries and from lots, and compared."""

import datetime as dt
import logging
import uuid
from typing import Any

from django.db import connection, transaction

from marketing.core import clock, events
from marketing.core.ids import lower_bound
from marketing.core.models import Role, Staff
from marketing.core.services import notify
from marketing.core.tenancy import current_tenant_id
from marketing.loyalty import rules, selectors
from marketing.loyalty.models import LedgerProof, PointsEntry
from marketing.loyalty.models.ledger import OF_CUSTOMER
from marketing.loyalty.services.posting import zone

logger = logging.getLogger(__name__)

DIFFERS = "loyalty.ledger_differs"
EXAMPLES = 10
# A posting is committed long before: nothing below the bound of a snapshot comes later.
SETTLED_AFTER = dt.timedelta(minutes=10)

# What entries from the bound `since` on (and below `below`) come to, by customer.
_SUMS = """
    SELECT customer_id,
           sum(moved) FILTER (WHERE account = 'available') AS available,
           sum(moved) FILTER (WHERE account = 'pending') AS pending,
           sum(moved) FILTER (WHERE account = 'held') AS held,
           -sum(moved) FILTER (WHERE account = 'owed') AS owed
    FROM (
        SELECT customer_id, account, CASE side WHEN 'credit' THEN points ELSE -points END AS moved
        FROM loyalty_pointsentry
        WHERE tenant_id = %(tenant)s AND customer_id IS NOT NULL AND {bounds}
    ) entries GROUP BY customer_id
"""
_LAST = """
    SELECT DISTINCT ON (customer_id) customer_id, available, pending, held, owed
    FROM loyalty_balancesnapshot WHERE tenant_id = %(tenant)s ORDER BY customer_id, day DESC
"""
SNAPSHOT = f"""
INSERT INTO loyalty_balancesnapshot (
    tenant_id, customer_id, day, available, pending, held, owed, through)
SELECT %(tenant)s, sums.customer_id, %(day)s,
       COALESCE(former.available, 0) + COALESCE(sums.available, 0),
       COALESCE(former.pending, 0) + COALESCE(sums.pending, 0),
       COALESCE(former.held, 0) + COALESCE(sums.held, 0),
       COALESCE(former.owed, 0) + COALESCE(sums.owed, 0), %(below)s
FROM ({_SUMS.format(bounds="id >= %(since)s AND id < %(below)s")}) sums
LEFT JOIN LATERAL (
    SELECT available, pending, held, owed FROM loyalty_balancesnapshot snapshot
    WHERE snapshot.tenant_id = %(tenant)s AND snapshot.customer_id = sums.customer_id
    ORDER BY day DESC LIMIT 1
) former ON true
ON CONFLICT (tenant_id, customer_id, day) DO UPDATE
SET available = excluded.available, pending = excluded.pending, held = excluded.held,
    owed = excluded.owed, through = excluded.through
"""  # noqa: S608  ours
# One statement, so that it sees one moment of all of them.
COMPARE = f"""
WITH last AS ({_LAST}), since AS ({_SUMS.format(bounds="id >= %(below)s")}), lots AS (
    SELECT customer_id, sum(remaining) FILTER (WHERE NOT is_pending) AS available,
           sum(remaining) FILTER (WHERE is_pending) AS pending
    FROM loyalty_pointslot WHERE tenant_id = %(tenant)s AND remaining > 0 GROUP BY customer_id
), holds AS (
    SELECT customer_id, sum(points) AS held FROM loyalty_pointshold
    WHERE tenant_id = %(tenant)s AND state = 'held' GROUP BY customer_id
), compared AS (
    SELECT customer_id, account.available, account.pending, account.held, account.owed,
           COALESCE(last.available, 0) + COALESCE(since.available, 0) AS entries_available,
           COALESCE(last.pending, 0) + COALESCE(since.pending, 0) AS entries_pending,
           COALESCE(last.held, 0) + COALESCE(since.held, 0) AS entries_held,
           COALESCE(last.owed, 0) + COALESCE(since.owed, 0) AS entries_owed,
           COALESCE(lots.available, 0) AS lots_available,
           COALESCE(lots.pending, 0) AS lots_pending, COALESCE(holds.held, 0) AS holds_held
    FROM (SELECT * FROM loyalty_pointsaccount WHERE tenant_id = %(tenant)s) account
    FULL JOIN last USING (customer_id) FULL JOIN since USING (customer_id)
    FULL JOIN lots USING (customer_id) FULL JOIN holds USING (customer_id)
), differing AS (
    SELECT customer_id FROM compared
    WHERE (available, pending, held, owed)
          IS DISTINCT FROM (entries_available, entries_pending, entries_held, entries_owed)
       OR (available, pending, held) IS DISTINCT FROM (lots_available, lots_pending, holds_held)
       OR (available > 0 AND owed > 0)
)
SELECT (SELECT count(*) FROM compared), (SELECT count(*) FROM differing),
       ARRAY(SELECT customer_id FROM differing ORDER BY customer_id LIMIT {EXAMPLES})
"""  # noqa: S608  ours


@transaction.atomic
def prove_ledger() -> LedgerProof:
    """Keep today's snapshots of the chain and prove every balance; alarm on any difference.

    Balances must equal the last snapshot and the entries since, what is left in lots, and what is
    held; nobody has points and owes some. May run again on the same day.
    """
    now = clock.now()
    day = rules.local_day(now, zone())
    below = _settled()
    former = LedgerProof.objects.order_by("-day").first()
    since = former.through if former else uuid.UUID(int=0)
    below = max(since, below)
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "day": day,
        "since": since,
        "below": below,
    }
    with connection.cursor() as cursor:
        cursor.execute(SNAPSHOT, values)
        cursor.execute(COMPARE, values)
        accounts, differing, examples = cursor.fetchone()
    found = {
        "through": below,
        "at": now,
        "accounts": accounts,
        "differing": differing,
        "examples": [str(pk) for pk in examples],
        **_programme_through(former, since, below),
    }
    proof, _made = LedgerProof.objects.update_or_create(day=day, defaults=found)
    if differing:
        _alarm(proof)
    return proof


def _settled() -> uuid.UUID:
    """The bound of what is settled, by the clock that makes the ids: the database's own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        (moment,) = cursor.fetchone()
    return lower_bound(moment - SETTLED_AFTER)


def _programme_through(
    former: LedgerProof | None, since: uuid.UUID, below: uuid.UUID
) -> dict[str, int]:
    """The programme's own accounts below the bound."""
    entries = PointsEntry.objects.exclude(account__in=OF_CUSTOMER)
    moved = selectors.programme_sums(entries.filter(pk__gte=since, pk__lt=below))
    return {
        account: points + (getattr(former, account) if former else 0)
        for account, points in moved.items()
    }


def _alarm(proof: LedgerProof) -> None:
    logger.error(
        "the points of %d customers differ from their ledger: %s",
        proof.differing,
        ", ".join(proof.examples),
    )
    facts = {"differing": proof.differing, "day": proof.day.isoformat()}
    events.record(DIFFERS, {**facts, "customerIds": proof.examples})
    owners = Staff.objects.filter(role=Role.SUPER_OWNER, is_active=True)
    notify(
        DIFFERS,
        staff_ids=list(owners.values_list("pk", flat=True)),
        key=f"{proof.day:%Y-%m-%d}",
        facts=facts,
    )
