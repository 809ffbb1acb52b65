"""A run of 200 started behind a large one, at an account's 50 a second: when is it done?

By one dispatch worker and by two; for the same branch and for another. The whole product runs.
"""

import time
import uuid
from collections.abc import Iterator
from typing import Any

from bench import ground, product, vendor

RATE, SMALL = 50, 200
BAR_SECONDS = 15.0
UNDER_WAY = 5 * RATE
GIVE_UP_SECONDS = 120


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    ground.prepare_django()
    from marketing.policy.models import Provider

    tenant_id = ground.chain_of(n or 1_000_000)
    ground.open_account(tenant_id, Provider.META, rate_per_second=RATE, max_concurrency=50)
    ground.forget_messages()
    with vendor.standing() as asked:
        large, people, groups, branches = _freeze_large(tenant_id)
        for dispatchers in (1, 2):
            with product.everything(dispatchers):
                _wait_until(lambda: len(asked.arrivals) >= UNDER_WAY, "the large run did not start")
                for what, branch in (("the same branch", 0), ("another branch", 1)):
                    told = _send_small(tenant_id, asked, groups.pop(), branches[branch])
                    yield {
                        "bench": "fair",
                        "what": f"a run of {SMALL} behind {people}, {what}",
                        "n": people,
                        "dispatchers": dispatchers,
                        "rate": RATE,
                        **told,
                        "limit": {"what": "half the account's rate", "seconds": 2 * SMALL / RATE},
                        "ratio_to_limit": round(told["seconds"] / (2 * SMALL / RATE), 2),
                        "bar": {"seconds": BAR_SECONDS},
                        "reached": told["seconds"] <= BAR_SECONDS,
                    }
                asked.arrivals.clear()
    ground.forget_messages()
    _end(tenant_id, large)


def _freeze_large(
    tenant_id: uuid.UUID,
) -> tuple[uuid.UUID, int, list[list[uuid.UUID]], list[uuid.UUID]]:
    """The run, its size, four groups of people it comes to last, and two branches.

    The first branch is the run's own.
    """
    from marketing.core.models import Branch
    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.models import Message
    from marketing.delivery.services import freeze_run
    from tests.factories.delivery import everyone, make_run

    with tenant_scope(tenant_id):
        branches = list(Branch.objects.order_by("code").values_list("pk", flat=True)[:2])
        run = make_run(charged_branch_id=branches[0])
        sendable = freeze_run(run=run, audience=everyone()).sendable
        last = Message.objects.filter(run_id=run.pk, state="queued").order_by("-pk")
        people = list(last.values_list("customer_id", flat=True)[: 4 * SMALL])
    return run.pk, sendable, [people[at::4] for at in range(4)], branches


def _send_small(
    tenant_id: uuid.UUID, asked: vendor.Vendor, people: list[uuid.UUID], branch: uuid.UUID
) -> dict[str, Any]:
    """Freeze the small run and wait for its last message."""
    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.models import Message
    from marketing.delivery.services import freeze_run
    from tests.factories.delivery import everyone, make_run

    begun = time.monotonic()
    with tenant_scope(tenant_id):
        run = make_run(charged_branch_id=branch)
        freeze_run(run=run, audience=everyone().filter(pk__in=people))
    with tenant_scope(tenant_id):
        rows = Message.objects.filter(run_id=run.pk).exclude(state="skipped")
        wanted = {str(pk) for pk in rows.values_list("pk", flat=True)}
    if len(wanted) != SMALL:
        raise RuntimeError(f"{len(wanted)} of {SMALL} may be sent")

    def mine() -> list[vendor.Arrival]:
        return asked.since(begun, lambda a: a.message_id in wanted)

    _wait_until(lambda: len(mine()) >= SMALL, "the small run did not end")
    arrived = mine()
    ended = arrived[-1].at
    others = [a for a in asked.since(begun) if a.at <= ended and a.message_id not in wanted]
    return {
        "seconds": round(ended - begun, 1),
        "first_after_s": round(arrived[0].at - begun, 2),
        "of_the_large_meanwhile": len(others),
    }


def _wait_until(done: Any, otherwise: str) -> None:
    give_up_at = time.monotonic() + GIVE_UP_SECONDS
    while not done():
        if time.monotonic() > give_up_at:
            raise TimeoutError(otherwise)
        time.sleep(0.05)


def _end(tenant_id: uuid.UUID, run_id: uuid.UUID) -> None:
    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.models import SendRun

    with tenant_scope(tenant_id):
        SendRun.objects.exclude(state="done").update(state="cancelled")
