"""Reads the vectors and prices them with the engine; `tests/coupons/vectors/README.md`."""

from pathlib import Path

import yaml

from marketing.coupons.pricing.bill import EnteredCode
from marketing.coupons.pricing.compiled import Catalogue
from marketing.coupons.pricing.engine import quote
from marketing.coupons.pricing.facts import (
    Choice,
    Customer,
    OfferUsage,
    Settings,
    TaxRounding,
)
from marketing.coupons.pricing.wire import paise, read_cart, read_offer

DEFAULTS = {"branchId": "main", "at": "2026-03-04T10:00:00+05:30"}  # a Wednesday
FILES = sorted((Path(__file__).parent.parent / "vectors").glob("*.yaml"))


def rows():
    return [row for path in FILES for row in yaml.safe_load(path.read_text())]


def name_of(row):
    return f"{row['id']} {row.get('case', '')}".strip()


def price(row):
    codes = {body["code"]: name for name, body in row["offers"].items() if "code" in body}
    settings = row.get("settings", {})
    return quote(
        read_cart(
            {**DEFAULTS, **row.get("cart", {}), "lines": row["lines"]},
            timezone="Asia/Kolkata",
            codes=[
                EnteredCode(code=code, offer=codes.get(code, "")) for code in row.get("codes", [])
            ],
        ),
        Catalogue(read_offer(body, offer=name) for name, body in row["offers"].items()),
        customer=Customer(id="she", visits=row.get("customer", {}).get("visits", 2)),
        usage={
            name: OfferUsage(spent=paise(used["spent"], "spent"))
            for name, used in row.get("usage", {}).items()
        },
        settings=Settings(
            choice=Choice(settings.get("choice", "best_deal")),
            tax_rounding=TaxRounding(settings.get("taxRounding", "line")),
        ),
    )
