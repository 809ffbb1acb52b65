"""Codes tried and redeemed: ours and django-oscar's, on the same PostgreSQL, in turn.

Both in one process, without HTTP: a bill of one line with one code. Twice: where the code's offer
is the only one there is, and where a hundred more apply by themselves to what they fit. The latter
is our chain of a million, with points and referrals besides, which theirs does not know. Its
packages lie in an environment of their own, made at the first run.
"""

import itertools
import json
import os
import random
import subprocess
import sys
import time
import uuid
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import ground, machine, tills
from bench.vouchers_peer import DATABASE

PAIRS = 3
# Of each on either side, before anything is measured.
WARM_UP = 20
TRIES, ORDERS = 200, 100
# That apply by themselves: none, and those a bill of the chain of a million is tried against.
AUTOMATIC = (0, 100)
FEW_PEOPLE = 1_000
ONLY = "ONLY"
PACKAGES = ("django-oscar==4.2.1", "django==5.2.*", "psycopg[binary]==3.3.*")
PEER = "django-oscar 4.2.1"
BAR_RATIO = 10


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    """`n`: codes tried on each side; half as many are redeemed."""
    ground.prepare_django()
    python = _environment()
    if python is None:
        yield {"bench": "oscar", "skipped": f"{PEER} cannot be installed here"}
        return
    tries = n or TRIES
    for automatic in AUTOMATIC:
        side = _chain_of_many() if automatic else _chain_of_one()
        tills.forget_bills(tills.standing(tills.PEOPLE).tenant_id)
        yield from _beside(python, side, automatic, tries, max(tries * ORDERS // TRIES, 1))


def _beside(
    python: Path, side: "Side", automatic: int, tries: int, orders: int
) -> Iterator[dict[str, Any]]:
    ground.make_anew(DATABASE, owner="parlour_owner")
    pairs = []
    for _ in range(PAIRS):
        with machine.watched() as watched:
            ours = _ours(side, tries, orders)
            theirs = _theirs(python, tries, orders, automatic)
        pairs.append((ours, theirs, watched.foreign_share))
    for what, count in (("validate", tries), ("redeem", orders)):
        seconds = f"{what}_s"
        ordered = sorted(pairs, key=lambda pair: pair[1][seconds] / pair[0][seconds])
        ours, theirs, _foreign = ordered[PAIRS // 2]
        ratio = theirs[seconds] / ours[seconds]
        yield {
            "bench": "oscar",
            "what": f"{what}, one process, a code and {automatic} automatic offers",
            "n": count,
            "per_s": round(count / ours[seconds]),
            "cpu_ms": round(ours[f"{what}_cpu"] / count * 1000, 1),
            "peer": {
                "what": PEER,
                "per_s": round(count / theirs[seconds]),
                "cpu_ms": round(theirs[f"{what}_cpu"] / count * 1000, 1),
            },
            "pairs": [[round(count / a[seconds]), round(count / b[seconds])] for a, b, _ in pairs],
            "foreign_cpu": [foreign for _, _, foreign in pairs],
            "ratio_to_peer": round(ratio, 1),
            "bar": {"ratio": BAR_RATIO},
            "reached": ratio >= BAR_RATIO,
        }


@dataclass(frozen=True)
class Side:
    """Where our bills are made; each takes a code of `codes`."""

    tenant_id: uuid.UUID
    branches: Sequence[str]
    people: Sequence[str]
    services: Sequence[str]
    codes: Iterator[str]


def _chain_of_many() -> Side:
    chain = tills.standing(tills.PEOPLE)
    return Side(chain.tenant_id, chain.branches, chain.regulars, chain.services, tills.codes())


def _chain_of_one() -> Side:
    """A chain whose one offer is that of a code for everybody."""
    from customers.models import Customer, Service, ServiceCategory
    from marketing.core.models import Branch
    from marketing.core.tenancy import tenant_scope
    from marketing.coupons.models import CouponCode
    from tests.factories.coupons import make_offer

    tenant_id = ground.chain_of(FEW_PEOPLE)
    with tenant_scope(tenant_id):
        if not CouponCode.objects.filter(key=ONLY).exists():
            category = ServiceCategory.objects.create(external_id=ONLY, name="Hair")
            Service.objects.create(external_id=ONLY, category=category, name="Haircut", price=850)
            make_offer(code=ONLY)
        return Side(
            tenant_id,
            [str(pk) for pk in Branch.objects.values_list("pk", flat=True)],
            [str(pk) for pk in Customer.objects.values_list("pk", flat=True)],
            [str(pk) for pk in Service.objects.values_list("pk", flat=True)],
            itertools.repeat(ONLY),
        )


def _environment() -> Path | None:
    """The Python that has django-oscar, made when it is not there yet; None without a network."""
    root = Path(os.environ.get("OSCAR_ENV", ground.ROOT / ".local" / "oscar"))
    python = root / "bin" / "python"
    has_it = [str(python), "-c", "import oscar"]
    if not python.exists() or subprocess.run(has_it, check=False).returncode:
        venv.create(root, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", *PACKAGES]
        if subprocess.run(pip, check=False, stdout=sys.stderr).returncode:
            return None
    return python


def _ours(side: Side, tries: int, orders: int) -> dict[str, float]:
    from marketing.core.actor import Actor
    from marketing.core.tenancy import tenant_scope
    from marketing.coupons import selectors, services
    from tests.factories.coupons import make_cart

    actor = Actor.system(side.tenant_id)
    rnd, run = random.Random(5), time.monotonic_ns()

    def bill() -> dict[str, Any]:
        line = {"serviceId": rnd.choice(side.services), "unitPrice": "850.00"}
        return {
            "branch_id": uuid.UUID(rnd.choice(side.branches)),
            "customer_id": uuid.UUID(rnd.choice(side.people)),
            "cart": make_cart(line, codes=[next(side.codes)]),
        }

    def validate(one: dict[str, Any]) -> None:
        with tenant_scope(side.tenant_id):
            selectors.price_bill(**one)

    def redeem(place: int, one: dict[str, Any]) -> None:
        with tenant_scope(side.tenant_id):
            services.redeem_bill(actor=actor, invoice_id=f"{run}-{place}", **one)

    for place, one in enumerate(bill() for _ in range(WARM_UP)):
        validate(one)
        redeem(-1 - place, one)
    bills = [bill() for _ in range(tries)]
    begun, cpu = time.perf_counter(), time.process_time()
    for one in bills:
        validate(one)
    told = {"validate_s": time.perf_counter() - begun, "validate_cpu": time.process_time() - cpu}
    begun, cpu = time.perf_counter(), time.process_time()
    for place, one in enumerate(bills[:orders]):
        redeem(place, one)
    return told | {
        "redeem_s": time.perf_counter() - begun,
        "redeem_cpu": time.process_time() - cpu,
    }


def _theirs(python: Path, tries: int, orders: int, automatic: int) -> dict[str, float]:
    words = [str(tries), str(orders), str(automatic)]
    done = subprocess.run(
        [python, Path(__file__).with_name("vouchers_peer.py"), *words],
        cwd=ground.ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told
