"""The programme and a customer's points for a bill that is priced: one statement."""

import uuid
from dataclasses import dataclass

import orjson

from marketing.core import clock
from marketing.core.postgresql.base import Answer
from marketing.core.prepared import ask_later
from marketing.core.tenancy import current_tenant_id
from marketing.loyalty.models import LoyaltyProgramme
from marketing.loyalty.selectors.balances import BALANCE, Balance, balance_of_row
from marketing.loyalty.selectors.programme import Rates

AT_THE_COUNTER = f"""
SELECT programme.points_as, programme.point_value_paise, programme.min_redeem_points,
       programme.max_redeem_points, programme.max_redeem_percent,
       (programme.points_per_100 * 100)::bigint,
       (SELECT json_agg(json_build_array(service_id, category_id, (points_per_100 * 100)::bigint))
        FROM loyalty_earnrate WHERE tenant_id = %(tenant)s),
       (SELECT hold.points FROM loyalty_pointshold hold
        WHERE hold.id = %(hold)s::uuid AND hold.customer_id = %(customer)s
          AND hold.state = 'held'),
       balance.*
FROM loyalty_loyaltyprogramme programme, ({BALANCE}) AS balance
WHERE programme.tenant_id = %(tenant)s AND programme.is_enabled
"""  # noqa: S608  a constant of this package


@dataclass(frozen=True, slots=True, kw_only=True)
class AtTheCounter:
    """What decides about points on a bill now; `held` are those that this bill holds already."""

    is_discount: bool
    value_paise: int
    least: int
    most: int | None
    percent: int
    rates: Rates
    held: int
    balance: Balance

    @property
    def usable(self) -> int:
        """What she may use on this bill."""
        return self.balance.available + self.held


def ask_at_the_counter(customer_id: uuid.UUID, hold_id: str | None = None) -> Answer:
    """Ask `at_the_counter`; the customer is one who was not merged into another.

    `hold_id` is what this bill holds already, for her or for whom it was before.
    """
    return ask_later(
        AT_THE_COUNTER,
        {
            "tenant": current_tenant_id(),
            "customer": customer_id,
            "hold": hold_id,
            "now": clock.now(),
        },
    )


def at_the_counter(answer: Answer) -> AtTheCounter | None:
    """None while the programme is off."""
    row = next(iter(answer.rows), None)
    if row is None:
        return None
    points_as, value, least, most, percent, standard, rates, held, *balance = row
    rows = (orjson.loads(rates) if isinstance(rates, str) else rates) or []
    return AtTheCounter(
        is_discount=points_as == LoyaltyProgramme.PointsAs.DISCOUNT,
        value_paise=value,
        least=least,
        most=most,
        percent=percent,
        rates=Rates.of_rows(standard, rows),
        held=held or 0,
        balance=balance_of_row(balance),
    )
