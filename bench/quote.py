"""What a till waits for a price: bills of twenty lines with a code each, by the clock.

Open load, as in `door`. Beside it the same server doing nothing, and how long the same bill takes
in the process: the engine alone, the price with all that it reads.
"""

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bench import clocked, ground, load, machine, product, tills

RATES = (100, 300)
SECONDS = 10
CONNECTIONS = 48
IN_PROCESS = 200
BAR_MS = 25
WARMING = 500
# Of bills, one in five uses points.
POINTS_EVERY = 5


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    """`n`: quotes at each rate; without, those of ten seconds."""
    ground.prepare_django()
    ground_of = tills.standing(tills.PEOPLE)
    codes = tills.codes()
    rnd = random.Random(7)
    for rate in RATES:
        count = n or rate * SECONDS
        bills = [bill(ground_of, rnd, next(codes), place) for place in range(count)]
        lines = [ground_of.call("billing/quote", each) for each in bills]
        with product.web(nothing=True) as web:
            nothing = load.send(web.port, load.WHOLE, lines, CONNECTIONS, rate)
        with product.web() as web:
            warm(web, lines)
            told = clocked.send(web, load.WHOLE, lines, CONNECTIONS, rate)
        yield {
            "bench": "quote",
            "what": f"{tills.LINES} lines, a code, {rate} a second",
            **told,
            "limit": {
                "what": "the same server doing nothing",
                "p50_ms": nothing["p50_ms"],
                "p99_ms": nothing["p99_ms"],
            },
            "ratio_to_limit": round(told["p99_ms"] / nothing["p99_ms"], 1),
            **bar(told, rate, BAR_MS),
        }
    yield _in_process(ground_of, rnd, min(n or IN_PROCESS, IN_PROCESS))


def warm(web: product.Web, lines: Sequence[str]) -> None:
    """Enough for each thread to have its connection, on which what it asks is planned."""
    load.send(web.port, load.WHOLE, [*lines, *lines][:WARMING], CONNECTIONS)


def bill(
    ground_of: tills.Tills, rnd: random.Random, code: str, place: int, **more: Any
) -> dict[str, Any]:
    """A bill with a code; points on some."""
    if place % POINTS_EVERY == 0:
        more["points"] = {"use": 100}
    return ground_of.bill(rnd, code, **more)


def bar(told: dict[str, Any], rate: int, milliseconds: int) -> dict[str, Any]:
    """The bar holds at the first rate; the others are told."""
    if rate != RATES[0]:
        return {}
    return {"bar": {"p99_ms": milliseconds}, "reached": told["p99_ms"] <= milliseconds}


def _in_process(ground_of: tills.Tills, rnd: random.Random, count: int) -> dict[str, Any]:
    """One after another, without HTTP: what the engine takes, and what the reading."""
    from billing_bridge.api.shapes import QuoteInput
    from billing_bridge.bills import read_bill
    from marketing.core.actor import Actor
    from marketing.core.tenancy import tenant_scope
    from marketing.coupons.pricing.engine import quote
    from marketing.coupons.selectors import price_bill

    actor = Actor.system(ground_of.tenant_id)
    codes = tills.codes()
    bills = []
    with tenant_scope(ground_of.tenant_id):
        for place in range(count):
            form = QuoteInput(data=bill(ground_of, rnd, next(codes), place))
            form.is_valid(raise_exception=True)
            bills.append(read_bill(actor, form.validated_data))

    def price(each: Any) -> Any:
        with tenant_scope(ground_of.tenant_id):
            return price_bill(
                branch_id=each.branch_id,
                customer_id=each.customer_id,
                cart=each.cart,
                asked=each.asked,
            )

    priced = [price(each) for each in bills]
    with machine.watched() as watched:
        priced_in = _timed(price, bills)
        engine_in = _timed(
            lambda one: quote(
                one.facts.cart,
                one.catalogue,
                customer=one.facts.customer,
                usage=one.facts.usage,
                settings=one.facts.settings,
            ),
            priced,
        )
    return {
        "bench": "quote",
        "what": "the same in one process, without HTTP",
        "n": count,
        "offers_looked_at": round(statistics.mean(len(one.quote.decisions) for one in priced)),
        "offers_applied": round(statistics.mean(len(one.quote.applied) for one in priced), 1),
        "per_s": round(count / (sum(priced_in) / 1000)),
        "p50_ms": percentile(priced_in, 50),
        "p95_ms": percentile(priced_in, 95),
        "p99_ms": percentile(priced_in, 99),
        "limit": {
            "what": "the engine alone",
            "p50_ms": percentile(engine_in, 50),
            "p99_ms": percentile(engine_in, 99),
        },
        "foreign_cpu": watched.foreign_share,
    }


def _timed(work: Callable[[Any], Any], of: Sequence[Any]) -> list[float]:
    """Milliseconds of each, in order of length."""
    times = []
    for each in of:
        begun = time.perf_counter()
        work(each)
        times.append((time.perf_counter() - begun) * 1000)
    return sorted(times)


def percentile(ordered: Sequence[float], share: int) -> float:
    return round(ordered[min(len(ordered) * share // 100, len(ordered) - 1)], 1)
