"""Running one command as if it stood in the place of ours: signals, exit code, sudden death."""

import ctypes
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

WATCHED = {signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD}
CHECK_SECONDS = 2
NOT_FOUND = 127
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def die_with_parent() -> None:
    """Called in a child: have the kernel send it SIGTERM once its parent is gone, even by -9."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def run_command(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    pass_files: Sequence[int],
    is_healthy: Callable[[], bool],
) -> int:
    """Run `command` to its end and return its exit code, or 128 + the signal that ended it.

    Signals sent to us are passed on. When `is_healthy`, asked every two seconds, says no, the
    command is told to stop.
    """

    def prepare_child() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
        die_with_parent()

    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    try:
        child = subprocess.Popen(
            command, env=environment, pass_fds=pass_files, preexec_fn=prepare_child
        )
    except (FileNotFoundError, PermissionError) as error:
        print(error)
        return NOT_FOUND
    healthy = True
    next_check = time.monotonic() + CHECK_SECONDS
    while child.poll() is None:
        received = signal.sigtimedwait(WATCHED, CHECK_SECONDS)
        # What the terminal sends (si_code above 0) has reached the child too, in our process group.
        if received and received.si_signo != signal.SIGCHLD and received.si_code <= 0:
            child.send_signal(received.si_signo)
        if healthy and time.monotonic() > next_check:
            next_check = time.monotonic() + CHECK_SECONDS
            healthy = is_healthy()
            if not healthy:
                child.terminate()
    return child.returncode if child.returncode >= 0 else 128 - child.returncode
