"""Codes given to everybody of a sending, one each: in one statement, and taken back likewise."""

import unicodedata
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db import connection, transaction

from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed
from marketing.core.tenancy import current_tenant_id
from marketing.coupons.code_symbols import SYMBOLS, printed, tails
from marketing.coupons.models import CodeBatch, CouponCode, Offer
from marketing.coupons.services.batches import begin_batch

# As many people as codes were drawn. A code that exists already is not inserted: who got none by
# that is counted, and asked for again.
ISSUE = """
WITH she AS MATERIALIZED (
    SELECT people.id, row_number() OVER () AS place FROM ({people}) people {without}
), made AS (
    INSERT INTO coupons_couponcode
        (tenant_id, offer_id, batch_id, customer_id, code, key, max_uses, expires_at,
         campaign_id, run_id)
    SELECT batch.tenant_id, batch.offer_id, batch.id, she.id, drawn.code, drawn.key,
           batch.max_uses, batch.expires_at, batch.campaign_id, batch.run_id
    FROM she
    JOIN unnest(%(issue_codes)s::text[], %(issue_keys)s::text[]) WITH ORDINALITY
        AS drawn (code, key, place) ON drawn.place = she.place
    CROSS JOIN coupons_codebatch batch
    WHERE batch.id = %(issue_batch)s AND batch.tenant_id = %(issue_tenant)s
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT (SELECT count(*) FROM she), (SELECT count(*) FROM made)
"""
WITHOUT = """
    WHERE NOT EXISTS (
        SELECT FROM coupons_couponcode own
        WHERE own.tenant_id = %(issue_tenant)s AND own.batch_id = %(issue_batch)s
          AND own.customer_id = people.id)
"""
TAKE_BACK = """
DELETE FROM coupons_couponcode code
WHERE code.tenant_id = %(issue_tenant)s AND code.batch_id = %(issue_batch)s
  AND NOT EXISTS (SELECT FROM ({kept}) kept WHERE kept.customer_id = code.customer_id)
"""
LONGEST_PREFIX = 4
NO_NAME = "GIFT"
# Its symbols are none of those that are ever drawn.
SAMPLE_TAIL = "SAMPLE000"
Sql = tuple[str, Mapping[str, Any]]


def prefix_of(offer: Offer) -> str:
    """What the offer's own codes begin with: some letters of its code, or of its name."""
    plain = unicodedata.normalize("NFKD", (offer.code or offer.name).upper())
    letters = "".join(sign for sign in plain if sign in SYMBOLS and sign.isalpha())
    return letters[:LONGEST_PREFIX] if len(letters) > 1 else NO_NAME


def sample_code(offer: Offer) -> str:
    """What stands for a person's code in previews and tests; it opens nothing, ever."""
    return printed(prefix_of(offer), SAMPLE_TAIL)


@transaction.atomic
def issue_to_people(
    *,
    actor: Actor,
    offer: Offer,
    people: Sql,
    at_most: int,
    campaign_id: uuid.UUID,
    run_id: uuid.UUID,
) -> CodeBatch:
    """Give everybody whose `id` the SQL `people` finds, `at_most` so many, a code of her own.

    It holds as long as the offer does, for her alone, as often as the offer lets a customer.
    """
    actor.require("coupon.manage")
    batch = _begin(actor, offer, campaign_id, run_id)
    sql, params = people
    wanted, made = at_most, 0
    while wanted:
        drawn = tails(wanted, batch.symbols)
        with connection.cursor() as cursor:
            cursor.execute(
                ISSUE.format(people=sql, without=WITHOUT if made else ""),
                {
                    **params,
                    "issue_tenant": current_tenant_id(),
                    "issue_batch": batch.pk,
                    "issue_codes": [printed(batch.prefix, tail) for tail in drawn],
                    "issue_keys": [batch.prefix + tail for tail in drawn],
                },
            )
            without, inserted = cursor.fetchone()
        made += inserted
        wanted = without - inserted
    batch.count = batch.made = made
    batch.save(update_fields=["count", "made"])
    return batch


@transaction.atomic
def take_back_codes(*, batch: CodeBatch, kept: Sql) -> int:
    """Unmake the codes, in the transaction that issued them, of everybody whose `customer_id` the
    SQL `kept` does not find; how many.
    """
    sql, params = kept
    with connection.cursor() as cursor:
        cursor.execute(
            TAKE_BACK.format(kept=sql),
            {**params, "issue_tenant": current_tenant_id(), "issue_batch": batch.pk},
        )
        gone: int = cursor.rowcount
    batch.count -= gone
    batch.made -= gone
    batch.save(update_fields=["count", "made"])
    return gone


@transaction.atomic
def revoke_unused_codes(*, actor: Actor, run_ids: Collection[uuid.UUID]) -> int:
    """Let what these sendings issued and nobody used open nothing any more; how many codes.

    What is reserved with one of them stays promised.
    """
    actor.require("coupon.manage")
    batches = list(CodeBatch.objects.filter(run_id__in=run_ids).order_by("pk").select_for_update())
    for batch in batches:
        batch.state = CodeBatch.State.REVOKED
        batch.save(update_fields=["state"])
        audit.record(actor, "coupon.revoke_batch", batch, {"run": str(batch.run_id)})
    unused = CouponCode.objects.filter(batch__in=batches, used=0, reserved=0, revoked_at=None)
    return unused.update(revoked_at=clock.now()) if batches else 0


def _begin(actor: Actor, offer: Offer, campaign_id: uuid.UUID, run_id: uuid.UUID) -> CodeBatch:
    """A batch whose codes nobody takes for a code that was typed: under another prefix if need be.

    Raises `ValidationFailed` when a code of the chain looks like each of them.
    """
    prefix = prefix_of(offer)
    for last in ("", *SYMBOLS):
        batch = CodeBatch(
            prefix=prefix + last,
            count=0,
            state=CodeBatch.State.DONE,
            max_uses=offer.max_uses_per_customer,
            campaign_id=campaign_id,
            run_id=run_id,
        )
        try:
            return begin_batch(actor, offer, batch)
        except ValidationFailed as error:
            refusal = error
    raise refusal
