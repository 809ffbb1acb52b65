"""Who holds a code of which batch, copied beside people's facts: a batch after its issue, in parts.

Where hundred thousands get codes in a freeze, nobody waits for their facts. Until a batch is
copied, rules are counted by the codes themselves (`marketing/coupons/held.py`).
"""

from django.db import transaction

from customers import facts
from marketing.coupons.models import CodeBatch, CouponCode

PART = 5_000


@transaction.atomic
def copy_next_part() -> bool:
    """Copy the next people of the oldest batch that nobody copies; whether there was one."""
    waiting = CodeBatch.objects.filter(is_copied=False).order_by("pk")
    batch = waiting.select_for_update(skip_locked=True, of=("self",)).first()
    if batch is None:
        return False
    codes = CouponCode.objects.filter(batch=batch, customer__isnull=False)
    if batch.copied_to is not None:
        codes = codes.filter(customer_id__gt=batch.copied_to)
    holders = list(codes.order_by("customer_id").values_list("customer_id", flat=True)[:PART])
    batch.is_copied = len(holders) < PART
    batch.copied_to = holders[-1] if holders else batch.copied_to
    # Before the copying, which asks how far the batch is copied.
    batch.save(update_fields=["is_copied", "copied_to"])
    if holders:
        facts.copy_again(holders, "codes_held")
    return True
