"""Who holds a code that can be used: asked of the codes, or counted by the copies in facts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import F, Q

from marketing.coupons.models import CodeBatch
from marketing.coupons.revocation import IN_FORCE
from marketing.segments.local_time import LocalDay
from marketing.segments.sources import Related

# Of whom facts copy the batches: hers that have uses left and are not revoked by themselves.
HELD = """
SELECT code.customer_id, array_agg(DISTINCT code.batch_id ORDER BY code.batch_id) AS codes_held
FROM chosen JOIN coupons_couponcode code ON code.customer_id = chosen.id
JOIN coupons_codebatch batch ON batch.id = code.batch_id
 AND (batch.is_copied OR code.customer_id <= batch.copied_to)
WHERE code.revoked_at IS NULL
  AND (code.max_uses IS NULL OR code.max_uses > code.used + code.reserved)
GROUP BY code.customer_id
"""
# Each is compared with each of hers: with more, the codes are asked as fast.
MOST_BATCHES = 32


def open_code() -> Q:
    """Of codes: has uses left, is in force, and its offer is on."""
    left = Q(max_uses=None) | Q(max_uses__gt=F("used") + F("reserved"))
    return left & IN_FORCE & Q(offer__is_active=True)


def holds_still(day: LocalDay) -> Q:
    """Of codes and of batches: neither it nor its offer is over on the day."""
    lasts = Q(expires_at=None) | Q(expires_at__gt=day.start(0))
    return lasts & (Q(offer__valid_until=None) | Q(offer__valid_until__gte=day.today))


@dataclass(frozen=True)
class OpenCodes(Related):
    """The offers of her open codes on a `day`. What batches have in common is asked of them."""

    day: LocalDay | None = None

    def on(self, day: LocalDay) -> "OpenCodes":
        return replace(self, rows=self.rows & holds_still(day), day=day)

    def copied(self, values: Sequence[Any] | None) -> Q | None:
        if self.day is None:
            return None
        batches = CodeBatch.objects.filter(holds_still(self.day), offer__is_active=True)
        if values is not None:
            batches = batches.filter(offer__in=values)
        # Some codes of a batch that spares what is used hold, and some do not.
        spares = Q(revoked_at__isnull=False, spares_used=True, max_uses__gt=1)
        batches = batches.filter(Q(revoked_at=None) | spares)
        # Where nobody holds a code, there is nothing to look for.
        for_people = batches.filter(Q(is_copied=False) | Q(copied_to__isnull=False))
        chosen = for_people.values_list("pk", "is_copied", "revoked_at")
        found = list(chosen.order_by("-pk")[: MOST_BATCHES + 1])
        if len(found) > MOST_BATCHES or any(
            revoked_at or not is_copied for _pk, is_copied, revoked_at in found
        ):
            return None
        return Q(codes_held__overlap=[pk for pk, _is_copied, _revoked_at in found])
