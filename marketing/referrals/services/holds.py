"""A reserved bill keeps a place of the code's month, so that two tills do not take the last one."""

import uuid
from collections.abc import Collection

from marketing.referrals.models import ReferralHold
from marketing.referrals.selectors.judging import FoundCode
from marketing.referrals.services import places
from marketing.referrals.services.applying import require_place


def hold_place(reservation_id: uuid.UUID, code: FoundCode) -> None:
    """Keep a place of the code for the bill; raises `ReferralLimitReached`."""
    require_place(code)
    ReferralHold.objects.create(reservation_id=reservation_id, code_id=code.id, month=code.month)


def let_go(reservation_ids: Collection[uuid.UUID]) -> None:
    """Give back what these keep; what was given back or used already stays so."""
    held = ReferralHold.objects.select_for_update().filter(reservation_id__in=reservation_ids)
    for hold in held.order_by("code_id", "pk"):
        places.give_back(hold.code_id, hold.month)
    ReferralHold.objects.filter(reservation_id__in=reservation_ids).delete()


def use(reservation_id: uuid.UUID) -> bool:
    """The bill is paid: its place is used. False where it kept none."""
    gone, _each = ReferralHold.objects.filter(reservation_id=reservation_id).delete()
    return bool(gone)
