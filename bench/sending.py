"""Sending a frozen run to a sink and holding it against a bare client, for several benches."""

import json
import statistics
import subprocess
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.request import urlopen

from bench import ground, machine

GIVE_UP_SECONDS = 1800


@dataclass(frozen=True)
class Ours:
    """What sending took: wall seconds, CPU seconds of the workers, MB of the largest of them.

    `memory` has one worker's resident MB, second by second.
    """

    messages: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    memory: list[int]
    load: machine.Load

    @property
    def per_second(self) -> float:
        return self.messages / self.seconds


@dataclass(frozen=True)
class Bare:
    """The same of the bare client, messages and not requests."""

    messages: int
    seconds: float
    cpu_seconds: float
    load: machine.Load

    @property
    def per_second(self) -> float:
        return self.messages / self.seconds


def freeze(tenant_id: uuid.UUID, channel: str, **contents: Any) -> tuple[uuid.UUID, int]:
    """A frozen run to everybody: its id, and how many may be sent."""
    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.services import freeze_run
    from tests.factories.content import TemplateFactory
    from tests.factories.delivery import everyone, make_run

    with tenant_scope(tenant_id):
        run = make_run(TemplateFactory.create(channel=channel, **contents))
        return run.pk, freeze_run(run=run, audience=everyone()).sendable


def send(tenant_id: uuid.UUID, run_id: uuid.UUID, dispatchers: int = 1) -> Ours:
    """Send the run by so many processes. Raises when not every message went exactly once.

    All rows being sent, each has arrived at least once; as many having arrived as there are
    rows, no one twice.
    """
    before = arrived()
    with machine.watched() as load:
        told = run_dispatchers(dispatchers)
    count = arrived() - before
    require_sent(tenant_id, run_id, count)
    return _as_ours(told, count, load)


def require_sent(tenant_id: uuid.UUID, run_id: uuid.UUID, count: int) -> None:
    """Raises unless all that was to be sent is marked as sent, and as many arrived."""
    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.models import Message

    with tenant_scope(tenant_id):
        messages = Message.objects.filter(run_id=run_id).exclude(state="skipped")
        wanted, sent = messages.count(), messages.filter(state="sent").count()
    if not wanted == sent == count:
        raise RuntimeError(f"of {wanted} messages {sent} were sent and {count} arrived")


def run_dispatchers(count: int) -> list[dict[str, Any]]:
    """Run dispatch workers in processes of their own until nothing is due."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.dispatcher"],
            cwd=ground.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    try:
        for worker in workers:
            assert worker.stdout
            if worker.stdout.readline() != "ready\n":
                raise RuntimeError("a dispatch worker did not start")
        for worker in workers:
            assert worker.stdin
            worker.stdin.write("go\n")
            worker.stdin.flush()
        told = [worker.communicate(timeout=GIVE_UP_SECONDS)[0] for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    if any(worker.returncode for worker in workers):
        raise RuntimeError("a dispatch worker failed")
    return [json.loads(each) for each in told]


def _as_ours(told: Sequence[dict[str, Any]], messages: int, load: machine.Load) -> Ours:
    return Ours(
        messages=messages,
        seconds=max(each["ended"] for each in told) - min(each["begun"] for each in told),
        cpu_seconds=sum(each["cpu_seconds"] for each in told),
        peak_mb=max(each["peak_mb"] for each in told),
        memory=told[0]["rss_mb"],
        load=load,
    )


def arrived() -> int:
    """How many messages the sink has taken so far."""
    with urlopen(f"{ground.sink_url()}/count") as answer:
        return int(json.load(answer)["messages"])


def first_request(tenant_id: uuid.UUID, run_id: uuid.UUID) -> tuple[dict[str, Any], int]:
    """A call to the vendor as the worker would make it for a whole batch, and its messages.

    `url`, `headers`, and the JSON `body`, decoded.
    """
    from django.db.models import F

    from marketing.content.models import TemplateVersion
    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.dispatch.lease import Marked
    from marketing.delivery.dispatch.rendering import MessageRenderer
    from marketing.delivery.models import DispatchBatch, Message
    from marketing.delivery.registry import account_of, vendor
    from marketing.policy.models import ProviderAccount

    with tenant_scope(tenant_id):
        fullest = DispatchBatch.objects.filter(run_id=run_id).order_by("-queued", "pk")[0]
        queued = Message.objects.filter(batch_id=fullest.pk, state="queued").order_by("pk")
        first = queued[0]
        rows = queued.filter(language=first.language)
        account = account_of(ProviderAccount.objects.in_bulk([first.account_id])[first.account_id])
        its = vendor(account.provider)
        together = its.batch_size(account)
        versions = TemplateVersion.objects.select_related("template", "tenant")
        renderer = MessageRenderer(versions.in_bulk([first.template_version_id]))
        columns = ("tenant_id", "id", "customer_id", "address", "language", "variables", "segments")
        marked: Any = rows.values(*columns, version_id=F("template_version_id"))[:together]
        envelopes = [renderer.render(Marked(**values, tries=1))[0] for values in marked]
    request = its.client.build(account, envelopes)
    headers = dict(request.headers)
    body = json.loads(request.body)
    return {"url": request.url, "headers": headers, "body": body}, len(envelopes)


def post_bare(
    client: str, request: dict[str, Any], together: int, messages: int, connections: int
) -> Bare:
    """Post the request as often as so many messages need, from a process of its own."""
    requests = -(-messages // together)
    with machine.watched() as load:
        done = subprocess.run(
            [sys.executable, "-m", "bench.bare", client, str(requests), str(connections)],
            cwd=ground.ROOT,
            input=json.dumps(request).encode(),
            stdout=subprocess.PIPE,
            check=True,
        )
    told = json.loads(done.stdout)
    return Bare(requests * together, told["seconds"], told["cpu_seconds"], load)


Pairs = Sequence[tuple[Ours, Bare]]


def undisturbed(pairs: Pairs) -> Pairs:
    """The pairs beside which nobody else was at work; all of them when there is none."""
    return [pair for pair in pairs if all(is_quiet(each.load) for each in pair)] or pairs


def compared(pairs: Pairs, what: str) -> dict[str, Any]:
    """Our figures beside the limit, which is `what`: of the undisturbed pairs the slower middle."""
    taken = undisturbed(pairs)
    ours, _ = sorted(taken, key=lambda pair: pair[0].seconds)[len(taken) // 2]
    return {
        "n": ours.messages,
        "seconds": round(ours.seconds, 2),
        "per_s": round(ours.per_second),
        "cpu_ms": milliseconds(ours.cpu_seconds, ours.messages),
        "database_cpu_ms": milliseconds(ours.load.database, ours.messages),
        "rss_mb": round(ours.peak_mb),
        "limit": limit(pairs, what),
        "ratio_to_limit": limit(pairs, what)["ratio"],
        "pairs": [[round(mine.per_second), round(its.per_second)] for mine, its in pairs],
        "foreign_cpu": [[mine.load.foreign_share, its.load.foreign_share] for mine, its in pairs],
        "quiet_pairs": sum(all(is_quiet(each.load) for each in pair) for pair in pairs),
    }


def limit(pairs: Pairs, what: str) -> dict[str, Any]:
    """The limit's figures; `ratio` is the median of ours to it."""
    taken = undisturbed(pairs)
    _, its = sorted(taken, key=lambda pair: pair[1].seconds)[len(taken) // 2]
    ratio = statistics.median(mine.per_second / bare.per_second for mine, bare in taken)
    return {
        "what": what,
        "per_s": round(its.per_second),
        "cpu_ms": milliseconds(its.cpu_seconds, its.messages),
        "ratio": round(ratio, 2),
    }


def is_quiet(load: machine.Load) -> bool:
    return load.foreign_share is not None and load.foreign_share <= machine.QUIET


def milliseconds(seconds: float | None, messages: int) -> float | None:
    """Of CPU time, a message."""
    return None if seconds is None else round(seconds / messages * 1000, 4)
