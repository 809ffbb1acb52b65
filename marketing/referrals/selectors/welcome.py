"""What a bill gives to who was brought at sign-up and has not paid here yet."""

import uuid
from typing import NamedTuple

from marketing.core.prepared import kept_cursor
from marketing.core.tenancy import current_tenant_id

# A referral that a bill of hers may concern: she was brought, or left her phone on a link.
OF_HER = """
referral.tenant_id = customer.tenant_id
AND (referral.friend_id = customer.id
     OR (customer.phone <> '' AND referral.friend_phone = customer.phone))
"""
WELCOME = f"""
SELECT EXISTS (
    SELECT FROM customers_customer customer JOIN referrals_referral referral ON {OF_HER}
    WHERE customer.id = %(customer)s AND customer.tenant_id = %(tenant)s
      AND referral.state IN ('attributed', 'invited')
), mine.code, mine.friend_offer_id
FROM (VALUES (true)) AS always LEFT JOIN (
    SELECT code.code, programme.friend_offer_id
    FROM referrals_referral mine
    JOIN referrals_referralcode code ON code.id = mine.code_id
    JOIN referrals_referralprogramme programme ON programme.tenant_id = mine.tenant_id
    WHERE mine.tenant_id = %(tenant)s AND mine.friend_id = %(customer)s
      AND mine.state = 'attributed' AND mine.friend_reward_at IS NULL
      AND mine.friend_reward_type <> 'points'
      AND programme.is_enabled AND programme.friend_offer_id IS NOT NULL
    ORDER BY mine.id LIMIT 1
) mine ON true
"""  # noqa: S608  constants


class Welcome(NamedTuple):
    """Whether any referral may concern her bill; the code that brought her, and the offer that it
    opens: both or neither."""

    is_concerned: bool
    code: str | None
    offer_id: uuid.UUID | None


def welcome_of(customer_id: uuid.UUID) -> Welcome:
    """One statement."""
    with kept_cursor() as cursor:
        cursor.execute(WELCOME, {"tenant": current_tenant_id(), "customer": customer_id})
        return Welcome(*cursor.fetchone())
