"""Looking customers up by any part of their name or phone, as the counter does while she waits.

Beside it the same question as a bare statement on the same connection. The names are drawn from
lists as long as a city's are varied; one in ten is in Devanagari.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from bench import ground, machine

PEOPLE = 1_000_000
ROUNDS = 10
ROWS = 51
BAR_MS = 100
FIRST = "Asha Priya Rahul Kavya Sunita Vikram Meera Rohan Deepa Imran Farah Joseph Anjali Nikhil"
LAST = "Sharma Patel Iyer Khan Fernandes Kulkarni Banerjee Reddy Singh Gupta Nair Das Mehta Rao"
HINDI_FIRST = "आशा प्रिया राहुल सुनीता मीरा अंजलि दीपा"
HINDI_LAST = "शर्मा पटेल खान गुप्ता सिंह मेहता"
# What people type: whole and half names, both names, digits from the start, middle and end.
TYPED = (
    "asha", "sha", "as", "sharma", "priya patel", "pri pat", "kulk", "meera 98", "nobody",
    "आशा", "शर्मा", "प्रिया गुप्ता", "प्र", "98000", "4321", "543", "+91 98000 12341", "123 sharma",
)  # fmt: skip

NAME = """
UPDATE customers_customer c
SET first_name = CASE WHEN n %% 10 = 0 THEN (%(hindi_first)s::text[])[1 + n / 7 %% 7]
                      ELSE (%(first)s::text[])[1 + n / 3 %% 14] END || CASE WHEN n %% 3 = 0
                      THEN '' ELSE substr(md5(n::text), 1, 2) END,
    last_name = CASE WHEN n %% 10 = 0 THEN (%(hindi_last)s::text[])[1 + n / 11 %% 6]
                     ELSE (%(last)s::text[])[1 + n / 5 %% 14] END,
    phone = '+9198' || lpad((n * 7919 %% 10000000)::text, 7, '0') || '1'
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM customers_customer
      WHERE tenant_id = %(tenant)s) numbered
WHERE c.id = numbered.id
"""
BARE = """
SELECT id, first_name, last_name, phone FROM customers_customer
WHERE tenant_id = %s AND status = 'active' AND {conditions} ORDER BY id DESC LIMIT {rows}
"""


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    ground.prepare_django()
    people = n or PEOPLE
    tenant_id = ground.chain_of(people)
    name_everybody(tenant_id)
    yield look_up(tenant_id, people)


def name_everybody(tenant_id: uuid.UUID) -> None:
    """Give the ground's customers names of their own, once."""
    names = {"first": FIRST, "last": LAST, "hindi_first": HINDI_FIRST, "hindi_last": HINDI_LAST}
    with ground.admin() as server:
        known = server.execute(
            "SELECT FROM customers_customer WHERE tenant_id = %s AND first_name = 'आशा' LIMIT 1",
            [tenant_id],
        )
        if known.fetchone() is None:
            values = {key: text.split() for key, text in names.items()}
            server.execute(NAME, {"tenant": tenant_id, **values})
            server.execute("VACUUM ANALYZE customers_customer")


def look_up(tenant_id: uuid.UUID, people: int) -> dict[str, Any]:
    """Percentiles over everything typed, several times each, and the slowest of it."""
    from marketing.core.actor import Actor
    from marketing.core.tenancy import tenant_scope

    actor = Actor.system(tenant_id)
    with tenant_scope(tenant_id), machine.watched() as watched:
        ours = {text: _times(_ours(actor, text)) for text in TYPED}
        bare = [one for text in TYPED for one in _times(_bare(tenant_id, text))]
    times = sorted(one for each in ours.values() for one in each)
    bare.sort()
    slowest = max(ours, key=lambda text: min(ours[text]))
    return {
        "bench": "lookup",
        "n": people,
        "typed": len(TYPED),
        "p50_ms": _percentile(times, 50),
        "p95_ms": _percentile(times, 95),
        "slowest": slowest,
        "slowest_ms": round(min(ours[slowest]), 1),
        "limit": {"p50_ms": _percentile(bare, 50), "p95_ms": _percentile(bare, 95)},
        "ratio_to_limit": round(_percentile(times, 95) / max(_percentile(bare, 95), 0.1), 2),
        "foreign_cpu": watched.foreign_share,
        "bar": {"p95_ms": BAR_MS},
        "reached": _percentile(times, 95) <= BAR_MS,
    }


def _times(ask: Callable[[], Any]) -> list[float]:
    """Milliseconds each round took."""
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        ask()
        times.append((time.perf_counter() - begun) * 1000)
    return times


def _ours(actor: Any, text: str) -> Callable[[], Any]:
    from customers.selectors import first_of, search_customers

    return lambda: first_of(search_customers(actor, text).order_by("-pk"), ROWS)


def _bare(tenant_id: uuid.UUID, text: str) -> Callable[[], Any]:
    from django.db import connection

    from customers import rules

    conditions, values = [], []
    for word in rules.search_words(text):
        if word.digits:
            conditions.append("phone LIKE %s")
            values.append(f"%{word.digits[0]}%")
            continue
        key = rules.search_key(word.text)
        for column, part in (("search_name", word.text), ("search_key", key)):
            if part and len(part) >= rules.SHORTEST_PHONE_PART:
                conditions.append(f"{column} LIKE %s")
                values.append(f"%{part}%")
            elif part:
                conditions.append(f"({column} LIKE %s OR {column} LIKE %s)")
                values += [f"{part}%", f"% {part}%"]
    statement = BARE.format(conditions=" AND ".join(conditions), rows=ROWS)

    def ask() -> Any:
        with connection.cursor() as cursor:
            cursor.execute(statement, [tenant_id, *values])
            return cursor.fetchall()

    return ask


def _percentile(times: list[float], share: int) -> float:
    return round(times[min(len(times) * share // 100, len(times) - 1)], 1)
