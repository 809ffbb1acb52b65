"""Kill everything at random while a campaign is sent, and hold the vendor's ledger against ours.

`python -m bench.chaos --messages 50000 --kills 100`: the whole of Parlour with two dispatch
workers, servers of its own, and a sandbox that hangs up, answers late, refuses and repeats
callbacks. Workers, beat, web, PostgreSQL, Valkey and the sandbox are killed with -9 and started
again. Every tenth person is outside her hours until some of the kills are done. With
`--mode cascade` an SMS follows what did not arrive within a minute, so the kills must go on for
longer (`--kills 10 --seconds 12`). Prints one JSON object; exits 1 when anything was lost, sent
twice or left hanging.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.embedded.command import die_with_parent
from config.embedded.instance import Instance
from config.embedded.server import Server
from config.supervisor import Program, first_free_port, services

ROOT = Path(__file__).resolve().parent.parent
SECRET = "chaos-secret"
WINDOW = 50
FAULTS = [
    {"kind": "drop_before_accept", "share": 0.004},
    {"kind": "drop_after_accept", "share": 0.004},
    {"kind": "answer_late", "share": 0.001, "delay_ms": 12_000},
    {"kind": "slow_answer", "share": 0.001, "delay_ms": 5},
    {"kind": "server_error", "share": 0.01},
    {"kind": "rate_limited", "share": 0.001, "retry_after": 1},
    {"kind": "duplicate_callbacks", "share": 0.05},
    {"kind": "reorder_callbacks", "share": 0.05},
]
# Who is killed how often, in parts.
TARGETS = {
    "dispatch": 5, "dispatch-2": 5, "worker": 3, "web": 3, "beat": 1, "sandbox": 3,
    "PostgreSQL": 3, "Valkey": 2,
}  # fmt: skip
QUIET_SECONDS = 240.0


@dataclass
class Stage:
    """The processes of one rehearsal; `server` and program names are what may be killed."""

    instance: Instance
    folder: Path
    environment: dict[str, str]
    users: list[tuple[Server, Any]] = field(default_factory=list)
    programs: dict[str, Program] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ended: Counter[str] = field(default_factory=Counter)

    def start_servers(self) -> None:
        with self.instance.locked() as servers:
            for server in servers:
                users = server.count_in()
                server.ensure_running(users)
                self.users.append((server, users))
                self.environment |= server.urls

    def start(self, name: str) -> None:
        with open(self.folder / f"{name}.log", "ab") as log:
            self.running[name] = subprocess.Popen(
                self.programs[name].command,
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def kill(self, name: str) -> None:
        """Kill -9, all of it; and start it again a moment later."""
        for server, users in self.users:
            if server.title == name:
                for pid in server.processes():
                    _kill(pid)
                time.sleep(random.uniform(0.1, 1.0))
                with self.instance.locked():
                    server.ensure_running(users)
                return
        process = self.running[name]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(random.uniform(0.0, 1.0))
        self.start(name)

    def revive(self) -> None:
        """Start what ended by itself, as its manager would: beat, say, that found no database."""
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                self.ended[name] += 1
                self.start(name)

    def stop(self) -> None:
        for process in self.running.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        with self.instance.locked():
            for server, users in self.users:
                server.count_out(users)
        self.instance.erase()

    def sandbox(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.environment['SANDBOX_URL']}/_sandbox/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"},
            method=method,
        )
        give_up_at = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(request, timeout=30) as response:
                    return json.loads(response.read() or b"null")
            except OSError:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(0.5)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=3.0, help="between kills, on average")
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time")
    parser.add_argument("--mode", choices=["single", "cascade"], default="single")
    parser.add_argument("--instance", default="chaos")
    options = parser.parse_args()
    seed = options.seed or random.SystemRandom().randrange(1, 10**6)
    random.seed(seed)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        stage = _stage(options.instance, folder)
        stack.callback(stage.stop)
        stage.start_servers()
        os.environ |= stage.environment
        told = rehearse(stage, options.messages, options.kills, options.seconds, options.mode)
    told = {"bench": "chaos", "mode": options.mode, "seed": seed} | told
    print(json.dumps(told), flush=True)
    if told["wrong"]:
        print(f"The logs are in {folder}.", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    return 0


def _stage(instance: str, folder: Path) -> Stage:
    web, sandbox = first_free_port(8300), first_free_port(8350)
    known = {name: value for name, value in os.environ.items() if not _names_a_server(name)}
    environment = known | {
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{web}",
        "SANDBOX_URL": f"http://127.0.0.1:{sandbox}",
        "SANDBOX_HOST": "127.0.0.1",
        "SANDBOX_PORT": str(sandbox),
        "SANDBOX_DATA_DIR": str(folder / "sandbox"),
        "SANDBOX_SECRET": SECRET,
        "SPOOL_DIR": str(folder / "spool"),
        "LOG_LEVEL": "WARNING",
    }
    for name in list(os.environ):
        if _names_a_server(name):
            del os.environ[name]
    stage = Stage(Instance(instance), folder, environment)
    stage.programs = {program.name: program for program in services(web)}
    dispatch = stage.programs["dispatch"]
    stage.programs["dispatch-2"] = Program(
        "dispatch-2",
        tuple(part.replace("dispatch@", "dispatch-2@") for part in dispatch.command),
    )
    return stage


def _names_a_server(name: str) -> bool:
    return name.startswith(("DATABASE_", "BROKER_", "CACHE_"))


def rehearse(stage: Stage, messages: int, kills: int, seconds: float, mode: str) -> dict[str, Any]:
    """Send, kill, wait until nothing moves any more, and compare."""
    from bench import chaos_campaign as campaign

    campaign.prepare()
    for name in stage.programs:
        stage.start(name)
    asleep_for = kills * seconds / 2
    tenant_id, run_id, held = campaign.freeze(stage.sandbox, messages, asleep_for, mode)
    accounts = campaign.ACCOUNTS[mode]
    for account in accounts:
        stage.sandbox("POST", "plan", {"account": account, "faults": FAULTS})
    begun = time.monotonic()
    killed: Counter[str] = Counter()
    while killed.total() < kills:
        time.sleep(random.uniform(0.3, 1.7) * seconds)
        name = random.choices(list(TARGETS), list(TARGETS.values()))[0]
        stage.revive()
        stage.kill(name)
        killed[name] += 1
        if killed.total() % 10 == 0:
            print(killed.total(), campaign.states(tenant_id, run_id), file=sys.stderr)
    for account in accounts:
        stage.sandbox("POST", "plan", {"account": account, "faults": []})
    states = _wait_until_still(stage, tenant_id, run_id)
    took = time.monotonic() - begun
    ledger = _ledger(stage)
    told = campaign.compare(tenant_id, run_id, ledger)
    windows = (killed["dispatch"] + killed["dispatch-2"]) * WINDOW * len(accounts)
    wrong = told.pop("wrong")
    if told["unknown_though_answered"] > windows:
        wrong.append("more unknown than one window a kill")
    return {
        "n": messages,
        "seconds": round(took),
        "kills": killed.total(),
        "killed": dict(killed),
        "held_at_first": held,
        "ended": dict(stage.ended),
        "states": states,
        **told,
        "wrong": wrong,
    }


def _wait_until_still(stage: Stage, tenant_id: uuid.UUID, run_id: uuid.UUID) -> dict[str, int]:
    """The states once nothing waits and no callback is owed any more, or nothing moves."""
    from bench import chaos_campaign as campaign

    last: dict[str, int] = {}
    give_up_at = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < give_up_at:
        stage.revive()
        states = campaign.states(tenant_id, run_id)
        if states != last:
            last, give_up_at = states, time.monotonic() + QUIET_SECONDS
        owed = stage.sandbox("GET", "ledger/summary")["owed"]
        waits = states.get("queued") or states.get("sending") or owed
        if not waits and campaign.is_through(tenant_id, run_id):
            return campaign.states(tenant_id, run_id)
        time.sleep(2)
    return last


def _ledger(stage: Stage) -> dict[str, dict[str, Any]]:
    """What the sandbox accepted, by our message id."""
    found: dict[str, dict[str, Any]] = {}
    after = ""
    while True:
        page = stage.sandbox("GET", f"ledger/ids?limit=5000&after={after}")
        found |= {entry["reference"]: entry for entry in page["ids"]}
        after = page["next"]
        if not after:
            return found


if __name__ == "__main__":
    sys.exit(main())
