"""Who is erased gives up her points; the ledger keeps the numbers."""

from django.db.models import F

from customers.models import Customer
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id
from marketing.loyalty import selectors
from marketing.loyalty.models import Account, HoldState, Kind, PointsAccount, PointsHold, PointsLot
from marketing.loyalty.services.entering import enter
from marketing.loyalty.services.posting import (
    Source,
    begin,
    lock_account,
    note_next_expiry,
    post,
)
from marketing.loyalty.services.spending import end_hold


def erase_points(customer: Customer) -> None:
    """End her holds, write off what she has and owes, and blank what was said of her."""
    selectors.entries_of(customer).exclude(reason="").update(reason="")
    if not PointsAccount.objects.filter(customer=customer).exists():
        return
    system = Actor.system(current_tenant_id())
    for hold in PointsHold.objects.filter(customer=customer, state=HoldState.HELD):
        end_hold(actor=system, hold=hold, state=HoldState.VOIDED)
    enter(customer.pk, clock.now())
    account = lock_account(customer.pk)
    PointsAccount.objects.filter(pk=account.pk).update(
        tier=None, tier_since=None, tier_until=None, tier_in_grace=False
    )
    lost = account.available + account.pending - account.owed
    if not (account.available or account.pending or account.owed):
        return
    made = begin(
        actor=system,
        customer_id=customer.pk,
        kind=Kind.FORFEIT,
        source=Source("erasure", str(customer.pk)),
        points=-lost,
    ).transaction
    lots = PointsLot.objects.filter(customer=customer, remaining__gt=0)
    lots.update(expired=F("expired") + F("remaining"), remaining=0)
    post(
        made,
        customer.pk,
        {
            Account.AVAILABLE: -account.available,
            Account.PENDING: -account.pending,
            Account.OWED: account.owed,
            Account.EXPIRED: lost,
        },
    )
    note_next_expiry([customer.pk])
