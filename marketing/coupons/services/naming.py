"""A paid bill of nobody known: who she is, said later."""

import uuid

from django.db import transaction

from marketing.core import audit
from marketing.core.actor import Actor
from marketing.coupons.models import Reservation
from marketing.coupons.selectors.replay import kept_bill
from marketing.coupons.services.bills import require_branch, stand_for
from marketing.coupons.services.locks import counter_call
from marketing.coupons.services.redemptions import commit_effects


@transaction.atomic
def name_customer(
    *, actor: Actor, reservation: Reservation, customer_id: uuid.UUID, wallet: int = 0
) -> Reservation | None:
    """The redeemed bill is hers from now on: effects take part as if she had been named then.

    What offers gave stays as it was, counted for nobody. One that is somebody's already comes back
    as it is; None where units came back before she was named: it stays nobody's.
    """
    require_branch(actor, reservation.branch_id)
    with counter_call():
        bill = Reservation.objects.select_for_update().get(pk=reservation.pk)
        if bill.customer_id is not None:
            return bill
        if any(line["back"] for line in bill.sold.values()):
            return None
        bill.customer_id = stand_for(customer_id)
        bill.effects = bill.effects | commit_effects(
            bill, kept_bill(bill), by=actor.label, wallet=wallet
        )
        bill.save(update_fields=["customer_id", "effects"])
        audit.record(actor, "coupon.name_customer", bill, {"invoiceId": bill.invoice_id})
    return bill
