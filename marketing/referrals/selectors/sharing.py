"""Who paid or booked by the same as somebody else."""

import uuid

from django.db import connection

from marketing.core.tenancy import current_tenant_id
from marketing.referrals import rules

SHARING = """
SELECT other.customer_id, other.kind
FROM referrals_seentoken own
JOIN referrals_seentoken other ON other.tenant_id = own.tenant_id AND other.kind = own.kind
    AND other.digest = own.digest AND other.customer_id <> own.customer_id
WHERE own.tenant_id = %(tenant)s AND own.customer_id = %(customer)s
  AND (%(who)s::uuid IS NULL OR other.customer_id = %(who)s)
  AND (SELECT count(*) FROM (
        SELECT FROM referrals_seentoken every
        WHERE every.tenant_id = own.tenant_id AND every.kind = own.kind
          AND every.digest = own.digest
        LIMIT %(many)s) AS sharing) < %(many)s
GROUP BY other.customer_id, other.kind
ORDER BY other.customer_id, other.kind
"""


def sharing_with(
    customer_id: uuid.UUID, who: uuid.UUID | None = None
) -> dict[uuid.UUID, list[str]]:
    """By customer the signals of what both used; of `who` alone, if it is said."""
    found: dict[uuid.UUID, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            SHARING,
            {
                "tenant": current_tenant_id(),
                "customer": customer_id,
                "who": who,
                "many": rules.MOST_SHARING + 1,
            },
        )
        for other, kind in cursor.fetchall():
            found.setdefault(other, []).append(rules.SHARED[kind])
    return found
