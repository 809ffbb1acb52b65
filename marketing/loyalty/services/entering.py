"""What whoever posts for a customer begins with: the programme, and her balances, locked."""

import datetime as dt
import uuid
from dataclasses import dataclass

from customers.services.standing import ask_to_stand, standing_ids
from marketing.core.prepared import kept_cursor
from marketing.core.tenancy import current_tenant_id
from marketing.loyalty.models import LoyaltyProgramme, Tier
from marketing.loyalty.selectors.programme import PROGRAMME_COLUMNS, Rates, programme_of
from marketing.loyalty.services.posting import OPEN
from marketing.loyalty.services.settling import IS_DUE, settle_now

# The account of who was merged is not locked: whoever is in her place, hers is locked first.
STANDS = "AND (SELECT status FROM customers_customer WHERE id = %(customer)s) <> 'merged'"
# Her lots are looked at before her account is had: who had it meanwhile settled them herself.
ENTER = f"""
SELECT (
    SELECT json_agg(json_build_array(service_id, category_id, (points_per_100 * 100)::bigint))
    FROM loyalty_earnrate WHERE tenant_id = %(tenant)s
), (
    SELECT json_agg(json_build_object('id', id, 'name', name, 'level', level,
        'threshold', threshold, 'multiplier', multiplier) ORDER BY level)
    FROM loyalty_tier WHERE tenant_id = %(tenant)s
), account.is_known, account.tier_id, account.tier_in_grace,
EXISTS (
    SELECT FROM loyalty_pointslot lot
    WHERE lot.customer_id = %(customer)s AND lot.remaining > 0 AND ({IS_DUE})
), {PROGRAMME_COLUMNS}
FROM (VALUES (true)) AS always
LEFT JOIN loyalty_loyaltyprogramme programme ON programme.tenant_id = %(tenant)s
LEFT JOIN LATERAL (
    SELECT true AS is_known, tier_id, tier_in_grace FROM loyalty_pointsaccount
    WHERE customer_id = %(customer)s AND tenant_id = %(tenant)s
    {STANDS}
    FOR UPDATE
) account ON true
"""  # noqa: S608  names of our own columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """The programme, one that is off until somebody sets it up, and her tier in it.

    `levels` are its tiers, the lowest first.
    """

    customer_id: uuid.UUID
    programme: LoyaltyProgramme
    rates: Rates
    levels: list[Tier]
    tier: Tier | None
    is_in_grace: bool


def enter(customer_id: uuid.UUID, now: dt.datetime, *, even_if_off: bool = False) -> Entered:
    """Hold who stands for her, lock her account and bring her lots up to the moment.

    One way to the server where nothing is due. Who has no account gets one, while the programme is
    on or `even_if_off`.
    """
    herself = ask_to_stand(customer_id)
    with kept_cursor() as cursor:
        cursor.execute(ENTER, {"tenant": current_tenant_id(), "customer": customer_id, "now": now})
        rates, tiers, is_known, tier_id, is_in_grace, is_due, *columns = cursor.fetchone()
        if not herself.rows:
            return enter(standing_ids([customer_id])[customer_id], now, even_if_off=even_if_off)
        programme = LoyaltyProgramme() if columns[0] is None else programme_of(columns)
        if not is_known and (programme.is_enabled or even_if_off):
            cursor.execute(OPEN, [current_tenant_id(), customer_id])
            return enter(customer_id, now, even_if_off=even_if_off)
    if is_due:
        settle_now(customer_id, now)
    levels = [Tier(**{**row, "id": uuid.UUID(row["id"])}) for row in tiers or []]
    return Entered(
        customer_id=customer_id,
        programme=programme,
        rates=Rates.of_rows(int(programme.points_per_100 * 100), rates or []),
        levels=levels,
        tier=next((level for level in levels if level.pk == tier_id), None),
        is_in_grace=bool(is_in_grace),
    )
