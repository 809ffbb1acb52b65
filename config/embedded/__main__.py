"""python -m config.embedded {exec,start,stop,status,env,reset} [--instance NAME]"""

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from typing import IO

from config.embedded.command import run_command
from config.embedded.errors import ServerError
from config.embedded.instance import Instance
from config.embedded.server import Server

NOT_RUNNING = 3


def main() -> int:
    options = parse_arguments()
    try:
        instance = Instance(options.instance)
        if options.action == "exec":
            command = options.command[1:] if options.command[:1] == ["--"] else options.command
            return execute(instance, command)
        return {"start": start, "stop": stop, "status": status, "env": show, "reset": reset}[
            options.action
        ](instance)
    except (ServerError, PermissionError) as error:
        print(error, file=sys.stderr)
        return 1


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m config.embedded",
        description="Run PostgreSQL and Valkey for this checkout. A server named by DATABASE_URL "
        "or BROKER_URL in the environment is used instead and left alone.",
    )
    actions = parser.add_subparsers(dest="action", required=True)
    for name, description in {
        "exec": "run a command with the servers; the last one out stops them",
        "start": "start the servers and leave them running",
        "stop": "stop the servers",
        "status": "tell which servers answer and where their logs are",
        "env": "print the variables that name the servers, for eval",
        "reset": "throw all data of the instance away",
    }.items():
        action = actions.add_parser(name, help=description)
        action.add_argument("--instance", default="run", metavar="NAME")
        if name == "exec":
            action.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    return parser.parse_args()


def execute(instance: Instance, command: Sequence[str]) -> int:
    """Run `command` with the servers' addresses in its environment; returns its exit code."""
    if not command:
        raise ServerError("exec needs a command: exec -- COMMAND …")
    # Until the command stands there is nobody to pass a signal on to: stop by unwinding.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    used: list[tuple[Server, IO[str]]] = []
    try:
        environment = dict(os.environ)
        with instance.locked() as servers:
            for server in servers:
                if not server.is_replaced:
                    users = server.count_in()
                    used.append((server, users))
                    server.ensure_running(users)
                    environment |= server.urls

        def is_healthy() -> bool:
            lost = [server.title for server, _ in used if not server.processes()]
            if lost:
                print(f"{' and '.join(lost)} died. Stopping.", file=sys.stderr)
            return not lost

        files = [users.fileno() for _, users in used]
        return run_command(command, environment, pass_files=files, is_healthy=is_healthy)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    finally:
        with instance.locked():
            for server, users in used:
                server.count_out(users)


def start(instance: Instance) -> int:
    with instance.locked() as servers:
        for server in servers:
            with server.count_in() as users:
                server.ensure_running(users)
            server.state.is_kept = True
    return status(instance)


def stop(instance: Instance) -> int:
    instance.stop()
    return 0


def status(instance: Instance) -> int:
    """Returns 0 when both servers answer, else 3."""
    with instance.locked() as servers:
        running = [server.is_running() for server in servers]
        for server, answers in zip(servers, running, strict=True):
            use = ", in use" if server.is_used() else ""
            print(f"{server.title}: {'running' if answers else 'stopped'}{use}; log {server.log}")
    return 0 if all(running) else NOT_RUNNING


def show(instance: Instance) -> int:
    with instance.locked() as servers:
        for server in servers:
            if not server.is_running():
                raise ServerError(f"{server.title} does not run; `start` it first.")
            for name, value in server.urls.items():
                print(f"export {name}={shlex.quote(value)}")
    return 0


def reset(instance: Instance) -> int:
    instance.erase()
    return 0


if __name__ == "__main__":
    sys.exit(main())
