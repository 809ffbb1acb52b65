"""Offers and bills of the open tenant scope, through the services."""

import datetime as dt
import itertools
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id
from marketing.coupons import services
from marketing.coupons.models import Offer
from marketing.coupons.pricing.bill import Cart, EnteredCode
from marketing.coupons.pricing.wire import read_cart

_numbers = itertools.count(1)


def system() -> Actor:
    """Parlour itself, which may do everything."""
    return Actor.system(current_tenant_id())


def make_offer(**body: Any) -> Offer:
    """A tenth off for everybody who types nothing; `code="TENTH"` makes it one to be typed.

    Stacks on each line and has no limits, unless the body says otherwise.
    """
    fields: dict[str, Any] = {
        "name": f"Offer {next(_numbers)}",
        "discountType": "percentage",
        "discountValue": "10",
        "automatic": "code" not in body,
        "allowStacking": True,
        "maxUsesPerCustomer": None,
        **body,
    }
    return services.create_offer(actor=system(), body=fields)


def make_cart(
    *lines: str | Mapping[str, Any], codes: Sequence[str] = (), at: dt.datetime | None = None
) -> Cart:
    """A bill of now: a price by itself is one unit of a service of its own."""
    bodies = [
        {"serviceId": f"service-{place}", "unitPrice": line} if isinstance(line, str) else line
        for place, line in enumerate(lines or ("100.00",), start=1)
    ]
    body = {
        "branchId": "",
        "at": (at or clock.now()).isoformat(),
        "lines": [{"serviceId": "service", **line} for line in bodies],
    }
    return read_cart(
        body, timezone="Asia/Kolkata", codes=[EnteredCode(code=code) for code in codes]
    )


def reserve(branch: Any, *lines: Any, customer: Any = None, **options: Any) -> Any:
    """Reserve a bill under a key of its own, unless `key` says otherwise."""
    codes = options.pop("codes", ())
    return services.reserve(
        actor=system(),
        branch_id=branch.pk,
        customer_id=customer and customer.pk,
        cart=make_cart(*lines, codes=codes),
        **{"key": f"bill-{next(_numbers)}", **options},
    )


def sell(branch: Any, *lines: Any, customer: Any = None, **options: Any) -> Any:
    """Reserve and redeem a bill; `invoice_id` is its own unless given, and `actor` the system."""
    actor = options.pop("actor", None) or system()
    invoice = options.pop("invoice_id", f"invoice-{next(_numbers)}")
    reserved = reserve(branch, *lines, customer=customer, **options)
    return services.redeem(actor=actor, reservation_id=reserved.reservation.pk, invoice_id=invoice)


def new_id() -> uuid.UUID:
    """Somebody who is not there."""
    return uuid.uuid4()
