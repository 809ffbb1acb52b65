"""The bill as it stands at the counter: all of it is in the page's address, so nothing is lost."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from customers.models import Service
from marketing.coupons.code_symbols import codes_in
from marketing.coupons.models import Reservation
from marketing.coupons.pricing.bill import CartLine
from marketing.coupons.selectors.replay import kept_basket, kept_bill

# An address longer than some 4,000 signs is refused by web servers.
MOST_ROWS = 40
LONGEST_TEXT = 200
WITH_TAX, WITHOUT_TAX = "with", "without"
PRICES = (WITH_TAX, WITHOUT_TAX)
COLUMNS = {"s": "service", "q": "quantity", "p": "price", "d": "discount", "t": "tax"}
ON_THE_WIRE = {
    "service": "serviceId",
    "quantity": "quantity",
    "price": "unitPrice",
    "discount": "manualDiscount",
    "tax": "taxRate",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A line as typed."""

    service: str
    quantity: str = "1"
    price: str = ""
    discount: str = ""
    tax: str = ""

    def body(self) -> dict[str, str]:
        """The line on the wire; what was left empty is not said."""
        typed = {name: getattr(self, name) for name in COLUMNS.values()}
        return {ON_THE_WIRE[name]: _number(name, text) for name, text in typed.items() if text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """`key` is the counter's name of the bill: two windows with it hold one reservation.

    `prices` says whether they have tax in them (`PRICES`); empty where nothing was said yet.
    """

    key: str = ""
    branch: str = ""
    customer: str = ""
    prices: str = ""
    rows: Sequence[Row] = ()
    codes: str = ""
    referral: str = ""
    points: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> "Sheet":
        """What the address says; whatever is no bill's is left out."""
        columns = [query.getlist(name) for name in COLUMNS]
        rows = [
            Row(**{name: _text(text) for name, text in zip(COLUMNS.values(), texts, strict=False)})
            for texts in zip(*columns, strict=False)
        ]
        return cls(
            key=_text(query.get("bill", ""))[:60],
            branch=_text(query.get("branch", "")),
            customer=_text(query.get("customer", "")),
            prices=prices if (prices := query.get("tax", "")) in PRICES else "",
            rows=[row for row in rows if row.service][: MOST_ROWS + 1],
            codes=_text(query.get("codes", "")),
            referral=_text(query.get("referral", "")),
            points=_text(query.get("points", "")),
        )

    @classmethod
    def of_reservation(cls, reservation: Reservation) -> "Sheet":
        """The bill once more, to be changed: reserved again it takes the reservation's place."""
        kept = kept_bill(reservation)
        return cls(
            key=reservation.key,
            branch=str(reservation.branch_id),
            customer=str(reservation.customer_id or ""),
            prices=WITH_TAX if kept.cart.prices_include_tax else WITHOUT_TAX,
            rows=[_row(line) for line in kept.cart.lines],
            codes=" ".join(kept_basket(reservation, "").typed),
            referral=str(kept.asked.get("referral", {}).get("code", "")),
            points=str(kept.asked.get("points", {}).get("use", "")),
        )

    def with_line(self, service: Service) -> "Sheet":
        """One more of the service: of the line that it has, or on a new one."""
        rows = list(self.rows)
        for place, row in enumerate(rows):
            if row.service == str(service.pk) and row.quantity.isdecimal() and not row.discount:
                rows[place] = replace(row, quantity=str(int(row.quantity) + 1))
                return replace(self, rows=rows)
        tax = rows[-1].tax if rows else ""
        if service.tax_rate is not None:
            tax = _percent(int(service.tax_rate * 100))
        rows.append(Row(str(service.pk), price=f"{service.price:.2f}", tax=tax))
        return replace(self, rows=rows)

    def without_line(self, place: int) -> "Sheet":
        rows = [row for number, row in enumerate(self.rows, 1) if number != place]
        return replace(self, rows=rows)

    def named(self, *, with_tax: bool = True) -> "Sheet":
        """With a name, and prices as the chain has them, where it has none yet."""
        prices = self.prices or (WITH_TAX if with_tax else WITHOUT_TAX)
        return replace(self, key=self.key or uuid.uuid4().hex, prices=prices)

    def body(self) -> dict[str, Any]:
        """The bill as the API takes it."""
        body: dict[str, Any] = {
            "branchId": self.branch,
            "pricesIncludeTax": self.prices != WITHOUT_TAX,
            "lines": [row.body() for row in self.rows],
            "codes": codes_in(self.codes),
        }
        if self.customer:
            body["customerId"] = self.customer
        if self.points:
            use = self.points.strip().lower()
            body["points"] = {"use": int(use) if use.isdecimal() and len(use) < 12 else use}
        if self.referral:
            body["referral"] = {"code": self.referral}
        return body

    def query(self) -> str:
        """Its address, without the path."""
        pairs = [
            ("bill", self.key),
            ("branch", self.branch),
            ("customer", self.customer),
            ("tax", self.prices),
            *(
                (letter, getattr(row, name))
                for row in self.rows
                for letter, name in COLUMNS.items()
            ),
            ("codes", self.codes),
            ("referral", self.referral),
            ("points", self.points),
        ]
        return urlencode([(name, value) for name, value in pairs if value or name in COLUMNS])


def as_id(text: str) -> list[uuid.UUID]:
    """The id, in a list; an empty one for what is none."""
    try:
        return [uuid.UUID(text)]
    except ValueError:
        return []


def _text(value: str) -> str:
    return value.replace("\0", "").strip()[:LONGEST_TEXT]


def _number(name: str, text: str) -> str:
    return text if name == "service" else text.replace(",", "").replace("₹", "").strip()


def _row(line: CartLine) -> Row:
    return Row(
        service=line.service,
        quantity=str(line.quantity),
        price=_rupees(line.unit_price),
        discount=_rupees(line.manual_discount) if line.manual_discount else "",
        tax="" if line.tax_rate_bp is None else _percent(line.tax_rate_bp),
    )


def _rupees(paise: int) -> str:
    return f"{paise // 100}.{paise % 100:02d}"


def _percent(basis_points: int) -> str:
    return _rupees(basis_points).removesuffix(".00")
