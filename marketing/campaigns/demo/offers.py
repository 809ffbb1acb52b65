"""The demo's offers, with codes of their own and a few bills on which they were used."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from customers.models import Customer, Service
from marketing.campaigns.demo.organisation import Organisation
from marketing.core.actor import Actor
from marketing.coupons import services as coupons
from marketing.coupons.pricing.bill import Cart, CartLine

# One of each that people ask about first; days are counted from today.
OFFERS: tuple[tuple[int | None, int | None, Mapping[str, Any]], ...] = (
    (
        None,
        None,
        {
            "name": "Welcome",
            "description": "For the first visit",
            "discountType": "percentage",
            "discountValue": "20",
            "code": "WELCOME20",
            "nthVisit": 1,
            "maxDiscountAmount": "500",
        },
    ),
    (
        -20,
        40,
        {
            "name": "Midweek colour",
            "discountType": "percentage",
            "discountValue": "15",
            "automatic": True,
            "stacking": "invoice",
            "tags": ["midweek"],
            "hours": [
                {"from": "11:00", "until": "16:00", "weekdays": ["tuesday", "wednesday"]},
            ],
        },
    ),
    (
        -30,
        None,
        {
            "name": "Rupees back",
            "discountType": "flat",
            "discountValue": "150",
            "automatic": True,
            "stacking": "item",
            "minOrderAmount": "1500",
            "budget": "50000",
        },
    ),
    (
        None,
        60,
        {
            "name": "Card for good neighbours",
            "discountType": "flat",
            "discountValue": "250",
            "minOrderAmount": "1000",
            "maxUsesPerCustomer": 1,
        },
    ),
    (
        -90,
        -30,
        {
            "name": "Monsoon glow",
            "discountType": "percentage",
            "discountValue": "10",
            "automatic": True,
        },
    ),
)
BILLS = 6
CARDS = 40


def make_offers(
    organisation: Organisation, services: Mapping[str, Service], now: dt.datetime
) -> None:
    """Offers of the owner; a batch of cards, and bills of some customers at the first branch."""
    owner = Actor.for_staff(organisation.owner)
    made = {}
    for begins, ends, body in OFFERS:
        days = {"validFrom": begins, "validUntil": ends}
        dated = {
            name: (now + dt.timedelta(days=far)).date().isoformat()
            for name, far in days.items()
            if far is not None
        }
        more = {"categoryIds": [_category(services)]} if "Midweek" in body["name"] else {}
        made[body["name"]] = coupons.create_offer(actor=owner, body={**body, **dated, **more})
    cards = coupons.make_codes(
        actor=owner, offer=made["Card for good neighbours"], count=CARDS, prefix="CARD",
        name="Printed for Bandra",
    )  # fmt: skip
    coupons.make_part(batch_id=cards.pk)
    _sell(organisation, services, now)


def _category(services: Mapping[str, Service]) -> str:
    return str(services["Root touch-up"].category_id)


def _sell(organisation: Organisation, services: Mapping[str, Service], now: dt.datetime) -> None:
    branch = organisation.branches[0]
    spa = services["Hair spa"]
    for number, customer in enumerate(Customer.objects.order_by("external_id", "pk")[:BILLS], 1):
        coupons.redeem_bill(
            actor=Actor.for_staff(organisation.owner),
            branch_id=branch.pk,
            customer_id=customer.pk,
            cart=Cart(
                branch=str(branch.pk),
                at=now,
                timezone=branch.time_zone,
                lines=(
                    CartLine(
                        number=1,
                        service=str(spa.pk),
                        category=str(spa.category_id),
                        quantity=2,
                        unit_price=int(spa.price * 100),
                    ),
                ),
            ),
            invoice_id=f"DEMO-{number:03}",
        )
