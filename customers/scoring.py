"""The row that says what a chain calls new, loyal or lost, and its fifths as of last night."""

from typing import Any

from django.db import connection

from customers.models import ScoringConfig
from marketing.core import clock
from marketing.core.tenancy import current_tenant, current_tenant_id


def ensure_scoring() -> ScoringConfig:
    """The chain's row, made with the defaults on first use."""
    return ScoringConfig.objects.get_or_create()[0]


def move_quintiles() -> bool:
    """Part the people of the last 365 days into fifths again, once a day of the chain.

    Equals score alike: a limit is just above the last value of its fifth. Returns whether they
    were parted; a chain where nobody came keeps what it had.
    """
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "now": clock.now(),
        "zone": current_tenant().time_zone,
    }
    with connection.cursor() as cursor:
        cursor.execute(ANY_DUE, values)
        if cursor.fetchone() is None:
            return False
        cursor.execute(MOVE, values)
        return bool(cursor.rowcount)


IS_DUE = """coalesce(scoring.quintiles_at
    < date_trunc('day', %(now)s AT TIME ZONE %(zone)s) AT TIME ZONE %(zone)s, true)"""
ANY_DUE = f"""
SELECT FROM customers_scoringconfig scoring WHERE scoring.tenant_id = %(tenant)s AND {IS_DUE}
"""
MOVE = f"""
UPDATE customers_scoringconfig scoring
SET recency_quintiles = fifth.recency, frequency_quintiles = fifth.frequency,
    monetary_quintiles = fifth.monetary, quintiles_at = %(now)s,
    version = version + CASE WHEN rfm_mode = 'quintile'
        AND (recency_quintiles, frequency_quintiles, monetary_quintiles)
            IS DISTINCT FROM (fifth.recency, fifth.frequency, fifth.monetary)
        THEN 1 ELSE 0 END
FROM (
    SELECT percentile_disc('{{.2,.4,.6,.8}}'::float8[]) WITHIN GROUP (ORDER BY
               (%(now)s AT TIME ZONE %(zone)s)::date
               - (last_visit_at AT TIME ZONE %(zone)s)::date + 1) AS recency,
           percentile_disc('{{.2,.4,.6,.8}}'::float8[])
               WITHIN GROUP (ORDER BY visits_365_days + 1) AS frequency,
           percentile_disc('{{.2,.4,.6,.8}}'::float8[])
               WITHIN GROUP (ORDER BY spend_365_days + 0.01) AS monetary
    FROM customers_customerfacts
    WHERE tenant_id = %(tenant)s AND last_visit_at > %(now)s - interval '365 days'
) AS fifth
WHERE scoring.tenant_id = %(tenant)s AND fifth.recency IS NOT NULL AND {IS_DUE}
"""  # noqa: S608  constants of this module
