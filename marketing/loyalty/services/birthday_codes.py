"""A code of an offer for each birthday: hers alone, once a calendar year."""

import datetime as dt
import uuid

from django.db import connection, transaction

from customers.models import Customer
from customers.services.standing import standing_ids
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id
from marketing.coupons import services as coupons
from marketing.loyalty import rules, selectors
from marketing.loyalty.models import BirthdayBatch, LoyaltyProgramme
from marketing.loyalty.services.bonuses import BORN_ON
from marketing.loyalty.services.posting import zone

AT_ONCE = 5_000
WITHOUT_CODE = f"""
{BORN_ON}
SELECT customer.id FROM customer
WHERE NOT EXISTS (
    SELECT FROM coupons_couponcode code
    JOIN loyalty_birthdaybatch birthday
      ON birthday.tenant_id = code.tenant_id AND birthday.batch_id = code.batch_id
    WHERE code.customer_id = customer.id AND birthday.day >= %(new_year)s)
ORDER BY customer.id LIMIT %(most)s
"""  # noqa: S608  constants


@transaction.atomic
def give_birthday_codes() -> int:
    """Give a batch of those whose birthday it is in the chain a code, who had none this year; how
    many.

    It can be used once, to the end of the programme's last day, of which the birthday is the first.
    Nobody gets one while the offer does not hold (`selectors.birthday_warning`).
    """
    programme = _alone()
    offer = selectors.birthday_offer(programme) if programme else None
    if programme is None or offer is None:
        return 0
    today = rules.local_day(clock.now(), zone())
    found = _without_code(today)
    if not found:
        return 0
    system = Actor.system(current_tenant_id())
    until = today + (programme.birthday_offer_days - 1) * rules.DAY
    batch = coupons.begin_own_codes(
        actor=system, offer=offer, max_uses=1, expires_at=rules.end_of(until, zone())
    )
    BirthdayBatch.objects.create(batch=batch, day=today, until=until)
    # Who was merged or erased meanwhile gets none.
    stay = [pk for pk, now in standing_ids(found).items() if pk == now]
    people = Customer.objects.filter(pk__in=stay, status=Customer.Status.ACTIVE)
    coupons.issue_codes(actor=system, offer=offer, customers=people, batch=batch)
    return len(found)


def _alone() -> LoyaltyProgramme | None:
    """The programme, locked: whoever else gives codes waits, and sees then who has one."""
    return LoyaltyProgramme.objects.select_for_update().first()


def _without_code(today: dt.date) -> list[uuid.UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            WITHOUT_CODE,
            {
                "tenant": current_tenant_id(),
                "born": rules.birthdays_on(today),
                "new_year": today.replace(month=1, day=1),
                "most": AT_ONCE,
            },
        )
        return [pk for (pk,) in cursor.fetchall()]
