"""What tills wait while all calls of bills come in turn: priced, reserved, finished, by the clock.

The load of offers.md 6: a branch at its peak has four bills a minute, each of three calls.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from bench import clocked, ground, load, product, tills
from bench.quote import CONNECTIONS, bill
from bench.refund import invoices_of

BRANCHES = (300, 500)
BILLS_A_MINUTE = 4
CALLS = ("quote", "reserve", "finish")
SECONDS = 20
# Milliseconds at p99 (offers.md 6); finishing a bill is a redemption and the sale with it.
BARS = {"quote": 80, "reserve": 120, "finish": 120}
WARMING = 100
AT_ONCE = 8


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    """`n`: bills of each number of branches; without, those of twenty seconds."""
    ground.prepare_django()
    ground_of = tills.standing(tills.PEOPLE)
    codes = tills.codes()
    for branches in BRANCHES:
        tills.forget_bills(ground_of.tenant_id)
        yield from _peak(ground_of, codes, branches, n)


def _peak(
    ground_of: tills.Tills, codes: Iterator[str], branches: int, n: int | None
) -> Iterator[dict[str, Any]]:
    rnd = random.Random(branches)
    rate = branches * BILLS_A_MINUTE * len(CALLS) / 60
    count = n or round(rate / len(CALLS) * SECONDS)
    keys = f"{tills.RUN}-{branches}-"

    def reserving(of: dict[str, dict[str, Any]]) -> list[str]:
        return [ground_of.call("billing/reserve", each) for each in of.values()]

    held, paid = (
        {
            key: ground_of.bill(rnd, next(codes), key=key)
            for key in (f"{keys}{kind}{place}" for place in range(WARMING + count))
        }
        for kind in ("held", "paid")
    )
    quotes = [
        ground_of.call("billing/quote", bill(ground_of, rnd, next(codes), place))
        for place in range(WARMING + count)
    ]
    with product.web(nothing=True) as web:
        nothing = load.send(web.port, load.WHOLE, quotes, CONNECTIONS, rate)
    with product.web() as web:
        load.send(web.port, load.WHOLE, reserving(paid), AT_ONCE)
        sold = [
            ground_of.call("billing/invoices", each) for each in invoices_of(paid, f"{keys}paid")
        ]
        lines = in_turn(quotes, reserving(held), sold)
        first = WARMING * len(CALLS)
        load.send(web.port, load.WHOLE, lines[:first], CONNECTIONS)
        told = clocked.send(web, load.WHOLE, lines[first:], CONNECTIONS, rate, CALLS)
    kinds = told.pop("kinds")
    limit = {
        "what": "the same server doing nothing",
        "p50_ms": nothing["p50_ms"],
        "p99_ms": nothing["p99_ms"],
    }
    whole = f"the peak of {branches} branches"
    yield {"bench": "counter", "what": whole, **told, "limit": limit}
    for call, took in kinds.items():
        yield {
            "bench": "counter",
            "what": f"{whole}: {call}",
            "n": count,
            **took,
            "limit": limit,
            "bar": {"p99_ms": BARS[call]},
            "reached": took["p99_ms"] <= BARS[call],
        }


def in_turn(*kinds: Sequence[str]) -> list[str]:
    """The first of each, then the second of each."""
    return [line for together in zip(*kinds, strict=True) for line in together]
