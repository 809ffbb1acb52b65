"""One campaign to a demo chain by the whole product: how long each stage takes, and its memory.

Everything runs as `make run` has it, the sandbox and its callbacks too, on these two cores. The
sandbox takes what it is given as fast as it can; a share of its messages fails, and not all are
read, as in the demo. Nothing stands beside it: its parts have benches of their own.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench import ground, machine
from config.embedded.command import die_with_parent

DATABASE = "parlour_whole"
URLS = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_ADMIN_URL")
UP = "Ctrl-C stops everything"
STOP_SECONDS = 60
SECONDS_BETWEEN_LOOKS = 0.1
QUIET_SECONDS = 10
GIVE_UP_SECONDS = 1_800
# By what each program's command line is known.
PROGRAMS = {
    "web": "gunicorn",
    "dispatch": "--hostname=dispatch@",
    "worker": "--hostname=worker@",
    "beat": "DatabaseScheduler",
    "sandbox": "marketing.delivery.sandbox",
}


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    people = n or 100_000
    ground.make_anew(DATABASE, owner="parlour_owner")
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        with _product(people, Path(folder)) as process:
            yield {
                "bench": "whole",
                "what": "first start, demo chain",
                "n": people,
                "seconds": round(time.monotonic() - begun, 1),
            }
            _set_up_django()
            with machine.watched() as load, machine.memory_watched(process.pid, PROGRAMS) as peaks:
                told = _campaign(people)
            yield {**told, "foreign_cpu": load.foreign_share, "peak_mb": peaks}


@contextmanager
def _product(people: int, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The supervisor, once all is up. Raises what it printed when it ends before."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "PARLOUR_STATE_DIR": str(folder),
        "PORT": str(ground.free_port()),
        "DEMO_CUSTOMERS": str(people),
        **{name: _of_database(os.environ[name]) for name in URLS if name in os.environ},
    }
    printed = folder / "printed"
    with printed.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.supervisor"],
            cwd=ground.ROOT,
            stdout=output,
            stderr=output,
            preexec_fn=die_with_parent,
        )
    try:
        while UP not in printed.read_text():
            if process.poll() is not None:
                raise RuntimeError(printed.read_text())
            time.sleep(0.1)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(STOP_SECONDS)


def _of_database(url: str) -> str:
    """The server of this URL, and the bench's own database: never the one that people use."""
    return urlsplit(url)._replace(path=f"/{DATABASE}").geturl()


def _campaign(people: int) -> dict[str, Any]:
    """Everybody is written to; who makes it and who approves are two."""
    from marketing.campaigns import services
    from marketing.core.actor import Actor
    from marketing.core.models import Role, Staff, Tenant
    from marketing.core.tenancy import tenant_scope
    from tests.factories.core import make_staff

    tenant_id = Tenant.objects.get().pk
    with tenant_scope(tenant_id):
        owner = Staff.objects.filter(role=Role.SUPER_OWNER).select_related("user").get()
        makes = Actor.for_staff(owner)
        approves = Actor.for_staff(make_staff(Role.SUPER_OWNER))
        _lift_rates(makes)
        template_id = _template()
    seconds: dict[str, float] = {}

    def call(stage: str, work: Callable[[], Any]) -> Any:
        begun = time.monotonic()
        with tenant_scope(tenant_id):
            found = work()
        seconds[stage] = round(time.monotonic() - begun, 2)
        return found

    values = {
        "name": "To everybody",
        "channel": "whatsapp",
        "campaign_type": "one_time",
        "template_id": template_id,
        "target_all_customers": True,
    }
    campaign = call("estimate", lambda: services.create_campaign(actor=makes, values=values))
    campaign = call("submit", lambda: services.submit_campaign(actor=makes, campaign=campaign))
    campaign = call("approve", lambda: services.approve_campaign(actor=approves, campaign=campaign))
    pressed = time.time()
    run = call("press send", lambda: services.send_campaign(actor=makes, campaign=campaign))
    watched = _Watched(tenant_id, run.send_run_id)
    watched.wait_for(lambda: watched.run.frozen_at is not None)
    frozen_at = time.time()
    seconds["freeze"] = round(frozen_at - pressed, 2)
    watched.wait_for(lambda: time.time() - watched.changed_at > QUIET_SECONDS)
    sent_at = watched.waited_until(frozen_at)
    seconds["send"] = round(sent_at - frozen_at, 1)
    seconds["last callback after that"] = round(watched.changed_at - sent_at, 1)
    return {
        "bench": "whole",
        "what": "a campaign to everybody",
        "n": people,
        "seconds": seconds,
        "states": {state: count for state, count in watched.states.items() if count},
        "adds_up": sum(watched.states.values()) == watched.run.audience == people,
    }


class _Watched:
    """A run, looked at again and again; `changed_at` is when a state was last seen to change."""

    def __init__(self, tenant_id: uuid.UUID, run_id: uuid.UUID) -> None:
        self.tenant_id, self.run_id = tenant_id, run_id
        self.changed_at = time.time()
        self.states: dict[str, int] = {}
        self.looks: list[tuple[float, int]] = []
        self.look()

    def look(self) -> None:
        from marketing.core.tenancy import tenant_scope
        from marketing.delivery.models import SendRun
        from marketing.delivery.selectors import run_progress

        with tenant_scope(self.tenant_id):
            self.run = SendRun.objects.get(pk=self.run_id)
            states = run_progress(self.run).states
        if states != self.states:
            self.states, self.changed_at = states, time.time()
        self.looks.append((time.time(), states["queued"] + states["sending"]))

    def waited_until(self, since: float) -> float:
        """When, after `since`, the last of those went who were not put off by the vendor."""
        left = self.looks[-1][1]
        return max((at for at, waiting in self.looks if waiting != left), default=since)

    def wait_for(self, is_so: Callable[[], bool]) -> None:
        give_up_at = time.monotonic() + GIVE_UP_SECONDS
        while not is_so():
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"the run stands at {self.states}")
            time.sleep(SECONDS_BETWEEN_LOOKS)
            self.look()


def _set_up_django() -> None:
    import django

    django.setup()
    import config.celery  # noqa: F401  nudges go to the product's broker


def _lift_rates(actor: Any) -> None:
    """The demo's accounts send at a common vendor's pace; here the machine is the limit."""
    from marketing.policy.models import ProviderAccount
    from marketing.policy.services import update_account

    for account in ProviderAccount.objects.all():
        values = {"rate_per_second": 100_000, "max_concurrency": 200}
        update_account(actor=actor, account=account, values=values)


def _template() -> uuid.UUID:
    from marketing.content.models import MessageTemplate

    ready = MessageTemplate.objects.filter(channel="whatsapp", template_type="promotional")
    return ready.order_by("pk").values_list("pk", flat=True)[0]
