"""A code for everybody: made once, whoever asks first."""

import uuid
from collections.abc import Sequence

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from customers.models import Customer
from customers.services.standing import standing_ids
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id
from marketing.coupons.code_symbols import tails
from marketing.referrals import rules
from marketing.referrals.models import ReferralCode, ReferralProgramme
from marketing.referrals.services.programme import ensure_programme

PART = 20_000
# A code that an offer has already is not given to a person; nor is one twice.
INSERT = """
INSERT INTO referrals_referralcode (tenant_id, customer_id, code)
SELECT %(tenant)s, made.customer_id, made.code
FROM unnest(%(customers)s::uuid[], %(codes)s::text[]) AS made (customer_id, code)
WHERE NOT EXISTS (
    SELECT FROM coupons_couponcode taken
    WHERE taken.tenant_id = %(tenant)s AND taken.key = made.code
)
ON CONFLICT DO NOTHING
"""


@transaction.atomic
def get_or_create_code(*, actor: Actor, customer: Customer) -> ReferralCode:
    """Her code, made now if she has none; who was merged has that of whom she became."""
    actor.require("referral.view")
    ensure_programme()
    pk = standing_ids([customer.pk])[customer.pk]
    mine = ReferralCode.objects.filter(customer_id=pk)
    while (code := mine.first()) is None:
        _insert([pk])
    return code


@transaction.atomic
def make_missing_codes() -> int:
    """Give a code to customers who have none, so that messages can name it; how many were made.

    Twenty thousand at a time; none in a chain that has no referrals or has switched them off.
    """
    if not ReferralProgramme.objects.filter(is_enabled=True).exists():
        return 0
    theirs = ReferralCode.objects.filter(customer=OuterRef("pk"))
    people = Customer.objects.filter(~Exists(theirs), status=Customer.Status.ACTIVE)
    return _insert(list(people.order_by("pk").values_list("pk", flat=True)[:PART]))


def _insert(customer_ids: Sequence[uuid.UUID]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT,
            {
                "tenant": current_tenant_id(),
                "customers": list(customer_ids),
                "codes": tails(len(customer_ids), rules.SYMBOLS),
            },
        )
        return int(cursor.rowcount)
