"""The supervisor with programs of a few lines in place of web, workers and beat."""

import io
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from config.supervisor import (
    CHECKOUT,
    MARK,
    Program,
    ProgramError,
    Supervisor,
    call_when_ready,
    child_environment,
    end_leftovers,
    first_free_port,
    hold_port,
    services,
)

SLEEP = "import time; time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"


def python(name: str, code: str) -> Program:
    return Program(name, (sys.executable, "-c", code))


@pytest.fixture
def output():
    return io.StringIO()


@pytest.fixture
def supervisor(output):
    supervisor = Supervisor(dict(os.environ), output)
    yield supervisor
    supervisor.stop(grace=0)
    assert not any(is_alive(running.process.pid) for running in supervisor.running)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 20
    while is_alive(pid):
        assert time.monotonic() < deadline, f"{pid} is still there"
        time.sleep(0.05)


def test_output_is_prefixed_line_by_line(supervisor, output):
    lines = supervisor.run_to_end(python("greeter", "print('one'); print(); print('two', end='')"))
    assert lines == ["one", "two"]
    assert output.getvalue() == "  greeter | one\n  greeter | two\n"


def test_much_output_arrives_whole(supervisor):
    lines = supervisor.run_to_end(python("talker", "for n in range(50_000): print(n)"))
    assert lines == [str(n) for n in range(50_000)]


def test_failed_setup_names_the_program_and_the_code(supervisor):
    with pytest.raises(ProgramError, match="bring-up ended with exit code 3"):
        supervisor.run_to_end(python("bring-up", "exit(3)"))


def test_death_of_one_program_is_told_by_name(supervisor):
    supervisor.run_to_end(python("bring-up", "pass"))
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(ProgramError, match="worker was killed by signal 9"):
        supervisor.run_together([python("web", SLEEP), python("worker", killed)])


def test_a_service_that_ends_well_has_died_too(supervisor):
    with pytest.raises(ProgramError, match="beat ended with exit code 0"):
        supervisor.run_together([python("beat", "print('done')"), python("web", SLEEP)])


def test_stop_asks_first_and_then_kills_with_all_descendants(supervisor, output, tmp_path):
    pids = tmp_path / "pids"
    parent = f"""
        import os, subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", {STUBBORN!r}])
        with open({str(pids)!r}, "w") as file:
            file.write(str(child.pid))
        {STUBBORN}
    """
    polite = "import signal; signal.signal(signal.SIGTERM, lambda *_: exit(0)); signal.pause()"
    ready = "print('ready', flush=True); "
    dies = (
        f"import os, time\nwhile not os.path.exists({str(pids)!r}): time.sleep(0.05)\ntime.sleep(1)"
    )
    with pytest.raises(ProgramError):
        supervisor.run_together(
            [
                python("stubborn", textwrap.dedent(parent)),
                python("polite", ready + polite),
                python("short", dies),
            ]
        )
    supervisor.stop(grace=1)
    stubborn, polite_one, _ = supervisor.running
    assert stubborn.process.returncode == -signal.SIGKILL
    assert polite_one.process.returncode == 0
    assert "stubborn does not stop" in output.getvalue()
    wait_until_gone(int(pids.read_text()))


def start_supervised(code: str) -> tuple[subprocess.Popen[str], int]:
    """A process that supervises `code`, and the pid that `code` printed first."""
    script = f"""
        import os, signal, sys
        from config.supervisor import Program, Supervisor
        supervisor = Supervisor(dict(os.environ), sys.stdout)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, supervisor.request_stop)
        try:
            supervisor.run_together([Program("child", (sys.executable, "-c", {code!r}))])
        except KeyboardInterrupt:
            supervisor.stop()
            sys.exit(0)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    return process, int(process.stdout.readline().rpartition("|")[2])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_everything(number):
    process, child = start_supervised(f"import os; print(os.getpid(), flush=True); {SLEEP}")
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == 0
    wait_until_gone(child)


def test_killed_supervisor_leaves_no_program_behind():
    process, child = start_supervised(f"import os; print(os.getpid(), flush=True); {SLEEP}")
    process.kill()
    process.communicate(timeout=30)
    wait_until_gone(child)


def test_taken_port_is_passed_over():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert first_free_port(port) > port


def test_a_held_port_is_nobody_elses():
    held = hold_port(8900)
    other = hold_port(held.number)
    assert other.number > held.number
    # Handed over, it stays ours though nobody listens on it yet.
    held.hand_over()
    third = hold_port(held.number)
    assert third.number not in (held.number, other.number)
    for port in (held, other, third):
        port.let_go()
    again = hold_port(held.number)
    assert again.number == held.number
    again.let_go()


def test_what_a_killed_supervisor_left_is_ended(monkeypatch, tmp_path):
    monkeypatch.setattr("config.supervisor.DIRECTORY", tmp_path)
    mine, others = (
        subprocess.Popen([sys.executable, "-c", STUBBORN], env=os.environ | {MARK: str(directory)})
        for directory in (tmp_path, tmp_path / "other")
    )
    try:
        assert end_leftovers() == 1
        assert mine.wait(20) == -signal.SIGKILL
        assert is_alive(others.pid)
        assert end_leftovers() == 0
    finally:
        for process in (mine, others):
            process.kill()
            process.wait()


def test_programs_carry_the_mark_of_their_supervisor(monkeypatch, tmp_path):
    monkeypatch.setattr("config.supervisor.DIRECTORY", tmp_path)
    assert child_environment(8000, 8025)[MARK] == str(tmp_path)


def test_greeting_waits_for_an_answer(supervisor):
    port = first_free_port(8900)
    calls = []
    server = f"""
        import http.server, time
        time.sleep(0.5)
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
        http.server.HTTPServer(("127.0.0.1", {port}), Handler).serve_forever()
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(server)]) as process:
        call_when_ready(f"http://127.0.0.1:{port}/healthz", lambda: calls.append("ready"))
        process.kill()
    assert calls == ["ready"]


def test_there_is_one_beat_and_dispatch_has_its_own_process():
    commands = {program.name: program.command for program in services(8000)}
    assert sum("beat" in command for command in commands.values()) == 1
    assert "--queues=campaign-messages" in commands["dispatch"]
    assert not any(part.startswith("--queues") for part in commands["worker"])
