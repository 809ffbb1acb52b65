"""A vendor that answers 429 for 20 seconds: how the rate falls, and when it is whole again.

Two accounts of one chain at once: one is told by `Retry-After` how long to wait, the other is
told nothing. The whole product runs.
"""

import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from bench import ground, product, vendor

RATE, PEOPLE = 100, 30_000
STEADY_SECONDS, REFUSED_SECONDS, RETRY_AFTER = 6.0, 20.0, 5
# Requests that were under way when the first refusal came back are not the account's any more.
REACTION_SECONDS = 1.5
FULL, SPAN = 0.95, 3.0
BAR_SECONDS = 60.0
GIVE_UP_SECONDS = 120.0
NUMBERS = {"106540352242922": RETRY_AFTER, "106540352242923": None}


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    ground.prepare_django()
    people = n or PEOPLE
    tenant_id = ground.chain_of(people)
    ground.forget_messages()
    runs = [_freeze(tenant_id, number) for number in NUMBERS]
    with vendor.standing() as asked, product.everything():
        _wait_until(lambda: all(_rate(asked, number, 1.0) for number in NUMBERS))
        time.sleep(STEADY_SECONDS)
        before = {number: _rate(asked, number, SPAN) for number in NUMBERS}
        begun = time.monotonic()
        for number, retry_after in NUMBERS.items():
            asked.refuse(number, REFUSED_SECONDS, retry_after)
        time.sleep(REFUSED_SECONDS)
        recovered = time.monotonic()
        whole = _recoveries(asked, before, recovered)
    ground.forget_messages()
    _end(tenant_id, runs)
    for number, retry_after in NUMBERS.items():
        refused = [a for a in asked.since(begun) if a.number == number and a.status == 429]
        yield _told(refused, before[number], whole.get(number), retry_after) | {"n": people}


def _told(
    refused: Sequence[vendor.Arrival],
    rate_before: float,
    whole_after: float | None,
    retry_after: int | None,
) -> dict[str, Any]:
    """One account's figures. `too_early` came before a `Retry-After` was over."""
    first = refused[0].at
    after = [a.at for a in refused if a.at - first > REACTION_SECONDS]
    during = len(after) / (REFUSED_SECONDS - REACTION_SECONDS)
    too_early = 0
    if retry_after:
        # Each refusal forbids the following seconds, but to what left before it was heard.
        too_early = sum(
            any(REACTION_SECONDS < at - earlier.at < retry_after for earlier in refused)
            for at in after
        )
    reached = (
        during <= rate_before / 2
        and not too_early
        and whole_after is not None
        and whole_after <= BAR_SECONDS
    )
    return {
        "bench": "backoff",
        "what": f"429 with Retry-After: {retry_after}" if retry_after else "429 without a word",
        "seconds": None if whole_after is None else round(whole_after, 1),
        "rate": RATE,
        "rate_before": round(rate_before, 1),
        "rate_refused": round(during, 1),
        "refused": len(refused),
        "too_early": too_early,
        "bar": {"seconds": BAR_SECONDS, "rate_refused": rate_before / 2, "too_early": 0},
        "reached": reached,
    }


def _recoveries(
    asked: vendor.Vendor, before: dict[str, float], recovered: float
) -> dict[str, float]:
    """How long after the vendor's recovery each account had its full rate again."""
    whole: dict[str, float] = {}
    while len(whole) < len(before) and time.monotonic() < recovered + GIVE_UP_SECONDS:
        time.sleep(0.25)
        for number, rate in before.items():
            is_whole = _rate(asked, number, SPAN) >= FULL * min(rate, RATE)
            if number not in whole and is_whole and time.monotonic() - recovered > SPAN:
                whole[number] = time.monotonic() - SPAN - recovered
    return whole


def _rate(asked: vendor.Vendor, number: str, seconds: float) -> float:
    """What it asked for a second, over the last seconds."""
    since = time.monotonic() - seconds
    return len(asked.since(since, lambda a: a.number == number)) / seconds


def _freeze(tenant_id: uuid.UUID, number: str) -> uuid.UUID:
    """A run to everybody by the account of this number."""
    from marketing.core.actor import Actor
    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.services import freeze_run
    from marketing.policy.models import Provider, ProviderAccount
    from marketing.policy.services import set_default_account, update_account
    from tests.factories.delivery import everyone, make_run, open_all_hours
    from tests.factories.policy import WORKING_VALUES, make_account

    sender = WORKING_VALUES[Provider.META]["sender"] | {"phone_number_id": number}
    with tenant_scope(tenant_id):
        open_all_hours(daily_message_limit_per_customer=99, weekly_message_limit_per_customer=99)
        known = ProviderAccount.objects.filter(sender__phone_number_id=number).first()
        account = known or make_account(Provider.META, name=f"Meta {number}", sender=sender)
        actor = Actor.system(tenant_id)
        values = {
            "base_url": ground.sink_url(),
            "rate_per_second": RATE,
            "max_concurrency": 50,
        }
        update_account(actor=actor, account=account, values=values)
        set_default_account(actor=actor, account=account)
        run = make_run()
        freeze_run(run=run, audience=everyone())
    return run.pk


def _wait_until(is_so: Any) -> None:
    give_up_at = time.monotonic() + GIVE_UP_SECONDS
    while not is_so():
        if time.monotonic() > give_up_at:
            raise TimeoutError("the runs did not start")
        time.sleep(0.05)


def _end(tenant_id: uuid.UUID, run_ids: Sequence[uuid.UUID]) -> None:
    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.models import SendRun

    with tenant_scope(tenant_id):
        SendRun.objects.filter(pk__in=run_ids).update(state="cancelled")
