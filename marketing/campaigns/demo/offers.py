"""The demo's offers, with codes of their own and a few bills on which they were used."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from customers.models import Customer, Service
from marketing.campaigns.demo.bills import sell
from marketing.campaigns.demo.organisation import Organisation
from marketing.core.actor import Actor
from marketing.coupons import services as coupons
from marketing.coupons.models import CouponCode

# One of each kind; days are counted from today, services and categories called by their names.
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
    (
        None,
        None,
        {
            "name": "Cut and spa together",
            "discountType": "bundle",
            "discountValue": "1999",
            "automatic": True,
            "stacking": "item",
            "bundle": {"parts": [{"services": "Haircut, women"}, {"services": "Hair spa"}]},
        },
    ),
    (
        None,
        None,
        {
            "name": "Third waxing free",
            "discountType": "buy_x_get_y",
            "automatic": True,
            "stacking": "item",
            "categories": "Waxing",
            "buyGet": {"buyQuantity": 2, "getQuantity": 1},
        },
    ),
    (
        -10,
        50,
        {
            "name": "Head massage with any colour",
            "discountType": "free_service",
            "automatic": True,
            "stacking": "item",
            "services": "Head massage",
            "requires": {"categories": "Colour"},
        },
    ),
    (
        None,
        None,
        {
            "name": "Manicure for 499",
            "discountType": "fixed_price",
            "discountValue": "499",
            "automatic": True,
            "stacking": "item",
            "services": "Manicure",
            "hours": [
                {"from": "10:00", "until": "13:00", "weekdays": ["monday", "tuesday", "thursday"]},
            ],
        },
    ),
    (
        None,
        30,
        {
            "name": "The more, the better",
            "discountType": "spend_tiers",
            "automatic": True,
            "stacking": "invoice",
            "tiers": [
                {"from": "4000", "amount": "300"},
                {"from": "7000", "amount": "700"},
            ],
        },
    ),
    (
        0,
        1,
        {
            "name": "Flash: 15% off skin",
            "discountType": "percentage",
            "discountValue": "15",
            "automatic": True,
            "stacking": "item",
            "categories": "Skin",
            "maxTotalUses": 100,
        },
    ),
)
# Of each bill: its services, and whether a card is used; the last of them are of today.
BASKETS: tuple[tuple[tuple[str, int], ...], ...] = (
    (("Hair spa", 2),),
    (("Haircut, women", 1), ("Hair spa", 1)),
    (("Full arms waxing", 3),),
    (("Global colour", 1), ("Head massage", 1)),
    (("Keratin treatment", 1),),
    (("Haircut, women", 1), ("Root touch-up", 1), ("Head massage", 1)),
)
BILLS = 12
BILLS_OF_TODAY = 3
DAYS_APART = 2
CARDS = 40


def make_offers(
    organisation: Organisation, services: Mapping[str, Service], now: dt.datetime
) -> None:
    """Offers of the owner; a batch of cards, and bills of some weeks at the first branch."""
    owner = Actor.for_staff(organisation.owner)
    made = {}
    for begins, ends, body in OFFERS:
        days = {"validFrom": begins, "validUntil": ends}
        dated = {
            name: (now + dt.timedelta(days=far)).date().isoformat()
            for name, far in days.items()
            if far is not None
        }
        more = {"categories": "Colour"} if "Midweek" in body["name"] else {}
        whole = _by_id({**body, **more}, services)
        made[body["name"]] = coupons.create_offer(actor=owner, body={**whole, **dated})
    cards = coupons.make_codes(
        actor=owner, offer=made["Card for good neighbours"], count=CARDS, prefix="CARD",
        name="Printed for Bandra",
    )  # fmt: skip
    coupons.make_part(batch_id=cards.pk)
    _sell(organisation, services, now)


def _by_id(body: Mapping[str, Any], services: Mapping[str, Service]) -> dict[str, Any]:
    """The body with ids where it says names."""
    told: dict[str, Any] = {}
    for name, value in body.items():
        match name, value:
            case "services", str():
                told["serviceIds"] = [str(services[value].pk)]
            case "categories", str():
                of = (each for each in services.values() if each.category.name == value)
                told["categoryIds"] = [str(next(of).category_id)]
            case "bundle", _:
                told[name] = {"parts": [_by_id(part, services) for part in value["parts"]]}
            case "requires", _:
                told[name] = _by_id(value, services)
            case _:
                told[name] = value
    return told


def _sell(organisation: Organisation, services: Mapping[str, Service], now: dt.datetime) -> None:
    cards = list(CouponCode.objects.order_by("pk").values_list("code", flat=True)[:BILLS])
    longest = dt.timedelta(days=BILLS * DAYS_APART)
    people = Customer.objects.filter(
        facts__visit_count__gt=1, facts__first_visit_at__lt=now - longest
    ).order_by("external_id", "pk")
    for number, customer in enumerate(people[:BILLS], 1):
        basket = BASKETS[number % len(BASKETS)]
        lines = [(services[name], quantity) for name, quantity in basket]
        invoice = f"DEMO-{number:03}"
        codes = cards[number : number + number % 2]
        days = max(0, BILLS - BILLS_OF_TODAY - number) * DAYS_APART
        sell(organisation, customer, lines, invoice, now, codes, dt.timedelta(days=days))
