"""How many friends a code may bring in a month: counted in one conditional statement."""

import datetime as dt
import uuid

from django.db import connection

from marketing.core.tenancy import current_tenant_id

TAKE = """
UPDATE referrals_referralcode
SET taken = CASE WHEN month = %(month)s THEN taken ELSE 0 END + 1, month = %(month)s
WHERE id = %(code)s AND tenant_id = %(tenant)s
"""
WITHIN = " AND CASE WHEN month = %(month)s THEN taken ELSE 0 END < %(limit)s"
GIVE_BACK = """
UPDATE referrals_referralcode SET taken = taken - 1
WHERE id = %(code)s AND tenant_id = %(tenant)s AND month = %(month)s AND taken > 0
"""


def take(code_id: uuid.UUID, month: dt.date, limit: int) -> bool:
    """Take one of the month's places; False when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            TAKE + WITHIN,
            {"code": code_id, "month": month, "limit": limit, "tenant": current_tenant_id()},
        )
        return bool(cursor.rowcount)


def give_back(code_id: uuid.UUID, month: dt.date) -> None:
    """Of a month that is over nothing is given back."""
    with connection.cursor() as cursor:
        cursor.execute(GIVE_BACK, {"code": code_id, "month": month, "tenant": current_tenant_id()})
