"""Batches of codes: what became of them, and their codes as a file."""

import uuid
from collections.abc import Iterator
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from customers.exports.csv_writing import write_csv
from marketing.core.tenancy import tenant_scope
from marketing.coupons.models import CodeBatch, CouponCode, Offer
from marketing.coupons.revocation import revoked_at
from marketing.coupons.selectors.offers import batches_of

CHUNK = 5_000


def batches_with_uses(offer: Offer) -> QuerySet[CodeBatch]:
    """The offer's batches, the latest first, with how many of their codes are `used`."""
    used = (
        CouponCode.objects.filter(batch=OuterRef("pk"), offer=OuterRef("offer"), used__gt=0)
        .order_by()
        .values("batch")
        .annotate(n=Count("pk"))
    )
    return batches_of(offer).annotate(used=Coalesce(Subquery(used.values("n")), 0))


def single_codes(offer: Offer) -> QuerySet[CouponCode]:
    """Codes that are of no batch: the one that everybody may type."""
    return CouponCode.objects.filter(offer=offer, batch=None).order_by("-id")


def code_file(tenant_id: uuid.UUID, batch_id: uuid.UUID) -> Iterator[str]:
    """The batch's codes as CSV, piece by piece, in a scope of its own: it outlives its request."""
    with tenant_scope(tenant_id):
        batch = CodeBatch.objects.get(pk=batch_id)
        headings = [_("Code"), _("Uses"), _("Most uses"), _("Last moment"), _("Taken back")]
        yield from write_csv(headings, _lines(batch))


def _lines(batch: CodeBatch) -> Iterator[list[Any]]:
    codes = CouponCode.objects.filter(batch=batch, offer=batch.offer_id).order_by("id")
    found = codes.values_list("code", "used", "max_uses", "expires_at", revoked_at())
    for code, used, most, expires, revoked in found.iterator(chunk_size=CHUNK):
        yield [
            code,
            used,
            "" if most is None else most,
            expires.isoformat() if expires else "",
            revoked.isoformat() if revoked else "",
        ]
