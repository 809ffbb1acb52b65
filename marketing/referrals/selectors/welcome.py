"""What a bill gives to who was brought at sign-up and has not paid here yet."""

import uuid
from typing import NamedTuple

from marketing.core.prepared import kept_cursor
from marketing.core.tenancy import current_tenant_id

WELCOME = """
SELECT code.code, programme.friend_offer_id
FROM referrals_referral mine
JOIN referrals_referralcode code ON code.id = mine.code_id
JOIN referrals_referralprogramme programme ON programme.tenant_id = mine.tenant_id
WHERE mine.tenant_id = %s AND mine.friend_id = %s AND mine.state = 'attributed'
  AND mine.friend_reward_at IS NULL AND mine.friend_reward_type <> 'points'
  AND programme.is_enabled AND programme.friend_offer_id IS NOT NULL
ORDER BY mine.id LIMIT 1
"""


class Welcome(NamedTuple):
    """The code that brought her, and the offer that it opens."""

    code: str
    offer_id: uuid.UUID


def welcome_of(customer_id: uuid.UUID) -> Welcome | None:
    """One statement."""
    with kept_cursor() as cursor:
        cursor.execute(WELCOME, [current_tenant_id(), customer_id])
        row = cursor.fetchone()
    return None if row is None else Welcome(*row)
