"""A till reserves a bill and is paid: by the clock, and all tills with one code at once.

Open load, as in `door`. Beside it the same server doing nothing, and PostgreSQL's own limit: the
conditional `UPDATE` of a code and nothing else.
"""

import itertools
import random
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from bench import clocked, ground, load, machine, product, tills
from bench.quote import CONNECTIONS, RATES, SECONDS, WARMING, bar, bill

BAR_MS = 40
TRIES = 100
HOT_LIMIT = 10
HOT_BILLS = 500
HOT_CONNECTIONS = 16
BARE_UPDATES = 2_000
BARE_CLIENTS = 8
TAKE = """
UPDATE coupons_couponcode SET used = used + 1
WHERE tenant_id = %s AND key = %s AND used + reserved < max_uses RETURNING used
"""


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    """`n`: bills at each rate; without, those of ten seconds."""
    ground.prepare_django()
    ground_of = tills.standing(tills.PEOPLE)
    tills.forget_bills(ground_of.tenant_id)
    rnd = random.Random(11)
    codes = tills.codes()
    bare = _bare(ground_of, codes)
    for rate in RATES:
        count = n or rate * SECONDS
        first = min(count, WARMING)
        reserving = [
            ground_of.call("billing/reserve", bill(ground_of, rnd, next(codes), place, key=key))
            for place in range(first + count)
            for key in [f"{tills.RUN}-{rate}-{place}"]
        ]
        with product.web(nothing=True) as web:
            nothing = load.send(web.port, load.WHOLE, reserving, CONNECTIONS, rate)
        with product.web() as web:
            load.send(web.port, load.WHOLE, reserving[:first], CONNECTIONS)
            reserved = clocked.send(web, load.WHOLE, reserving[first:], CONNECTIONS, rate)
            paying = [
                ground_of.call(f"billing/reservations/{pk}/redeem", {"invoiceId": f"INV-{key}"})
                for pk, key in reservations(ground_of, f"{tills.RUN}-{rate}-")
            ]
            begun = load.send(web.port, load.WHOLE, paying[:first], CONNECTIONS)
            redeemed = clocked.send(web, load.WHOLE, paying[first:], CONNECTIONS, rate)
        busy = begun["busy"] + redeemed.get("busy", 0)
        require_redeemed(len(paying) - busy, f"{tills.RUN}-{rate}-")
        for what, told in (("reserve", reserved), ("redeem", redeemed)):
            yield {
                "bench": "redeem",
                "what": f"{what}, {tills.LINES} lines, a code, {rate} a second",
                **told,
                "limit": {
                    "what": "the same server doing nothing, with the larger body",
                    "p50_ms": nothing["p50_ms"],
                    "p99_ms": nothing["p99_ms"],
                    "bare_update": bare,
                },
                **(bar(told, rate, BAR_MS) if what == "redeem" else {}),
            }
    yield _one_code_for_all(ground_of, rnd, next(codes), 1)
    yield _one_code_for_all(ground_of, rnd, next(codes), HOT_LIMIT)
    yield _hot(ground_of, rnd, next(codes), min(n or HOT_BILLS, HOT_BILLS), bare)


def reservations(ground_of: tills.Tills, keys: str) -> list[tuple[str, str]]:
    """Id and key of what the run reserved under such keys."""
    with ground.admin() as server:
        found = server.execute(
            "SELECT id::text, key FROM coupons_reservation"
            " WHERE tenant_id = %s AND starts_with(key, %s) ORDER BY id",
            [ground_of.tenant_id, keys],
        )
        return [(pk, key) for pk, key in found.fetchall()]


def require_redeemed(count: int, keys: str) -> None:
    """Raises unless so many bills are paid, and each code that was used was used once."""
    with ground.admin() as server:
        paid = server.execute(
            "SELECT count(*) FROM coupons_reservation"
            " WHERE state = 'redeemed' AND starts_with(key, %s)",
            [keys],
        ).fetchone()
        twice = server.execute(
            "SELECT count(*) FROM (SELECT code_id FROM coupons_redemption"
            " JOIN coupons_couponcode code ON code.id = code_id"
            " GROUP BY code_id, code.max_uses HAVING count(*) > code.max_uses) more"
        ).fetchone()
    if not paid or paid[0] != count or not twice or twice[0]:
        raise RuntimeError(f"{paid and paid[0]} of {count} bills paid, {twice and twice[0]} twice")


def _one_code_for_all(
    ground_of: tills.Tills, rnd: random.Random, code: str, limit: int
) -> dict[str, Any]:
    """A hundred tills reserve with one code at the same moment; who is told BUSY asks again.

    So does, with another bill, who got a better deal than the code's and left it to others.
    """
    _let_it_open(code, limit)
    keys = f"one-{tills.RUN}-{code}-"
    names = (f"{keys}{place}" for place in itertools.count())
    waiting = {key: ground_of.bill(rnd, code, key=key) for key in itertools.islice(names, TRIES)}
    rounds, refused, again, left_out = 0, 0, True, 0
    with product.web() as web, machine.watched() as watched:
        warming = [ground_of.call("billing/quote", ground_of.bill(rnd)) for _ in range(60)]
        load.send(web.port, load.WHOLE, warming, CONNECTIONS)
        begun = time.monotonic()
        while again:
            lines = [ground_of.call("billing/reserve", each) for each in waiting.values()]
            told = load.end(load.begin(web.port, load.WHOLE, lines, len(lines)))
            rounds += 1
            refused, busy = told["others"].pop("409", 0), told["others"].pop("503", 0)
            if told["others"]:
                raise RuntimeError(f"refused, by status: {told['others']}")
            won = _with_code(code)
            without = [
                key
                for _pk, key in reservations(ground_of, keys)
                if waiting.pop(key, None) and key not in won
            ]
            left_out += len(without)
            for key in itertools.islice(names, len(without)):
                waiting[key] = ground_of.bill(rnd, code, key=key)
            again = bool(busy or without)
        seconds = time.monotonic() - begun
    with ground.admin() as server:
        row = server.execute(
            "SELECT used + reserved FROM coupons_couponcode WHERE code = %s", [code]
        ).fetchone()
    held = row and row[0]
    if not len(won) == held == limit or refused != len(waiting) or limit + refused != TRIES:
        raise RuntimeError(f"{len(won)} of {TRIES} won a code for {limit}; {held} uses are held")
    return {
        "bench": "redeem",
        "what": f"{TRIES} tills at once, one code for {limit}",
        "n": TRIES,
        "won": len(won),
        "refused": refused,
        "left_out": left_out,
        "rounds": rounds,
        "seconds": round(seconds, 2),
        "foreign_cpu": watched.foreign_share,
        "bar": {"won": limit},
        "reached": len(won) == limit,
    }


def _with_code(code: str) -> set[str]:
    """The bills that hold a use of the code, by their keys."""
    with ground.admin() as server:
        found = server.execute(
            "SELECT bill.key FROM coupons_reservation bill"
            " JOIN coupons_hold hold ON hold.reservation_id = bill.id"
            " JOIN coupons_couponcode code ON code.id = hold.code_id WHERE code.code = %s",
            [code],
        )
        return {key for (key,) in found.fetchall()}


def _hot(
    ground_of: tills.Tills, rnd: random.Random, code: str, count: int, bare: dict[str, Any]
) -> dict[str, Any]:
    """Everybody reserves with one code that has uses enough, as fast as it goes."""
    _let_it_open(code, 1_000_000)
    lines = [
        ground_of.call(
            "billing/reserve", ground_of.bill(rnd, code, key=f"hot-{tills.RUN}-{code}-{place}")
        )
        for place in range(count)
    ]
    with product.web() as web:
        load.send(web.port, load.WHOLE, lines[:50], HOT_CONNECTIONS)
        told = clocked.send(web, load.WHOLE, lines[50:], HOT_CONNECTIONS, 0)
    return {
        "bench": "redeem",
        "what": "reserve, everybody with one code, as fast as it goes",
        **told,
        "limit": bare,
    }


def _let_it_open(code: str, uses: int) -> None:
    with ground.admin() as server:
        server.execute("UPDATE coupons_couponcode SET max_uses = %s WHERE code = %s", [uses, code])


def _bare(ground_of: tills.Tills, codes: Iterator[str]) -> dict[str, Any]:
    """The conditional `UPDATE` alone, each a commit: of codes each her own, and of one."""
    own = [next(codes) for _ in range(BARE_UPDATES)]
    one = next(codes)
    _let_it_open(one, 1_000_000)
    return {
        "what": f"the bare conditional UPDATE, {BARE_CLIENTS} clients",
        "own_codes_per_s": _updates(ground_of, own),
        "one_code_per_s": _updates(ground_of, [one] * BARE_UPDATES),
    }


def _updates(ground_of: tills.Tills, codes: Sequence[str]) -> int:
    def take(mine: Sequence[str]) -> None:
        with ground.admin() as server:
            for code in mine:
                taken = server.execute(TAKE, [ground_of.tenant_id, code], prepare=True)
                if taken.fetchone() is None:
                    raise RuntimeError(f"{code} was used")

    threads = [
        threading.Thread(target=take, args=(codes[place::BARE_CLIENTS],))
        for place in range(BARE_CLIENTS)
    ]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(len(codes) / (time.perf_counter() - begun))
