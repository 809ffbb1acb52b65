"""Which codes are revoked: by themselves, or with their batch, which is one row for all of them.

A batch that `spares_used` leaves alone what was used or is reserved.
"""

import datetime as dt

from django.db.models import Case, F, Q, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from marketing.coupons.models import CouponCode

_IN_USE = Q(used__gt=0) | Q(reserved__gt=0)
_SPARED = Q(batch__spares_used=True) & _IN_USE
# Of codes; each is what the other is not.
IN_FORCE = Q(revoked_at=None) & (Q(batch__revoked_at=None) | _SPARED)
REVOKED = Q(revoked_at__isnull=False) | Q(batch__revoked_at__isnull=False) & (
    Q(batch__spares_used=False) | Q(used=0, reserved=0)
)
# The same of `code` with its `batch`, which may be missing: since when, or NULL.
REVOKED_AT_SQL = """
coalesce(code.revoked_at, CASE WHEN NOT (batch.spares_used AND code.used + code.reserved > 0)
                               THEN batch.revoked_at END)
"""


def revoked_at() -> Combinable:
    """Since when a code opens nothing; NULL for one that is in force."""
    of_batch = Case(When(_SPARED, then=None), default=F("batch__revoked_at"))
    return Coalesce(F("revoked_at"), of_batch)


def revoked_since(code: CouponCode) -> dt.datetime | None:
    """The same of one code; with its batch at hand, no query."""
    batch = code.batch
    is_spared = batch is not None and batch.spares_used and code.used + code.reserved > 0
    return code.revoked_at or (None if batch is None or is_spared else batch.revoked_at)
