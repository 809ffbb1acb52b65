"""Codes given to everybody of a sending, one each, in a few statements, and taken back."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db import IntegrityError, connection, transaction

from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id
from marketing.coupons.code_symbols import printed, tails
from marketing.coupons.models import CodeBatch, Offer
from marketing.coupons.services.batches import begin_own_codes, revoke_batch
from marketing.coupons.services.prefixes import prefix_of

PART = 50_000
PEOPLE = "coupons_issued_to"
# In the order of their ids, as the indexes by customer want them.
CHOOSE = """
CREATE TEMPORARY TABLE {table} ON COMMIT DROP AS
SELECT id, row_number() OVER (ORDER BY id) AS place FROM ({people}) people
"""
ISSUE = f"""
INSERT INTO coupons_couponcode
    (tenant_id, offer_id, batch_id, customer_id, code, key, max_uses, expires_at,
     campaign_id, run_id)
SELECT batch.tenant_id, batch.offer_id, batch.id, she.id, drawn.code, drawn.key,
       batch.max_uses, batch.expires_at, batch.campaign_id, batch.run_id
FROM unnest(%(places)s::bigint[], %(codes)s::text[], %(keys)s::text[])
    AS drawn (place, code, key)
JOIN {PEOPLE} she ON she.place = drawn.place
CROSS JOIN coupons_codebatch batch
WHERE batch.id = %(batch)s AND batch.tenant_id = %(tenant)s
ORDER BY she.id
"""  # noqa: S608  constants of this module
# A code that exists already is not inserted: who got none by that is asked for again.
ISSUE_NEW = f"{ISSUE} ON CONFLICT DO NOTHING"
WITHOUT = f"""
SELECT she.place FROM {PEOPLE} she
WHERE she.place BETWEEN %(first)s AND %(last)s AND NOT EXISTS (
    SELECT FROM coupons_couponcode own
    WHERE own.tenant_id = %(tenant)s AND own.batch_id = %(batch)s AND own.customer_id = she.id)
"""  # noqa: S608  constants of this module
TAKE_BACK = """
DELETE FROM coupons_couponcode code
WHERE code.tenant_id = %(issue_tenant)s AND code.batch_id = %(issue_batch)s
  AND NOT EXISTS (SELECT FROM ({kept}) kept WHERE kept.customer_id = code.customer_id)
"""
# Its symbols are none of those that are ever drawn.
SAMPLE_TAIL = "SAMPLE000"
Sql = tuple[str, Mapping[str, Any]]


def sample_code(offer: Offer) -> str:
    """What stands for a person's code in previews and tests; it opens nothing, ever."""
    return printed(prefix_of(offer), SAMPLE_TAIL)


@transaction.atomic
def issue_to_people(
    *,
    actor: Actor,
    offer: Offer,
    people: Sql,
    campaign_id: uuid.UUID,
    run_id: uuid.UUID,
) -> CodeBatch:
    """Give everybody whose `id` the SQL `people` finds a code of her own; it is asked once.

    It holds as long as the offer does, for her alone, as often as the offer lets a customer.
    """
    actor.require("coupon.manage")
    batch = begin_own_codes(
        actor=actor,
        offer=offer,
        max_uses=offer.max_uses_per_customer,
        campaign_id=campaign_id,
        run_id=run_id,
    )
    sql, params = people
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{PEOPLE}")
        cursor.execute(CHOOSE.format(table=PEOPLE, people=sql), params)
        count: int = cursor.rowcount
        cursor.execute(f"ALTER TABLE {PEOPLE} ADD PRIMARY KEY (place)")
        cursor.execute(f"ANALYZE {PEOPLE}")
    for first in range(1, count + 1, PART):
        _issue_part(batch, first, min(first + PART - 1, count))
    batch.count = batch.made = count
    batch.save(update_fields=["count", "made"])
    return batch


def _issue_part(batch: CodeBatch, first: int, last: int) -> None:
    """Give the people from one place to another their codes."""
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "batch": batch.pk,
        "first": first,
        "last": last,
    }
    places = list(range(first, last + 1))
    with connection.cursor() as cursor:
        while places:
            # In order, as the index by key wants them; they are no less random.
            drawn = sorted(tails(len(places), batch.symbols))
            codes = {
                "places": places,
                "codes": [printed(batch.prefix, tail) for tail in drawn],
                "keys": [batch.prefix + tail for tail in drawn],
            }
            if _all_issued(values | codes):
                return
            cursor.execute(ISSUE_NEW, values | codes)
            cursor.execute(WITHOUT, values)
            places = [place for (place,) in cursor.fetchall()]


def _all_issued(values: Mapping[str, Any]) -> bool:
    """Insert the codes; False, and none of them, where one exists already, as one in millions does.

    To ask of each before it is inserted would take a sixth longer.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(ISSUE, values)
    except IntegrityError:
        return False
    return True


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

    What is reserved with one of them stays promised. One row a batch, however many codes.
    """
    actor.require("coupon.manage")
    batches = CodeBatch.objects.filter(run_id__in=run_ids).order_by("pk").select_for_update()
    return sum(
        revoke_batch(actor, batch, spares_used=True, told={"run": str(batch.run_id)})
        for batch in batches
    )
