"""The public scenarios of other engines once more, through the counter's own calls."""

import datetime as dt
from contextlib import contextmanager

import pytest
from django.db import transaction

from customers.models import Service, ServiceCategory
from marketing.core import clock
from marketing.core.errors import DomainError
from marketing.coupons import services
from marketing.coupons.models import CouponCode, OfferUse
from tests.billing_bridge.till import Refused, cents, rupees
from tests.coupons.pricing.vectors import DEFAULTS, name_of, rows
from tests.coupons.test_counter_vectors import ROWS as COUNTER_ROWS
from tests.coupons.test_counter_vectors import as_typed
from tests.factories.coupons import make_offer, system
from tests.factories.customers import CustomerFactory, PurchaseFactory

PRICED = [row for row in rows() if "rule" not in row]
# An automatic offer that is over for days is not named any more: the engine never sees it.
NOT_NAMED = {"J01 after"}


@contextmanager
def undone():
    """What a row did is gone before the next."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def make_services(found):
    """(service, category) to the service, made in two statements."""
    categories = {category for _service, category in found}
    made = ServiceCategory.objects.bulk_create(
        ServiceCategory(external_id=name, name=name) for name in sorted(categories)
    )
    by_name = {category.name: category for category in made}
    pairs = sorted(found)
    made = Service.objects.bulk_create(
        Service(external_id="/".join(pair), name=pair[0], category=by_name[pair[1]], price=1)
        for pair in pairs
    )
    return dict(zip(pairs, made, strict=True))


def pair_of(line):
    return line["serviceId"], line.get("categoryId", "other")


def with_ids(body, names):
    """An offer's body with the ids of services and categories for their names."""
    if isinstance(body, list):
        return [with_ids(each, names) for each in body]
    if not isinstance(body, dict):
        return body
    out = {}
    for key, value in body.items():
        if key.endswith(("serviceIds", "ServiceIds", "categoryIds", "CategoryIds")):
            value = [names[name] for name in value if name in names]
        elif key == "freeServiceId":
            value = names[value]
        out[key] = with_ids(value, names)
    return out


class Counter:
    """Prices a row over HTTP."""

    def __init__(self, till, made, monkeypatch):
        self.till, self.made, self.monkeypatch = till, made, monkeypatch
        self.she = CustomerFactory()
        for _ in range(2):
            PurchaseFactory(customer=self.she, branch=till.branch, lines=0)

    def price(self, row):
        row_services = {pair[0]: self.made[pair] for pair in map(pair_of, row["lines"])}
        names = {name: str(service.pk) for name, service in row_services.items()}
        categories = {pair_of(line)[1]: self.made[pair_of(line)] for line in row["lines"]}
        names |= {name: str(service.category_id) for name, service in categories.items()}
        cart = DEFAULTS | row.get("cart", {})
        self.set_up(row, cart["at"])
        offers = {
            name: services.create_offer(
                actor=system(), body={"name": name, **with_ids(body, names)}
            )
            for name, body in row["offers"].items()
        }
        for name, used in row.get("usage", {}).items():
            OfferUse.objects.update_or_create(
                offer=offers[name], branch=None, defaults={"spent": cents(used["spent"])}
            )
        lines = [
            {key: value for key, value in line.items() if key != "categoryId"}
            | {"serviceId": names[line["serviceId"]]}
            for line in row["lines"]
        ]
        self.till.services |= {pk: pk for pk in names.values()}
        body = {key: value for key, value in cart.items() if key != "branchId"}
        return offers, self.till.quote(
            *lines, customer=self.customer(row), codes=row.get("codes", []), **body
        )["quote"]

    def set_up(self, row, at):
        moment = dt.datetime.fromisoformat(at)
        self.monkeypatch.setattr(clock, "now", lambda: moment)
        names = {"choice": "choice", "taxRounding": "tax_rounding"}
        asked = {names[name]: value for name, value in row.get("settings", {}).items()}
        if asked:
            services.update_counter_settings(actor=system(), values=asked)

    def customer(self, row):
        visits = row.get("customer", {}).get("visits", 2)
        if visits == 2:
            return self.she
        she = CustomerFactory()
        for _ in range(visits):
            PurchaseFactory(customer=she, branch=self.till.branch, lines=0)
        return she


def units_of(quoted, row):
    units = {
        number: [cents(line["unitPrice"])] * line.get("quantity", 1)
        for number, line in enumerate(row["lines"], start=1)
    }
    for applied in quoted["applied"]:
        for share in applied["lines"]:
            pairs = zip(units[share["number"]], map(cents, share["units"]), strict=True)
            units[share["number"]] = [net - part for net, part in pairs]
    return sorted(net for nets in units.values() for net in nets)


def seen(quoted, offers, row):
    names = {str(offer.pk): name for name, offer in offers.items()}
    return {
        "discounts": [line["discount"] for line in quoted["lines"]],
        "units": [rupees(net) for net in units_of(quoted, row)],
        "totals": [line["total"] for line in quoted["lines"]],
        "discount": quoted["discount"],
        "payable": quoted["payable"],
        "tax": quoted["tax"],
        "taxable": rupees(sum(cents(line["taxable"]) for line in quoted["lines"])),
        "applied": sorted(names[one["offerId"]] for one in quoted["applied"]),
        "refused": {
            names[one["offerId"]]: one["reasons"][0]["code"]
            for one in quoted["candidates"]
            if one["verdict"] != "applied"
        },
        "refused_codes": {
            one["code"]: one["reasons"][0]["code"]
            for one in quoted["codes"]
            if one["verdict"] != "applied"
        },
    }


@pytest.mark.parametrize("letters", ["AB", "CD", "EFGJ"])
def test_bills_come_out_as_the_rows_say(till, monkeypatch, letters):
    chosen = [row for row in PRICED if row["id"][0] in letters]
    assert chosen
    made = make_services({pair_of(line) for row in chosen for line in row["lines"]})
    counter = Counter(till, made, monkeypatch)
    wrong = {}
    for row in chosen:
        with undone(), monkeypatch.context() as patch:
            counter.monkeypatch = patch
            try:
                offers, quoted = counter.price(row)
            except Refused as refused:
                wrong[name_of(row)] = str(refused)
                continue
            found = seen(quoted, offers, row)
        expected = dict(row["expect"])
        if "applied" in expected:
            expected["applied"] = sorted(expected["applied"])
        if name_of(row) in NOT_NAMED:
            expected["refused"] = {}
        if (here := {key: found[key] for key in expected}) != expected:
            wrong[name_of(row)] = (here, expected)
    assert not wrong


# The last of the public rows of each letter, which have odd numbers.
LAST = {"A": 23, "B": 9, "C": 27, "D": 23, "E": 19, "F": 11, "G": 17, "I": 11, "J": 7, "K": 5}
# No bill can be so, or it takes two at once (`test_race.py`).
NO_BILL = {"A07", "A09", "L03"}


def test_no_row_is_missing():
    public = {f"{letter}{n:02}" for letter, last in LAST.items() for n in range(1, last + 1, 2)}
    public |= {"L01", "L03", "L05"}
    assert {row["id"][0] for row in PRICED} <= set("ABCDEFGJ")
    assert {row["id"] for row in PRICED + COUNTER_ROWS} == public - NO_BILL


class Played:
    """Plays a row's steps over HTTP; `bill` names a bill through them."""

    def __init__(self, till, row):
        self.till, self.she = till, CustomerFactory()
        spots = {"serviceIds": self.services_of}
        self.offers = {
            name: make_offer(
                **{key: spots.get(key, lambda value: value)(v) for key, v in body.items()}
            )
            for name, body in row["offers"].items()
        }
        self.codes, self.reserved, self.bills = {}, {}, 0
        for name, count in row.get("codes", {}).items():
            batch = services.make_codes(actor=system(), offer=self.offers[name], count=count)
            services.make_part(batch_id=batch.pk)
            rows_ = CouponCode.objects.filter(batch=batch).order_by("pk")
            self.codes |= {f"{name}.{place}": code.code for place, code in enumerate(rows_)}
        for count in row.get("used", {}).values():
            for _ in range(count):
                self.sell({})

    def services_of(self, names):
        return [self.till.service(name) for name in names]

    def bill(self, step):
        self.bills += 1
        lines = step.get("lines") or [{"unitPrice": "100"}]
        codes = [as_typed(code, self.codes) for code in step.get("codes", ())]
        return lines, {"customer": self.she, "codes": codes}

    def quote(self, step):
        lines, more = self.bill(step)
        return self.till.quote(*lines, **more)

    def reserve(self, step):
        lines, more = self.bill(step)
        name = step.get("bill", f"bill-{self.bills}")
        self.reserved[name] = self.till.reserve(*lines, key=name, **more)
        return {**self.reserved[name], "lines": lines, "bill": name}

    def redeem(self, step):
        invoice = step.get("invoice", step["bill"])
        return self.till.redeem(self.reserved[step["bill"]]["reservation"], invoice)

    def sell(self, step):
        reserved = self.reserve(step)
        self.till.sell(
            *reserved["lines"], customer=self.she, reserved=reserved, invoice=reserved["bill"]
        )
        return reserved

    def reverse(self, step):
        return self.till.refund(step["bill"], step["operation"], step.get("lines"))

    def update(self, step):
        offer = self.offers[step["offer"]]
        try:
            services.update_offer(actor=system(), offer=offer, values=step["values"])
        except DomainError as error:
            return {"error": error.code}
        return {}

    def uses(self, step):
        return {"use": OfferUse.objects.get(offer=self.offers[step["offer"]], branch=None)}


def outcome(played, step):
    try:
        out = getattr(played, step["do"])(step)
    except Refused as refused:
        return {"error": refused.code}
    names = {str(offer.pk): name for name, offer in played.offers.items()}
    codes = {code: name for name, code in played.codes.items()}
    found = {"error": out["error"]} if "error" in out else {}
    if "quote" in out:
        quoted = out["quote"]
        found["applied"] = sorted(names[one["offerId"]] for one in quoted["applied"])
        found["discount"] = quoted["discount"]
        found["blocked"] = {
            names[one["offerId"]]: one["reasons"][0]["code"]
            for one in quoted["candidates"]
            if one["verdict"] == "blocked"
        }
        found["refused"] = {
            codes.get(one["code"], one["code"]): one["reasons"][0]["code"]
            for one in quoted["codes"]
            if one["verdict"] != "applied"
        }
    elif "offers" in out:
        found["applied"] = sorted(names[one["offerId"]] for one in out["offers"])
    if "refund" in out:
        given = out["refund"]["offers"]
        found["given_back"] = {names[one["offerId"]]: one["givenBack"] for one in given}
    if "use" in out:
        found |= {"used": out["use"].used, "reserved": out["use"].reserved}
    return found


# What names a step's input; `repeated` is told by the services, over HTTP nothing differs.
SAID = {"do", "bill", "codes", "lines", "operation", "invoice", "offer", "values", "repeated"}


def test_the_counter_does_as_the_rows_say(till):
    wrong = {}
    for row in COUNTER_ROWS:
        with undone():
            till.services = {}
            played = Played(till, row)
            for number, step in enumerate(row["steps"], start=1):
                found = outcome(played, step)
                expected = {key: value for key, value in step.items() if key not in SAID}
                here = {key: found.get(key) for key in expected}
                if here != expected or ("error" in found and "error" not in expected):
                    wrong[f"{name_of(row)}, step {number}"] = (found, expected)
    assert not wrong
