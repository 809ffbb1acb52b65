"""django-oscar in a process, an environment and a database of its own: vouchers tried and used.

    PYTHON bench/vouchers_peer.py TRIES ORDERS AUTOMATIC

Called as a library, without HTTP and session: a product, a voucher of a tenth off, and so many
offers that apply by themselves to a few of the shop's products each. To try is to put the voucher
into a basket and apply offers; to redeem is that and placing the order. On its last line it says
what it took. It imports nothing of ours.
"""

import datetime as dt
import json
import os
import random
import sys
import time
from decimal import Decimal
from functools import cache
from typing import Any

DATABASE = "parlour_bench_oscar"
DASHBOARDS = (
    "reports users orders catalogue offers partners pages ranges reviews vouchers communications"
    " shipping"
)
APPS = (
    "analytics checkout address shipping catalogue catalogue.reviews communication partner basket"
    " payment offer order customer search voucher wishlists dashboard"
)
SEARCH = "haystack.backends.simple_backend.SimpleEngine"
# What a shop's offers ask for and give, in turn.
PRODUCTS = 60
CONDITIONS: tuple[dict[str, Any], ...] = (
    {"type": "Count", "value": 1},
    {"type": "Value", "value": 500},
    {"type": "Count", "value": 2},
)
BENEFITS: tuple[dict[str, Any], ...] = (
    {"type": "Percentage", "value": 10},
    {"type": "Absolute", "value": 200},
    {"type": "Multibuy"},
    {"type": "Fixed price", "value": 299},
)


def main() -> None:
    tries, orders, automatic = map(int, sys.argv[1:])
    _set_up()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    products, voucher = _goods(automatic)
    rnd = random.Random(5)
    for number in range(20):
        _order(_basket(rnd.choice(products), voucher), f"{os.getpid()}-first-{number}")
    begun, cpu = time.perf_counter(), time.process_time()
    for _ in range(tries):
        _basket(rnd.choice(products), voucher)
    told = {"validate_s": time.perf_counter() - begun, "validate_cpu": time.process_time() - cpu}
    begun, cpu = time.perf_counter(), time.process_time()
    for number in range(orders):
        _order(_basket(rnd.choice(products), voucher), f"{os.getpid()}-{number}")
    told |= {"redeem_s": time.perf_counter() - begun, "redeem_cpu": time.process_time() - cpu}
    print(json.dumps(told))


def _set_up() -> None:
    import django
    from django.conf import settings
    from oscar import defaults  # type: ignore[import-not-found]
    from psycopg.conninfo import conninfo_to_dict

    server: dict[str, Any] = conninfo_to_dict(os.environ["DATABASE_ADMIN_URL"])
    contrib = ("admin", "auth", "contenttypes", "sessions", "messages", "sites", "flatpages")
    options = {name: getattr(defaults, name) for name in dir(defaults) if name.startswith("OSCAR")}
    settings.configure(
        **options,
        SECRET_KEY="bench",
        SITE_ID=1,
        ROOT_URLCONF="oscar.urls",
        INSTALLED_APPS=[
            *(f"django.contrib.{name}" for name in contrib),
            "oscar.config.Shop",
            *(_config(f"oscar.apps.{name}") for name in APPS.split()),
            *(_config(f"oscar.apps.dashboard.{name}") for name in DASHBOARDS.split()),
            "widget_tweaks",
            "haystack",
            "treebeard",
            "django_tables2",
        ],
        HAYSTACK_CONNECTIONS={"default": {"ENGINE": SEARCH}},
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": DATABASE,
                "HOST": server.get("host", ""),
                "PORT": server.get("port", ""),
                "USER": server.get("user", ""),
                "PASSWORD": server.get("password", ""),
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()


def _config(name: str) -> str:
    """The application's configuration, which oscar names after it."""
    *_, of, last = name.split(".")
    words = (last, of) if of == "dashboard" else (of, last) if of == "catalogue" else (last,)
    return f"{name}.apps.{''.join(word.capitalize() for word in words)}Config"


def _goods(automatic: int) -> tuple[list[Any], Any]:
    """The products and the voucher, beside so many offers that need none."""
    from django.utils import timezone
    from oscar.core.loading import get_model  # type: ignore[import-not-found]

    def make(app: str, model: str, **values: Any) -> Any:
        return get_model(app, model).objects.create(**values)

    name = f"{os.getpid()}"
    kind = make("catalogue", "ProductClass", name=name, track_stock=False, requires_shipping=False)
    partner = make("partner", "Partner", name="Salon")
    products = []
    for number in range(PRODUCTS if automatic else 1):
        each = make("catalogue", "Product", product_class=kind, title="Haircut",
                    slug=f"{name}-{number}")  # fmt: skip
        make("partner", "StockRecord", product=each, partner=partner,
             partner_sku=f"{name}-{number}", price=Decimal(850), price_currency="GBP")  # fmt: skip
        products.append(each)

    def offer(title: str, kind: str, goods: Any, condition: dict[str, Any], benefit: Any) -> Any:
        return make(
            "offer",
            "ConditionalOffer",
            name=title,
            slug=title,
            offer_type=kind,
            condition=make("offer", "Condition", range=goods, **condition),
            benefit=make("offer", "Benefit", range=goods, **benefit),
        )

    # Of an earlier pair: its offers would apply here too.
    get_model("offer", "ConditionalOffer").objects.filter(offer_type="Site").delete()
    rnd = random.Random(1)
    for number in range(automatic):
        title = f"{name}-{number}"
        goods = make("offer", "Range", name=title, slug=title)
        for each in rnd.sample(products, rnd.randint(2, 15)):
            goods.add_product(each)
        condition = CONDITIONS[number % len(CONDITIONS)]
        offer(title, "Site", goods, condition, BENEFITS[number % len(BENEFITS)])
    everything = make("offer", "Range", name=name, slug=name, includes_all_products=True)
    tenth = offer(name, "Voucher", everything, CONDITIONS[0], BENEFITS[0])
    now = timezone.now()
    voucher = make(
        "voucher",
        "Voucher",
        name=name,
        code=name,
        usage="Multi-use",
        start_datetime=now - dt.timedelta(days=1),
        end_datetime=now + dt.timedelta(days=1),
    )
    voucher.offers.add(tenth)
    return products, voucher


@cache
def _somebody() -> Any:
    """Applying vouchers needs a user."""
    from django.contrib.auth.models import User

    return User.objects.create(username=f"{os.getpid()}")


def _basket(product: Any, voucher: Any) -> Any:
    from oscar.core.loading import get_class, get_model

    basket = get_model("basket", "Basket").objects.create(owner=_somebody())
    basket.strategy = get_class("partner.strategy", "Selector")().strategy()
    basket.add_product(product, 1)
    basket.vouchers.add(voucher)
    get_class("offer.applicator", "Applicator")().apply(basket, user=basket.owner)
    if not basket.total_discount:
        raise RuntimeError("the voucher gave nothing")
    return basket


def _order(basket: Any, number: str) -> None:
    from oscar.core.loading import get_class
    from oscar.core.prices import Price  # type: ignore[import-not-found]

    free = Price(currency=basket.currency, excl_tax=Decimal(0), tax=Decimal(0))
    get_class("order.utils", "OrderCreator")().place_order(
        basket=basket,
        total=get_class("checkout.calculators", "OrderTotalCalculator")().calculate(basket, free),
        shipping_method=get_class("shipping.methods", "Free")(),
        shipping_charge=free,
        order_number=number,
        user=basket.owner,
    )
    basket.submit()


if __name__ == "__main__":
    main()
