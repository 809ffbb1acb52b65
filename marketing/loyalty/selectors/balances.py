"""What customers have, what happened to it, and what the chain owes all of them."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, Lookup, Q, QuerySet, Sum

from customers.models import Customer
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.prepared import kept_cursor
from marketing.core.tenancy import current_tenant_id
from marketing.loyalty import rules
from marketing.loyalty.models import (
    Account,
    Kind,
    LedgerProof,
    PointsEntry,
    PointsLot,
    PointsTransaction,
    Side,
)
from marketing.loyalty.models.ledger import OF_CUSTOMER

# What has expired or become active since her last posting is judged here, not waited for.
POINTS = """COALESCE(account.available, 0) - COALESCE(account.owed, 0)
           - COALESCE(lots.over, 0) + COALESCE(lots.ripe, 0)"""
LOTS = """
LEFT JOIN loyalty_pointsaccount account ON account.customer_id = asked.customer_id
LEFT JOIN LATERAL (
    SELECT sum(remaining) FILTER (WHERE NOT is_pending AND expires_at <= %(now)s) AS over,
           sum(remaining) FILTER (WHERE is_pending AND active_at <= %(now)s) AS active,
           sum(remaining) FILTER (WHERE is_pending AND active_at <= %(now)s
               AND (expires_at IS NULL OR expires_at > %(now)s)) AS ripe
    FROM loyalty_pointslot WHERE customer_id = asked.customer_id AND remaining > 0
) lots ON true
"""
BALANCE = f"""
SELECT {POINTS} AS points,
       COALESCE(account.pending, 0) - COALESCE(lots.active, 0) AS pending,
       COALESCE(account.held, 0) AS held,
       account.tier_id, tier.name, account.tier_until, tier.multiplier, tier.benefits,
       following.expires_on, COALESCE(following.points, 0) AS expiring
FROM (VALUES (%(customer)s::uuid)) AS asked (customer_id)
{LOTS}
LEFT JOIN loyalty_tier tier ON tier.id = account.tier_id
LEFT JOIN LATERAL (
    SELECT expires_on, sum(remaining) AS points FROM loyalty_pointslot
    WHERE customer_id = asked.customer_id AND remaining > 0 AND expires_at > %(now)s
      AND active_at <= %(now)s
    GROUP BY expires_at, expires_on ORDER BY expires_at LIMIT 1
) following ON true
"""  # noqa: S608  constants
POINTS_OF_MANY = f"""
SELECT asked.customer_id, {POINTS}
FROM unnest(%(customers)s::uuid[]) AS asked (customer_id)
{LOTS}
WHERE EXISTS (SELECT FROM loyalty_loyaltyprogramme
              WHERE tenant_id = %(tenant)s AND is_enabled)
"""  # noqa: S608  constants


@dataclass(frozen=True)
class Balance:
    """What a customer has now. `points` may be below zero: so much she owes.

    `expiring` points end with the day `expires_on`, the first that do.
    """

    points: int
    pending: int
    held: int
    tier_id: uuid.UUID | None
    tier: str
    tier_until: dt.datetime | None
    multiplier: int
    benefits: str
    expires_on: dt.date | None
    expiring: int

    @property
    def available(self) -> int:
        """What she may use."""
        return max(self.points, 0)

    @property
    def tier_last_moment(self) -> dt.datetime | None:
        """Within the last day of her tier, which `tier_until` is the end of."""
        return self.tier_until - dt.timedelta.resolution if self.tier_until else None


def balance(customer_id: uuid.UUID) -> Balance:
    """The balance of a customer who was not merged into another; one query, by indexes."""
    with kept_cursor() as cursor:
        cursor.execute(BALANCE, {"customer": customer_id, "now": clock.now()})
        row = cursor.fetchone()
    return balance_of_row(row)


def points_of(customer_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int] | None:
    """What each of them has, below zero what she owes; None while the programme is off. One query.

    For people who were not merged into others.
    """
    with kept_cursor() as cursor:
        cursor.execute(
            POINTS_OF_MANY,
            {"customers": list(customer_ids), "tenant": current_tenant_id(), "now": clock.now()},
        )
        found = {pk: int(points) for pk, points in cursor.fetchall()}
    return found or None


def balance_of_row(row: Sequence[Any]) -> Balance:
    """The columns of `BALANCE`, in their order."""
    points, pending, held, tier_id, tier, until, multiplier, benefits, expires_on, expiring = row
    return Balance(
        int(points),
        int(pending),
        held,
        tier_id,
        tier or "",
        until,
        multiplier or rules.ONCE,
        benefits or "",
        expires_on,
        int(expiring),
    )


class _IsAnyOf(Lookup):
    """The left side is one of the array on the right."""

    lookup_name = "is_any_of"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, mine = self.process_lhs(compiler, connection)
        right, theirs = self.process_rhs(compiler, connection)
        return f"{left} = ANY({right})", (*mine, *theirs)


def entries_of(customer: Customer) -> QuerySet[PointsTransaction]:
    """All that moved her points and those of whom became one with her, newest first."""
    people = Customer.objects.filter(Q(pk=customer.pk) | Q(merged_into=customer.pk))
    # An array, so that her rows are found by her and not looked for from the newest on.
    hers = _IsAnyOf(F("customer_id"), ArraySubquery(people.values("pk")))
    return PointsTransaction.objects.filter(hers).order_by("-pk")


# Of no interest to the customer herself: points on their way.
STEPS = (Kind.HOLD, Kind.VOID, Kind.ACTIVATE)


def statement(customer: Customer) -> QuerySet[PointsTransaction]:
    """What the customer would call an entry of her account, newest first."""
    return entries_of(customer).exclude(kind__in=STEPS).exclude(points=0)


def expiring_lots(customer_id: uuid.UUID) -> QuerySet[Any]:
    """By last day, how many of her points end with it; the nearest first."""
    lots = PointsLot.objects.filter(
        customer_id=customer_id, remaining__gt=0, expires_at__gt=clock.now()
    )
    days = lots.values("expires_on").annotate(points=Sum("remaining"))
    return days.order_by("expires_on")


def ledger(actor: Actor) -> QuerySet[PointsTransaction]:
    """Postings of the actor's branches, or about their customers; newest first."""
    rows = PointsTransaction.objects.select_related("customer", "branch").order_by("-pk")
    if actor.branch_ids is None:
        return rows
    own = Q(branch_id__in=actor.branch_ids)
    return rows.filter(own | Q(branch=None, customer__home_branch_id__in=actor.branch_ids))


@dataclass(frozen=True)
class Liability:
    """What the programme has given and taken in all, in points."""

    issued: int
    redeemed: int
    expired: int
    clawed_back: int

    @property
    def points(self) -> int:
        """What customers have, are about to have, or hold; less what they owe."""
        return self.issued - self.redeemed - self.expired - self.clawed_back


def liability() -> Liability:
    """The programme's accounts: those of the last nightly proof, and what was posted since."""
    last = LedgerProof.objects.order_by("-day").first()
    entries = PointsEntry.objects.exclude(account__in=OF_CUSTOMER)
    since = programme_sums(entries.filter(pk__gte=last.through) if last else entries)
    before = {account: getattr(last, account) if last else 0 for account in since}
    return Liability(**{account: before[account] + since[account] for account in since})


def programme_sums(entries: QuerySet[PointsEntry]) -> Mapping[str, int]:
    """The programme's accounts by name, as these entries move them."""
    found = {
        account.value: 0
        for account in (
            Account.ISSUED,
            Account.REDEEMED,
            Account.EXPIRED,
            Account.CLAWED_BACK,
        )
    }
    sums = entries.values_list("account", "side").annotate(points=Sum("points")).order_by()
    for account, side, points in sums:
        # What is issued is a debit; what comes back or ends, a credit.
        up = Side.DEBIT if account == Account.ISSUED else Side.CREDIT
        found[account] += points if side == up else -points
    return found
