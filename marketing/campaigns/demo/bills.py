"""Bills at the counter of the demo's first branch, by the services that take real ones."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from django.db.models import F

from customers.models import Customer, Service
from customers.rules import bill_key
from customers.services import BillLine, record_purchase
from marketing.campaigns.demo.catalogue import TAX_RATE
from marketing.campaigns.demo.organisation import Organisation
from marketing.core.actor import Actor
from marketing.coupons import services as coupons
from marketing.coupons.models import Redemption, Reservation
from marketing.coupons.pricing.bill import Cart, CartLine, EnteredCode
from marketing.coupons.selectors.replay import kept_quote

Lines = Sequence[tuple[Service, int]]


def sell(
    organisation: Organisation,
    customer: Customer,
    lines: Lines,
    invoice_id: str,
    now: dt.datetime,
    codes: Sequence[str] = (),
    ago: dt.timedelta = dt.timedelta(),
) -> None:
    """A bill priced and redeemed as the counter does it, and the visit on which it was paid.

    It was so long `ago`; its points are of now.
    """
    branch = organisation.branches[0]
    redeemed = coupons.redeem_bill(
        actor=Actor.for_staff(organisation.owner),
        branch_id=branch.pk,
        customer_id=customer.pk,
        cart=Cart(
            branch=str(branch.pk),
            at=now,
            timezone=branch.time_zone,
            lines=tuple(
                CartLine(
                    number=number,
                    service=str(service.pk),
                    category=str(service.category_id),
                    quantity=quantity,
                    unit_price=int(service.price * 100),
                    tax_rate_bp=int(TAX_RATE * 100),
                )
                for number, (service, quantity) in enumerate(lines, 1)
            ),
            codes=tuple(EnteredCode(code=code) for code in codes),
        ),
        invoice_id=invoice_id,
    )
    _record(organisation, customer, lines, redeemed.reservation, now - ago)
    _put_back(invoice_id, ago)


def _record(
    organisation: Organisation,
    customer: Customer,
    lines: Lines,
    reservation: Reservation,
    at: dt.datetime,
) -> None:
    branch, quote = organisation.branches[0], kept_quote(reservation)
    listed = sum(line.listed for line in quote.lines)
    record_purchase(
        actor=Actor.for_staff(organisation.owner),
        customer=customer,
        branch=branch,
        purchased_at=at,
        lines=[
            BillLine(
                service=service,
                unit_price=service.price,
                amount=_rupees(line.net),
                quantity=quantity,
                number=line.number,
                discount=_rupees(line.listed - line.net),
            )
            for line, (service, quantity) in zip(quote.lines, lines, strict=True)
        ],
        subtotal=_rupees(listed),
        discount=_rupees(listed - quote.payable),
        tax=_rupees(quote.tax),
        total=_rupees(quote.payable),
        external_id=bill_key(branch.pk, reservation.invoice_id),
        invoice_number=reservation.invoice_id,
    )


def _put_back(invoice_id: str, by: dt.timedelta) -> None:
    """The bill was so long ago; what it used counts since."""
    Reservation.objects.filter(invoice_id=invoice_id).update(
        redeemed_at=F("redeemed_at") - by,
        reserved_at=F("reserved_at") - by,
        expires_at=F("expires_at") - by,
        local_day=F("local_day") - by,
    )
    Redemption.objects.filter(invoice_id=invoice_id).update(
        redeemed_at=F("redeemed_at") - by, local_day=F("local_day") - by
    )


def _rupees(paise: int) -> Decimal:
    return Decimal(paise) / 100
