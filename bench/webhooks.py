"""Webhooks taken in over HTTP and applied: one event a request, a hundred a request, twice, and
with the server killed.

Beside it the same server answering without doing anything, and bare inserts.
"""

import hashlib
import hmac
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bench import ground, load, machine

HOST, PORT = "127.0.0.1", 8398
CONNECTIONS = 24
TOGETHER = 100
KILLED_REQUESTS = 10_000
INSERTS = 5_000
BAR_REQUESTS, BAR_EVENTS, BAR_MS = 1_500, 10_000, 50
NOW = int(time.time())


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    ground.prepare_django()
    events = n or 100_000
    tenant_id = ground.chain_of(events * 11 // 10)
    _forget()
    ids, path, secret = _sent_messages(tenant_id, events)
    single = signed(([status(i, "delivered", NOW)] for i in ids), secret)
    together = signed(
        (
            [status(i, "read", NOW + 5) for i in ids[at : at + TOGETHER]]
            for at in range(0, len(ids), TOGETHER)
        ),
        secret,
    )
    with _server(nothing=True):
        nothing = _post("/", single[: len(single) // 4])
    limits = {"what": "the same server doing nothing", "per_s": _rate(nothing)}
    inserts = {"one row a commit": _insert_rows(1), "500 rows a statement": _insert_rows(500)}
    _forget_webhooks()
    with _server():
        told = _post(path, single)
        yield _taken_in("one event a request", told, 1, len(ids), limits, inserts, BAR_REQUESTS)
        yield _applied("one event a request", len(ids))
        told = _post(path, together)
        yield _taken_in(
            f"{TOGETHER} events a request", told, TOGETHER, len(ids), limits, inserts, BAR_EVENTS
        )
        yield _applied(f"{TOGETHER} events a request", len(ids))
        before = _newest_change(tenant_id)
        _post(path, single)
        _post(path, together)
    replay = _consume()
    yield {
        "bench": "webhooks",
        "what": "everything a second time",
        "n": 2 * len(ids),
        "seconds": round(replay["seconds"], 2),
        "per_s": round(2 * len(ids) / replay["seconds"]),
        "duplicates": _changed_since(tenant_id, before),
        "bar": {"duplicates": 0},
    }
    yield _killed(path, single[:KILLED_REQUESTS])
    _forget()


def _sent_messages(tenant_id: uuid.UUID, count: int) -> tuple[list[str], str, str]:
    """Messages of a run that were all sent; with the path and secret of their account's webhook."""
    from django.db import connection

    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.services import freeze_run
    from marketing.policy.models import ProviderAccount, WebhookAddress
    from tests.factories.delivery import everyone, make_run

    with tenant_scope(tenant_id):
        run = make_run()
        freeze_run(run=run, audience=everyone())
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE delivery_message SET state = 'sent', sending_at = now(), sent_at = now(),"
                " provider_message_id = 'wamid.' || id"
                " WHERE run_id = %s AND state = 'queued' RETURNING id",
                [run.pk],
            )
            ids = [str(message_id) for (message_id,) in cursor.fetchall()]
            cursor.execute(
                "UPDATE delivery_dispatchbatch SET sent = queued, queued = 0, state = 'done'"
                " WHERE run_id = %s",
                [run.pk],
            )
        account = ProviderAccount.objects.get(provider="meta")
        token = WebhookAddress.objects.get(account_id=account.pk).token
    with ground.admin() as admin:
        admin.execute("VACUUM ANALYZE delivery_message")
    # Callbacks come in no order.
    random.Random(1).shuffle(ids)
    return ids[:count], f"/api/v1/webhooks/meta/{token}", account.credentials["app_secret"]


def status(message_id: str, state: str, at: int) -> dict[str, Any]:
    return {
        "id": f"wamid.{message_id}",
        "status": state,
        "timestamp": str(at),
        "recipient_id": "919876543210",
        "recipient_user_id": "IN.1502576394655843",
        "biz_opaque_callback_data": message_id,
        "pricing": {
            "billable": True,
            "pricing_model": "PMP",
            "type": "regular",
            "category": "marketing",
        },
    }


def signed(groups: Iterator[list[dict[str, Any]]], secret: str) -> list[str]:
    """Each group as Meta posts it: its signature, a space, the body."""
    lines = []
    for statuses in groups:
        value = {
            "messaging_product": "whatsapp",
            "metadata": {
                "display_phone_number": "15550001111",
                "phone_number_id": "106540352242922",
            },
            "statuses": statuses,
        }
        entry = {"id": "102290129340398", "changes": [{"field": "messages", "value": value}]}
        whole = {"object": "whatsapp_business_account", "entry": [entry]}
        body = json.dumps(whole, separators=(",", ":"))
        digest = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
        lines.append(f"sha256={digest} {body}")
    return lines


@contextmanager
def _server(*, nothing: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """The web server as the supervisor starts it."""
    process = _start_server(nothing)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


def _start_server(nothing: bool = False) -> subprocess.Popen[bytes]:
    from config import supervisor

    (web,) = (p for p in supervisor.services(PORT) if p.name == "web")
    command = ["bench.server" if word == "config.wsgi" else word for word in web.command]
    process = subprocess.Popen(
        [*command, "--log-level=error"],
        cwd=ground.ROOT,
        env={**os.environ, **({"BENCH_NOTHING": "1"} if nothing else {})},
        start_new_session=True,
    )
    try:
        ground.wait_for(f"http://{HOST}:{PORT}/healthz", seconds=30)
    except TimeoutError:
        process.kill()
        raise
    return process


def _post(path: str, lines: Sequence[str]) -> dict[str, Any]:
    told: dict[str, Any] = load.send(PORT, path, lines, CONNECTIONS)
    return told


def _rate(told: dict[str, Any]) -> int:
    return int(len(told["answered"]) / told["seconds"])


def _taken_in(
    what: str,
    told: dict[str, Any],
    together: int,
    events: int,
    limits: dict[str, Any],
    inserts: dict[str, int],
    bar: int,
) -> dict[str, Any]:
    requests = _rate(told)
    return {
        "bench": "webhooks",
        "what": f"taken in, {what}",
        "n": events,
        "seconds": round(told["seconds"], 2),
        "per_s": round(events / told["seconds"]),
        "requests_per_s": requests,
        "p50_ms": told["p50_ms"],
        "p99_ms": told["p99_ms"],
        "limit": limits | {"inserts_per_s": inserts},
        "ratio_to_limit": round(requests / limits["per_s"], 2),
        "bar": {"per_s": bar, "p99_ms": BAR_MS},
    }


def _applied(what: str, events: int) -> dict[str, Any]:
    told = _consume()
    return {
        "bench": "webhooks",
        "what": f"applied, {what}",
        "n": events,
        "seconds": round(told["seconds"], 2),
        "per_s": round(events / told["seconds"]),
        "cpu_ms": round(told["cpu_seconds"] / events * 1000, 3),
        "rss_mb": told["rss_mb"],
        "bar": {"per_s": BAR_EVENTS},
    }


def _consume() -> dict[str, Any]:
    """Run the consumer in a process of its own until nothing waits."""
    done = subprocess.run(
        [sys.executable, "-c", "from bench.webhooks import consume; consume()"],
        cwd=ground.ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def consume() -> None:
    """The consumer's process: applies what waits and says what it cost."""
    ground.use_database()
    from marketing.delivery.webhooks import consumer

    begun, cpu = time.perf_counter(), time.process_time()
    consumer.consume_due()
    json.dump(
        {
            "seconds": time.perf_counter() - begun,
            "cpu_seconds": time.process_time() - cpu,
            "rss_mb": round(machine.peak_megabytes()),
        },
        sys.stdout,
    )


def _insert_rows(rows: int) -> int:
    """Bare rows a second into the inbox, from as many connections as the server has threads."""
    account = uuid.uuid4()
    values = ", ".join("(%s, %s, 'meta', %s)" for _ in range(rows))
    statement = (
        f"INSERT INTO delivery_webhookevent (tenant_id, account_id, provider, body) VALUES {values}"
    )
    row = [uuid.uuid4(), account, b"x" * 600]

    def insert(times: int) -> None:
        with ground.admin() as admin:
            for _ in range(times):
                admin.execute(statement, row * rows)

    threads = [threading.Thread(target=insert, args=(INSERTS // rows // 8 + 1,)) for _ in range(8)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round((INSERTS // rows // 8 + 1) * 8 * rows / (time.perf_counter() - begun))


def _newest_change(tenant_id: uuid.UUID) -> int:
    return _ask(
        "SELECT max(xmin::text::bigint) FROM delivery_message WHERE tenant_id = %s", tenant_id
    )


def _changed_since(tenant_id: uuid.UUID, change: int) -> int:
    """Messages that were written again."""
    return _ask(
        "SELECT count(*) FROM delivery_message WHERE tenant_id = %s AND xmin::text::bigint > %s",
        tenant_id,
        change,
    )


def _killed(path: str, lines: Sequence[str]) -> dict[str, Any]:
    """Kill the server with everything it runs, once, amid the requests."""
    _forget_webhooks()
    server = _start_server()
    posting = load.begin(PORT, path, lines, CONNECTIONS)
    while _ask("SELECT count(*) FROM delivery_webhookevent") < len(lines) // 4:
        time.sleep(0.05)
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    server = _start_server()
    told = load.end(posting)
    server.terminate()
    server.wait(10)
    with ground.admin() as admin:
        stored = {
            bytes(body).decode()
            for (body,) in admin.execute("SELECT body FROM delivery_webhookevent")
        }
    lost = sum(lines[number].split(" ", 1)[1] not in stored for number in told["answered"])
    unanswered = len(lines) - len(told["answered"])
    if not unanswered:
        raise RuntimeError("the server was killed when everything was answered")
    return {
        "bench": "webhooks",
        "what": "the server killed amid the requests",
        "n": len(lines),
        "answered": len(told["answered"]),
        "unanswered": unanswered,
        "stored": len(stored),
        "lost": lost,
        "bar": {"lost": 0},
    }


def _ask(question: str, *values: Any) -> int:
    with ground.admin() as admin:
        row = admin.execute(question, values).fetchone()
    return int(row[0]) if row else 0


def _forget() -> None:
    ground.forget_messages()
    _forget_webhooks()


def _forget_webhooks() -> None:
    with ground.admin() as admin:
        admin.execute("TRUNCATE delivery_webhookevent, delivery_inboundmessage")
        admin.execute("CHECKPOINT")
