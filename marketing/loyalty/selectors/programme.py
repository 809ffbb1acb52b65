"""The programme of the open chain: its rates, its tiers, and over what time tiers count."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q, Sum

from customers.models import Customer
from marketing.core.prepared import kept_cursor
from marketing.core.tenancy import current_tenant_id
from marketing.loyalty import rules
from marketing.loyalty.models import EarnRate, Kind, LoyaltyProgramme, PointsTransaction, Tier

_FIELDS = LoyaltyProgramme._meta.concrete_fields
PROGRAMME_COLUMNS = ", ".join(f"programme.{field.column}" for field in _FIELDS)
PROGRAMME = f"""
SELECT {PROGRAMME_COLUMNS} FROM loyalty_loyaltyprogramme programme WHERE programme.tenant_id = %s
"""  # noqa: S608  names of our own columns
COUNTED = (Kind.EARN, Kind.BONUS, Kind.REVERSE_EARN)


def programme() -> LoyaltyProgramme:
    """The chain's programme; one that is off, with the defaults, until somebody sets it up."""
    with kept_cursor() as cursor:
        cursor.execute(PROGRAMME, [current_tenant_id()])
        row = cursor.fetchone()
    return programme_of(row) if row else LoyaltyProgramme()


def bonus_points(bonus: str) -> int:
    """What the programme gives for it by now: none while it is off."""
    known = programme()
    points: int = getattr(known, f"{bonus}_bonus")
    return points if known.is_enabled else 0


def programme_of(row: Sequence[Any]) -> LoyaltyProgramme:
    """Of the columns `PROGRAMME_COLUMNS`."""
    names = [field.attname for field in _FIELDS]
    return LoyaltyProgramme.from_db(DEFAULT_DB_ALIAS, names, row)


def rates_mark() -> str:
    """Another one after each change of services' and categories' own rates."""
    newest = EarnRate.objects.order_by("-pk").values_list("pk", flat=True).first()
    return str(newest or "")


def tier_names() -> dict[str, str]:
    """The tiers by their ids, the lowest first: how offers name them."""
    return {str(pk): name for pk, name in Tier.objects.values_list("pk", "name")}


@dataclass(frozen=True)
class Rates:
    """Points for 100 rupees in hundredths: a service's own, its category's, or the programme's."""

    standard: int
    services: Mapping[uuid.UUID, int]
    categories: Mapping[uuid.UUID, int]

    @classmethod
    def of_rows(cls, standard: int, rows: Iterable[tuple[str | None, str | None, int]]) -> "Rates":
        """Of service, category and rate; of the first two one is given."""
        given = list(rows)
        return cls(
            standard,
            {uuid.UUID(service): rate for service, _category, rate in given if service},
            {uuid.UUID(category): rate for _service, category, rate in given if category},
        )

    def of(self, service_id: uuid.UUID | None, category_id: uuid.UUID | None) -> int:
        if service_id and service_id in self.services:
            return self.services[service_id]
        if category_id and category_id in self.categories:
            return self.categories[category_id]
        return self.standard


def tiers() -> list[Tier]:
    """The chain's tiers, the lowest first."""
    return list(Tier.objects.order_by("level"))


def most_for_bill(of: LoyaltyProgramme, payable_paise: int | None) -> int | None:
    """How many points may pay a bill, whoever brings it; None where nothing limits them."""
    if payable_paise is None:
        return of.max_redeem_points
    return rules.most_redeemable(
        rules.MAX_POINTS,
        payable_paise,
        of.point_value_paise,
        of.max_redeem_percent,
        of.max_redeem_points,
    )


def window_start(of: LoyaltyProgramme, now: dt.datetime, zone: str) -> dt.datetime:
    """From when on spend or points count for a tier that is reached now."""
    if of.tier_window == LoyaltyProgramme.TierWindow.CALENDAR:
        return rules.calendar_period(now, of.tier_span, zone)[0]
    months = rules.MONTHS_OF[of.tier_span]
    return rules.start_of(rules.add_months(rules.local_day(now, zone), -months), zone)


def ended_window_start(of: LoyaltyProgramme, now: dt.datetime, zone: str) -> dt.datetime:
    """From when on they count for a tier whose period has ended: all of that period, and since."""
    if of.tier_window == LoyaltyProgramme.TierWindow.CALENDAR:
        start = rules.calendar_period(now, of.tier_span, zone)[0]
        return rules.calendar_period(start - rules.DAY, of.tier_span, zone)[0]
    return window_start(of, now, zone)


def tier_period_end(of: LoyaltyProgramme, now: dt.datetime, zone: str) -> dt.datetime:
    """Until when a tier that begins now is kept."""
    if of.tier_window == LoyaltyProgramme.TierWindow.CALENDAR:
        return rules.calendar_period(now, of.tier_span, zone)[1]
    return rules.tier_hold_end(now, of.tier_hold_days, zone)


def counted_for_tiers(customer_id: uuid.UUID, of: LoyaltyProgramme, since: dt.datetime) -> int:
    """Paise spent or points earned since, less refunds; with whom became one with her."""
    people = Customer.objects.filter(Q(pk=customer_id) | Q(merged_into=customer_id))
    rows = PointsTransaction.objects.filter(
        customer_id__in=people.values("pk"), kind__in=COUNTED, at__gte=since
    )
    is_spend = of.tier_basis == LoyaltyProgramme.TierBasis.SPEND
    column = "spend_paise" if is_spend else "tier_points"
    return rows.aggregate(counted=Sum(column))["counted"] or 0


def rupees(paise: int) -> Decimal:
    """Paise as an amount with two places."""
    return Decimal(paise) / 100
