"""The same mails, by SMTP to the same sink, on the same PostgreSQL: ours and django-post-office's.

Ours is the freeze and the sending, theirs the enqueueing and the sending, each by one process
and by two; both keep a row a mail. Ours carries more: footer, a way out, the opening's picture.
"""

import json
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench import ground, machine, sending
from bench.mail import MAIL
from bench.post_office_peer import DATABASE

PAIRS = 3
BAR_RATIO, BAR_CPU = 4.0, 0.25


@dataclass
class Side:
    """What one side took for its mails, preparing them included."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    load: machine.Load

    def said(self, mails: int) -> dict[str, Any]:
        return {
            "seconds": round(self.seconds, 2),
            "per_s": round(mails / self.seconds),
            "cpu_ms": sending.milliseconds(self.cpu_seconds, mails),
            "database_cpu_ms": sending.milliseconds(self.load.database, mails),
            "rss_mb": round(self.peak_mb),
        }


@dataclass
class SmtpSink:
    """Where mails go; `taken` is told at its end."""

    port: int
    taken: dict[str, int] = field(default_factory=dict)


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    ground.prepare_django()
    ground.make_database(DATABASE, owner="parlour_owner")
    tenant_id = ground.chain_of((n or 10_000) * 11 // 10)
    for processes in (1, 2):
        yield _compare(tenant_id, processes)
    ground.forget_messages()


def _compare(tenant_id: Any, processes: int) -> dict[str, Any]:
    pairs: list[tuple[Side, Side]] = []
    mails = 0
    for _ in range(PAIRS):
        ours, mails = _ours(tenant_id, processes)
        pairs.append((ours, _theirs(mails, processes)))
    quiet = [pair for pair in pairs if all(sending.is_quiet(side.load) for side in pair)]
    taken = quiet or pairs
    ours, theirs = sorted(taken, key=lambda pair: pair[0].seconds)[len(taken) // 2]
    return {
        "bench": "post_office",
        "n": mails,
        "processes": processes,
        **ours.said(mails),
        "pairs": [[round(mails / a.seconds), round(mails / b.seconds)] for a, b in pairs],
        "foreign_cpu": [[a.load.foreign_share, b.load.foreign_share] for a, b in pairs],
        "quiet_pairs": len(quiet),
        "peer": {"what": "django-post-office, enqueue and send", **theirs.said(mails)},
        "ratio_to_peer": round(statistics.median(b.seconds / a.seconds for a, b in taken), 2),
        "cpu_to_peer": round(statistics.median(a.cpu_seconds / b.cpu_seconds for a, b in taken), 3),
        "bar": {"ratio": BAR_RATIO, "cpu": BAR_CPU},
    }


def _ours(tenant_id: Any, processes: int) -> tuple[Side, int]:
    from marketing.policy.models import Provider

    with _smtp_sink() as sink, machine.watched() as load:
        ground.open_account(
            tenant_id,
            Provider.SMTP,
            credentials={},
            sender={
                "host": "127.0.0.1",
                "port": str(sink.port),
                "security": "none",
                "from_email": "hello@example.com",
                "from_name": "Parlour",
            },
        )
        ground.forget_messages()
        begun, cpu = time.perf_counter(), time.process_time()
        run_id, mails = sending.freeze(tenant_id, "email", contents={"en": MAIL})
        frozen, cpu = time.perf_counter() - begun, time.process_time() - cpu
        told = sending.run_dispatchers(processes)
    sending.require_sent(tenant_id, run_id, _taken(sink, mails))
    sent = max(each["ended"] for each in told) - min(each["begun"] for each in told)
    cpu += sum(each["cpu_seconds"] for each in told)
    return Side(frozen + sent, cpu, max(each["peak_mb"] for each in told), load), mails


def _theirs(mails: int, processes: int) -> Side:
    ground.forget_messages()
    with _smtp_sink() as sink, machine.watched() as load:
        words = ["bench.post_office_peer", str(sink.port), str(mails), str(processes)]
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=ground.ROOT, stdout=subprocess.PIPE, check=True
        )
    told = json.loads(done.stdout.splitlines()[-1])
    if not told["sent"] == mails == _taken(sink, mails):
        raise RuntimeError(f"django-post-office sent {told['sent']} of {mails}")
    return Side(told["seconds"], told["cpu_seconds"], told["peak_mb"], load)


def _taken(sink: SmtpSink, mails: int) -> int:
    """How many mails came. Raises when not each to another person, with that person's name."""
    if set(sink.taken.values()) != {mails}:
        raise RuntimeError(f"of {mails} mails came {sink.taken}")
    return sink.taken["mails"]


@contextmanager
def _smtp_sink() -> Iterator[SmtpSink]:
    sink = SmtpSink(ground.free_port())
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.smtp_sink", str(sink.port)],
        cwd=ground.ROOT,
        stdout=subprocess.PIPE,
    )
    try:
        ground.wait_for_port(sink.port)
        yield sink
        process.send_signal(signal.SIGTERM)
        sink.taken = json.loads(process.communicate(timeout=10)[0])
    finally:
        process.kill()
        process.wait()
