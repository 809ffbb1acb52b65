"""Bonuses that follow from what happened: she joined, wrote a review, has a birthday.

Each is posted once for its `Source`, so that a round more gives nothing more.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction

from customers.models import Customer
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.ids import lower_bound
from marketing.core.tenancy import current_tenant_id
from marketing.loyalty import rules, selectors
from marketing.loyalty.services.earning import grant_bonus
from marketing.loyalty.services.posting import Source, zone

AT_ONCE = 100
# Who was entered before is no newcomer any more when the bonus is switched on.
JOINED_LATELY = dt.timedelta(days=3)
# Reviews of years that another system sends at once are not thanked.
FRESH_REVIEW = dt.timedelta(days=30)

NOT_GIVEN = """
NOT EXISTS (
    SELECT FROM loyalty_pointstransaction given
    WHERE given.tenant_id = %(tenant)s AND given.kind = 'bonus'
      AND given.source_type = %(bonus)s AND given.source_id = customer.id || %(turn)s::text)
"""
# An import brings people who were there before. The id bounds what is read, made when it was.
JOINED = f"""
SELECT customer.id FROM customers_customer customer
WHERE customer.tenant_id = %(tenant)s AND customer.id >= %(first)s
  AND customer.created_at >= %(since)s
  AND customer.status = 'active' AND customer.source <> 'import' AND {NOT_GIVEN}
ORDER BY customer.id LIMIT %(most)s
"""  # noqa: S608  constants
# Found by their birth dates first, of which a day has few, and not looked for by their ids.
BORN_ON = """
WITH customer AS MATERIALIZED (
    SELECT id FROM customers_customer
    WHERE tenant_id = %(tenant)s AND birth_date = ANY(%(born)s::date[]) AND status = 'active'
)
"""
BORN = f"""
{BORN_ON}
SELECT customer.id FROM customer WHERE {NOT_GIVEN} ORDER BY customer.id LIMIT %(most)s
"""  # noqa: S608  constants


@transaction.atomic
def give_signup_bonuses() -> int:
    """Thank a batch of those who were entered lately, by whomever but an import; how many."""
    since = clock.now() - JOINED_LATELY
    return _give("signup", JOINED, since=since, first=lower_bound(since))


@transaction.atomic
def give_birthday_bonuses() -> int:
    """Thank a batch of those whose birthday it is in the chain, once a calendar year; how many."""
    today = rules.local_day(clock.now(), zone())
    return _give("birthday", BORN, turn=f" {today.year}", born=rules.birthdays_on(today))


@transaction.atomic
def give_review_bonuses(written: Iterable[tuple[uuid.UUID, dt.datetime]]) -> None:
    """Thank these customers for what they wrote then: once a day, and while it is fresh."""
    now = clock.now()
    days = {
        (customer_id, rules.local_day(at, zone()))
        for customer_id, at in written
        if at > now - FRESH_REVIEW
    }
    known = Customer.objects.in_bulk([customer_id for customer_id, _day in days])
    for customer_id, day in sorted(days):
        if customer_id in known and known[customer_id].status != Customer.Status.ERASED:
            grant_bonus(
                actor=Actor.system(current_tenant_id()),
                customer=known[customer_id],
                bonus="review",
                source=Source("review", f"{customer_id} {day}"),
            )


def _give(bonus: str, due: str, *, turn: str = "", **values: Any) -> int:
    if not selectors.bonus_points(bonus):
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            due,
            {
                "tenant": current_tenant_id(),
                "bonus": bonus,
                "turn": turn,
                "most": AT_ONCE,
                **values,
            },
        )
        customer_ids = [pk for (pk,) in cursor.fetchall()]
    for pk in customer_ids:
        grant_bonus(
            actor=Actor.system(current_tenant_id()),
            customer=Customer(pk=pk),
            bonus=bonus,
            source=Source(bonus, f"{pk}{turn}"),
        )
    return len(customer_ids)
