"""A unit of a paid bill comes back, and what points she has: by the clock, as in `quote`."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from bench import clocked, ground, load, product, tills
from bench.quote import CONNECTIONS, RATES, SECONDS, bar

BAR_MS = 40
SELLING_RATE = 100
AT_ONCE = 8


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    """`n`: bills at each rate; without, those of ten seconds."""
    ground.prepare_django()
    ground_of = tills.standing(tills.PEOPLE)
    tills.forget_bills(ground_of.tenant_id)
    rnd = random.Random(13)
    codes = tills.codes()
    for rate in RATES:
        count = n or rate * SECONDS
        # Points remember the bills of other benches, which had other numbers.
        keys = f"{tills.RUN}-back-{rate}-"
        bills = {
            f"{keys}{place}": ground_of.bill(rnd, next(codes), key=f"{keys}{place}")
            for place in range(count)
        }
        reserving = [ground_of.call("billing/reserve", each) for each in bills.values()]
        asking = [
            ground_of.call(f"customers/{rnd.choice(ground_of.regulars)}/points", method="GET")
            for _ in range(count)
        ]
        with product.web(nothing=True) as web:
            nothing = load.send(web.port, load.WHOLE, asking, CONNECTIONS, rate)
        with product.web() as web:
            load.send(web.port, load.WHOLE, reserving, AT_ONCE)
            sold = [ground_of.call("billing/invoices", each) for each in invoices_of(bills, keys)]
            invoiced = clocked.send(web, load.WHOLE, sold, CONNECTIONS, SELLING_RATE)
            finished = _finished(keys)
            back = [
                ground_of.call(
                    f"billing/invoices/INV-{key}/refund",
                    {
                        "branchId": each["branchId"],
                        "refundId": "CN",
                        "lines": [{"number": rnd.randint(1, tills.LINES), "quantity": 1}],
                    },
                )
                for key, each in bills.items()
                if key in finished
            ]
            refunded = clocked.send(web, load.WHOLE, back, CONNECTIONS, rate)
            told = clocked.send(web, load.WHOLE, asking, CONNECTIONS, rate)
        _require_refunds(len(back) - refunded.get("busy", 0), keys)
        limit = {
            "what": "the same server doing nothing",
            "p50_ms": nothing["p50_ms"],
            "p99_ms": nothing["p99_ms"],
        }
        if rate == RATES[0]:
            what = f"the bill finished, {SELLING_RATE} a second"
            yield {"bench": "refund", "what": what, **invoiced, "limit": limit}
        for what, figures in (("a unit comes back", refunded), ("points she has", told)):
            yield {
                "bench": "refund",
                "what": f"{what}, {rate} a second",
                **figures,
                "limit": limit,
                **bar(figures, rate, BAR_MS),
            }


def invoices_of(bills: Mapping[str, dict[str, Any]], keys: str) -> Iterator[dict[str, Any]]:
    """The invoices of what is reserved under such keys, as the till prints them."""
    with ground.admin() as server:
        reserved = server.execute(
            "SELECT key, id::text, applied, payable FROM coupons_reservation"
            " WHERE state = 'reserved' AND starts_with(key, %s) ORDER BY id",
            [keys],
        ).fetchall()
    for key, pk, applied, payable in reserved:
        given: Counter[int] = Counter()
        for offer in applied:
            given.update({share["line"]: share["amount"] for share in offer["shares"]})
        body = {name: bills[key][name] for name in ("branchId", "customerId", "codes")}
        total = rupees(payable)
        yield body | {
            "invoiceId": f"INV-{key}",
            "reservationId": pk,
            "lines": [
                {**line, "discount": rupees(given[place])}
                for place, line in enumerate(bills[key]["lines"], start=1)
            ],
            "total": total,
            "payments": [{"method": "upi", "amount": total}],
        }


def _finished(keys: str) -> set[str]:
    with ground.admin() as server:
        found = server.execute(
            "SELECT key FROM coupons_reservation WHERE state = 'redeemed' AND starts_with(key, %s)",
            [keys],
        )
        return {key for (key,) in found.fetchall()}


def rupees(paise: int) -> str:
    return f"{paise // 100}.{paise % 100:02d}"


def _require_refunds(count: int, keys: str) -> None:
    """Raises unless one unit of each bill came back."""
    with ground.admin() as server:
        row = server.execute(
            "SELECT count(*) FROM coupons_reversal reversal"
            " JOIN coupons_reservation bill ON bill.id = reversal.reservation_id"
            " WHERE starts_with(bill.key, %s)",
            [keys],
        ).fetchone()
    if not row or row[0] != count:
        raise RuntimeError(f"{row and row[0]} of {count} units came back")
