"""Finding our server processes without trusting pid files.

Every server of an instance carries the instance's label, which holds a hash of the checkout's
path, in its command line: a reused pid or another checkout's process is never mistaken for it.
"""

import os
import re
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path


def find_processes(program: str, label: str, uid: int) -> dict[int, str]:
    """Command lines, by pid, of the processes of `program` with `label`, owned by `uid`."""
    labelled = re.compile(rf"(?<![\w-]){re.escape(label)}(?![\w-])")
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            if entry.stat().st_uid != uid or (entry / "comm").read_text().strip() != program:
                continue
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if labelled.search(command):  # A zombie has no command line.
            found[int(entry.name)] = command
    return found


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether `condition` became true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
