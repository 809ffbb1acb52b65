"""Reservations whose time is over give back what they hold; the sweep only tidies."""

from django.db import transaction

from marketing.core import clock
from marketing.coupons.models import Hold, Reservation
from marketing.coupons.services import counters
from marketing.coupons.services.bills import held_by
from marketing.coupons.services.counters import LET_GO, Changes
from marketing.coupons.services.locks import counter_call
from marketing.coupons.services.reservations import release_effects

BATCH = 500


@transaction.atomic
def expire_due() -> int:
    """Let up to 500 overdue reservations of the chain expire; returns how many.

    One that is being renewed or redeemed at this moment is left to that.
    """
    with counter_call():
        due = list(
            Reservation.objects.select_for_update(skip_locked=True)
            .filter(state=Reservation.State.RESERVED, expires_at__lte=clock.now())
            .order_by("expires_at")
            .defer("trace")[:BATCH]
        )
        ids = [each.pk for each in due]
        if not ids:
            return 0
        Reservation.objects.filter(pk__in=ids, state=Reservation.State.RESERVED).update(
            state=Reservation.State.EXPIRED
        )
        release_effects(due)
        changes: Changes = {}
        counters.add(changes, [each.use for each in held_by(ids)], LET_GO)
        counters.move(changes)
        Hold.objects.filter(reservation__in=ids).delete()
    return len(ids)
