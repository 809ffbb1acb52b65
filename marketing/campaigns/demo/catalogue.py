"""What the demo chain sells, and how often."""

from decimal import Decimal

from customers.models import Service, ServiceCategory

WOMEN, MEN, EVERYONE = "women", "men", "everyone"

# Category, service, price in rupees, minutes, for whom, how often compared with the others.
MENU = (
    ("Hair", "Haircut, women", 900, 45, WOMEN, 14),
    ("Hair", "Haircut, men", 450, 30, MEN, 30),
    ("Hair", "Haircut, children", 350, 30, EVERYONE, 3),
    ("Hair", "Blow dry and style", 650, 40, WOMEN, 9),
    ("Hair", "Head massage", 550, 30, EVERYONE, 6),
    ("Hair", "Hair spa", 1400, 60, EVERYONE, 8),
    ("Hair", "Keratin treatment", 5500, 150, WOMEN, 2),
    ("Hair", "Hair smoothening", 6500, 180, WOMEN, 1),
    ("Colour", "Root touch-up", 1300, 60, WOMEN, 9),
    ("Colour", "Beard colour", 400, 20, MEN, 6),
    ("Colour", "Global colour", 3800, 120, WOMEN, 3),
    ("Colour", "Highlights", 4500, 150, WOMEN, 2),
    ("Colour", "Balayage", 7200, 180, WOMEN, 1),
    ("Skin", "Threading", 120, 15, WOMEN, 16),
    ("Skin", "Clean-up", 850, 40, EVERYONE, 7),
    ("Skin", "Fruit facial", 1500, 60, EVERYONE, 6),
    ("Skin", "Gold facial", 2600, 75, WOMEN, 3),
    ("Skin", "De-tan", 700, 30, EVERYONE, 6),
    ("Waxing", "Full arms waxing", 600, 30, WOMEN, 12),
    ("Waxing", "Full legs waxing", 850, 45, WOMEN, 9),
    ("Waxing", "Full body waxing", 2900, 120, WOMEN, 2),
    ("Nails", "Manicure", 700, 40, WOMEN, 7),
    ("Nails", "Pedicure", 900, 50, EVERYONE, 8),
    ("Nails", "Gel nail extensions", 2400, 90, WOMEN, 2),
    ("Beard", "Beard trim", 250, 20, MEN, 26),
    ("Beard", "Royal shave", 400, 30, MEN, 8),
    ("Spa", "Swedish massage, 60 minutes", 2200, 60, EVERYONE, 4),
    ("Spa", "Deep tissue massage, 90 minutes", 3400, 90, EVERYONE, 2),
    ("Spa", "Body polish", 3900, 90, WOMEN, 1),
    ("Bridal", "Party make-up", 3500, 75, WOMEN, 2),
    ("Bridal", "Bridal make-up", 18000, 180, WOMEN, 1),
)
# Name, months, rupees.
MEMBERSHIP_PLANS = (("Silver", 12), ("Gold", 12), ("Platinum", 24))
# Name, sessions, days it is valid.
PACKAGES = (
    ("5 hair spas", 5, 180),
    ("6 facials", 6, 240),
    ("8 massages", 8, 365),
    ("10 waxing sessions", 10, 365),
)


# Per cent of GST.
TAX_RATE = Decimal(18)


def make_catalogue() -> dict[str, Service]:
    """Make categories and services of the open tenant scope; returns services by name."""
    names = list(dict.fromkeys(entry[0] for entry in MENU))
    categories = {
        category.name: category
        for category in ServiceCategory.objects.bulk_create(
            ServiceCategory(external_id=f"CAT-{number:02}", name=name)
            for number, name in enumerate(names, 1)
        )
    }
    services = Service.objects.bulk_create(
        Service(
            external_id=f"SRV-{number:03}",
            category=categories[category],
            name=name,
            price=Decimal(price),
            tax_rate=TAX_RATE,
            duration_minutes=minutes,
        )
        for number, (category, name, price, minutes, _whom, _weight) in enumerate(MENU, 1)
    )
    return {service.name: service for service in services}


def menu_slots(services: dict[str, Service]) -> list[tuple[str, int, object, object, Decimal]]:
    """`(audience, slot, service id, category id, price)`: a slot each time a service is chosen.

    Slots are numbered from 0 for women and for men, from the cheapest service on.
    """
    rows: list[tuple[str, int, object, object, Decimal]] = []
    for audience in (WOMEN, MEN):
        chosen = [
            services[name]
            for _category, name, _price, _minutes, whom, weight in MENU
            if whom in (audience, EVERYONE)
            for _ in range(weight)
        ]
        chosen.sort(key=lambda service: (service.price, service.name))
        rows += [
            (audience, slot, service.pk, service.category_id, service.price)
            for slot, service in enumerate(chosen)
        ]
    return rows
