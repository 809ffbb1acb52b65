"""The campaign that chaos strikes, and the reckoning at its end."""

import datetime as dt
import gc
import io
import os
import time
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import django

ACCOUNT, NEXT_ACCOUNT = "chaos", "chaos-next"
ACCOUNTS = {"single": [ACCOUNT], "cascade": [ACCOUNT, NEXT_ACCOUNT]}
RATE = 2_000
# In a cascade, of which the next channel follows after a minute: some never get the first message,
# the others are reported to have it about when the minute is over.
PROMPT = {"delivered_delay_ms": 1_500, "read_delay_ms": 4_000}
LATE = {"delivered_delay_ms": 60_000, "read_delay_ms": 64_000, "delivered_rate": 0.8}


class Frozen(NamedTuple):
    """The campaign, and how many of its people sleep as it begins."""

    tenant_id: uuid.UUID
    run_id: uuid.UUID
    held: int


def prepare() -> None:
    """Bring the database up to date; from here on Django works."""
    import config.celery  # noqa: F401  tasks find their broker through it

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    django.setup()
    from django.core.management import call_command

    from tests.template_database import tenant_drawn_once

    # Each migration draws models anew; looking for what can go would be half of the work.
    gc.disable()
    with tenant_drawn_once():
        call_command("migrate", verbosity=0)
    gc.enable()
    call_command("sync_schedules", stdout=io.StringIO())


def freeze(sandbox: Callable[..., Any], people: int, asleep_for: float, mode: str) -> Frozen:
    """A chain with so many people, one campaign to all of them, frozen.

    Every tenth lives where it is too early to write to her for so many seconds.
    """
    from django.conf import settings

    from customers.models import Customer
    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.plan import plan_channels
    from marketing.delivery.services import freeze_run
    from marketing.policy.selectors import webhook_url
    from tests.factories.core import make_chain
    from tests.factories.customers import insert_people
    from tests.factories.delivery import (
        everyone,
        make_run,
        make_sender,
        open_all_hours,
        states_of,
        templates_at_meta,
    )
    from tests.factories.policy import WORKING_VALUES

    chain = make_chain()
    tenant_id = chain.tenant.pk
    assert os.environ["SANDBOX_URL"] == settings.SANDBOX_URL
    with tenant_scope(tenant_id):
        open_all_hours()
        account = make_sender(rate_per_second=RATE, max_concurrency=50)
        values = WORKING_VALUES["meta"]
        sandbox(
            "PUT",
            f"accounts/{ACCOUNT}",
            {
                "provider": "meta",
                "credentials": {**values["credentials"], **values["sender"]},
                "webhook_url": webhook_url(account),
                "sent_delay_ms": 200,
                **(LATE if mode == "cascade" else PROMPT),
            },
        )
        insert_people(tenant_id, chain.north, people)
        Customer.objects.filter(phone__endswith="01").update(home_branch=chain.south)
        run = _make_cascade(sandbox, people) if mode == "cascade" else make_run()
        plan = plan_channels(run.steps, mode=run.mode, purpose=run.purpose, now=run.created_at)
        version = plan.steps[0].version
        sandbox("PUT", "templates", templates_at_meta(version, account))
        _begin_later(chain.south, asleep_for)
        freeze_run(run=run, audience=everyone())
        return Frozen(tenant_id, run.pk, held=states_of(run).get("held", 0))


def _make_cascade(sandbox: Callable[..., Any], people: int) -> Any:
    """WhatsApp, then SMS, so slowly that many wait for theirs when they are reached after all."""
    from customers.models import ConsentState
    from marketing.policy.selectors import webhook_url
    from tests.factories.content import TemplateFactory
    from tests.factories.delivery import make_channel_run
    from tests.factories.policy import WORKING_VALUES, make_account

    ConsentState.objects.update(sms_promotional=True, sms_basis="explicit")
    account = make_account(
        "twilio", is_default=True, rate_per_second=max(people // 60, 5), max_concurrency=50
    )
    sandbox(
        "PUT",
        f"accounts/{NEXT_ACCOUNT}",
        {
            "provider": "twilio",
            "credentials": WORKING_VALUES["twilio"]["credentials"],
            "webhook_url": webhook_url(account),
            **PROMPT,
        },
    )
    templates = TemplateFactory.create(), TemplateFactory.create(sms=True)
    return make_channel_run("cascade", *templates, minutes=1)


def _begin_later(branch: Any, seconds: float) -> None:
    """Open the chain's hours in so many seconds at the branch, long ago everywhere else.

    It is past noon in the rest of the chain, and an hour earlier at the branch: neither is near
    midnight, whatever the hour of the bench.
    """
    from marketing.core import clock
    from marketing.core.models import Branch
    from tests.factories.policy import set_config

    now = clock.now()
    hours_ahead = 11 - now.hour
    # POSIX counts west of Greenwich.
    zone = f"Etc/GMT{-hours_ahead:+d}"
    Branch.objects.filter(pk=branch.pk).update(time_zone=zone)
    opens = (now + dt.timedelta(seconds=seconds)).astimezone(ZoneInfo(zone))
    set_config(send_window_start=opens.time(), send_window_end=dt.time(22))


def patiently(read: Callable[[], Any]) -> Any:
    """What `read` gives, over a database that may be away for a while."""
    from django.db import DatabaseError, InterfaceError, connection

    give_up_at = time.monotonic() + 120
    while True:
        try:
            return read()
        except (DatabaseError, InterfaceError):
            connection.close()
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.5)


def states(tenant_id: uuid.UUID, run_id: uuid.UUID) -> dict[str, int]:
    """The run's counters, zeros left out."""
    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.models import SendRun
    from tests.factories.delivery import states_of

    def read() -> dict[str, int]:
        with tenant_scope(tenant_id):
            return states_of(SendRun.objects.get(pk=run_id))

    found: dict[str, int] = patiently(read)
    return found


def is_through(tenant_id: uuid.UUID, run_id: uuid.UUID) -> bool:
    """Whether every webhook was applied and the run closed, which a sweep may do a moment later."""
    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.models import SendRun, WebhookEvent

    def read() -> bool:
        with tenant_scope(tenant_id):
            is_done = SendRun.objects.filter(pk=run_id, state=SendRun.State.DONE).exists()
            return is_done and not WebhookEvent.objects.filter(applied_at=None).exists()

    return bool(patiently(read))


def compare(
    tenant_id: uuid.UUID, run_id: uuid.UUID, ledger: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Our rows against the vendor's ledger. `wrong` lists what must never be."""
    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.models import ContactLoad, Message, SendRun

    with tenant_scope(tenant_id):
        run = SendRun.objects.get(pk=run_id)
        asked = Message.objects.only("customer_id", "step", "state", "reason", "fallback_id")
        messages = list(asked.filter(run=run))
        loads = ContactLoad.objects.filter(sent__len__gt=1).count()
    rows = {message.pk: message.state for message in messages}
    attempts = Counter((message.customer_id, message.step) for message in messages)
    reached = sum(message.reason == "reached" for message in messages)
    # One message stands for each person; what another took over from is counted no more.
    standing = Counter(message.state for message in messages if message.fallback_id is None)
    people = len({message.customer_id for message in messages})
    waiting = sum(state in ("queued", "held", "sending") for state in rows.values())
    arrived = {"sent", "delivered", "read"}
    accepted = {reference: entry["accepted"] for reference, entry in ledger.items()}
    unknown = [str(pk) for pk, state in rows.items() if state == "unknown"]
    answered = [
        reference for reference in unknown if ledger.get(reference, {}).get("answer") == "clean"
    ]
    checks = {
        "sent twice": sum(count > 1 for count in accepted.values()),
        "said to be sent, never accepted": sum(
            state in arrived and str(pk) not in accepted for pk, state in rows.items()
        ),
        "accepted, but not ours": len(accepted.keys() - set(map(str, rows))),
        "accepted, but waiting or failed": sum(
            state in ("queued", "held", "sending", "failed", "skipped") and str(pk) in accepted
            for pk, state in rows.items()
        ),
        "a step made twice for somebody": sum(count > 1 for count in attempts.values()),
        "left hanging": waiting,
        "counters and rows differ": int(states(tenant_id, run_id) != dict(standing)),
        "audience is not the sum": int(not run.audience == standing.total() == people),
        "two slots of a cap": loads,
        "run is not done": int(run.state != "done"),
        "nobody was reached late": int(run.mode == "cascade" and not reached),
    }
    return {
        "accepted": len(accepted),
        "unknown": len(unknown),
        "handed_on": len(rows) - people,
        "reached_late": reached,
        "unknown_though_answered": len(answered),
        "wrong": [f"{what}: {count}" for what, count in checks.items() if count],
    }
