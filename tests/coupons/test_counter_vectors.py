"""Public scenarios of limits, reservations and retries, as data, through the services."""

from pathlib import Path

import pytest
import yaml

from marketing.core.errors import DomainError
from marketing.coupons import selectors, services
from marketing.coupons.code_symbols import SYMBOLS
from marketing.coupons.models import CouponCode, OfferUse
from marketing.coupons.pricing.answer import Verdict
from marketing.coupons.pricing.wire import paise
from tests.factories.coupons import make_cart, make_offer, system
from tests.factories.customers import CustomerFactory

FILES = sorted((Path(__file__).parent / "vectors" / "counter").glob("*.yaml"))
ROWS = [row for path in FILES for row in yaml.safe_load(path.read_text())]


def as_typed(name, codes):
    """The code that a row names; behind `~` the symbol that was misread, counted from 1.

    What was misread is known by its name from then on.
    """
    of, _, place = name.partition("~")
    if place and name not in codes:
        symbols = codes[of].replace("-", "")
        right = symbols[int(place) - 1]
        wrong = SYMBOLS[(SYMBOLS.index(right) + 1) % len(SYMBOLS)]
        codes[name] = symbols[: int(place) - 1] + wrong + symbols[int(place) :]
    return codes.get(name, name)


class Till:
    """Plays a row's steps; `bill` names a bill through them."""

    def __init__(self, chain, row):
        self.branch = chain.north.pk
        self.she = CustomerFactory()
        self.offers = {name: make_offer(**body) for name, body in row["offers"].items()}
        self.codes = {}
        self.tokens = {}
        self.bills = 0
        for name, count in row.get("codes", {}).items():
            batch = services.make_codes(actor=system(), offer=self.offers[name], count=count)
            services.make_part(batch_id=batch.pk)
            made = CouponCode.objects.filter(batch=batch).order_by("pk")
            self.codes |= {f"{name}.{place}": code.code for place, code in enumerate(made)}
        for count in row.get("used", {}).values():
            for _ in range(count):
                self.sell({})

    def bill(self, step):
        self.bills += 1
        lines = step.get("lines") or [{"unitPrice": "100"}]
        return {
            "branch_id": self.branch,
            "customer_id": self.she.pk,
            "cart": make_cart(
                *lines, codes=[as_typed(code, self.codes) for code in step.get("codes", ())]
            ),
        }

    def quote(self, step):
        return {"quote": selectors.price_bill(**self.bill(step)).quote}

    def reserve(self, step):
        name = step.get("bill", f"bill-{self.bills}")
        reserved = services.reserve(actor=system(), key=name, **self.bill(step))
        self.tokens[name] = reserved.reservation.pk
        return {"quote": reserved.quote, "bill": name}

    def redeem(self, step):
        done = services.redeem(
            actor=system(),
            reservation_id=self.tokens[step["bill"]],
            invoice_id=step.get("invoice", step["bill"]),
        )
        applied = {row.offer_id for row in done.redemptions}
        return {"applied": applied, "repeated": done.repeated}

    def sell(self, step):
        reserved = self.reserve(step)
        return {**reserved, **self.redeem({"bill": reserved["bill"]})}

    def reverse(self, step):
        return {
            "reversal": services.reverse(
                actor=system(),
                branch_id=self.branch,
                invoice_id=step["bill"],
                operation=step["operation"],
                lines=step.get("lines"),
            )
        }

    def update(self, step):
        offer = self.offers[step["offer"]]
        services.update_offer(actor=system(), offer=offer, values=step["values"])
        return {}

    def uses(self, step):
        return {"use": OfferUse.objects.get(offer=self.offers[step["offer"]], branch=None)}


def seen(till, step):
    """All that a step may expect, as it came out."""
    try:
        out = getattr(till, step["do"])(step)
    except DomainError as error:
        return {"error": error.code}
    names = {offer.pk: name for name, offer in till.offers.items()}
    by_text = {str(pk): name for pk, name in names.items()}
    codes = {code: name for name, code in till.codes.items()}
    found = {"repeated": out.get("repeated")}
    if "quote" in out:
        quote = out["quote"]
        found["applied"] = sorted(by_text[one.offer] for one in quote.applied)
        found["discount"] = quote.discount
        found["blocked"] = {
            by_text[one.offer]: one.reasons[0].code.value
            for one in quote.decisions
            if one.verdict is Verdict.BLOCKED
        }
        found["refused"] = {
            codes.get(one.code, one.code): one.reasons[0].code.value
            for one in quote.codes
            if one.verdict is not Verdict.APPLIED
        }
    if "applied" in out:
        found["applied"] = sorted(names[pk] for pk in out["applied"])
    if "reversal" in out:
        given = out["reversal"].given_back
        found["given_back"] = {by_text[offer]: amount for offer, amount in given.items()}
    if "use" in out:
        found |= {"used": out["use"].used, "reserved": out["use"].reserved}
    return found


def expected_of(step):
    said = {"do", "bill", "codes", "lines", "operation", "invoice", "offer", "values"}
    expected = {key: value for key, value in step.items() if key not in said}
    if "discount" in expected:
        expected["discount"] = paise(expected["discount"], "")
    if "given_back" in expected:
        given = expected["given_back"]
        expected["given_back"] = {name: paise(amount, "") for name, amount in given.items()}
    return expected


@pytest.mark.parametrize(
    "row", ROWS, ids=[f"{row['id']} {row.get('case', '')}".strip() for row in ROWS]
)
def test_counter_does_as_the_row_says(chain, row):
    till = Till(chain, row)
    for step in row["steps"]:
        found, expected = seen(till, step), expected_of(step)
        assert {key: found.get(key) for key in expected} == expected, step
        assert "error" in expected or "error" not in found, found
