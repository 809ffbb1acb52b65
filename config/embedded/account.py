"""The operating-system account the servers run under.

PostgreSQL refuses to run as root. An ordinary user runs the servers himself; root runs them as the
system user `parlour`, below that user's home, which is closed to everybody else.
"""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from config.embedded.errors import ServerError

SYSTEM_USER = "parlour"
SYSTEM_HOME = Path("/var/lib/parlour")


@dataclass(frozen=True)
class Account:
    """`home` is set for the system user only."""

    uid: int
    gid: int
    home: Path | None

    @property
    def spawn_options(self) -> dict[str, Any]:
        """Arguments for `subprocess` that make a program run under this account."""
        options: dict[str, Any] = {
            "umask": 0o077,
            "env": {"PATH": os.defpath, "LC_ALL": "C"},
            "stdin": subprocess.DEVNULL,
        }
        if self.home:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def run(self, command: Sequence[str | Path], cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **self.spawn_options,
        )

    def make_directory(self, path: Path) -> None:
        """Make sure `path` is a directory of this account that nobody else may enter.

        Raises `ServerError` when somebody else's directory or a link is in its place.
        """
        try:
            path.mkdir(mode=0o700)
            os.chown(path, self.uid, self.gid)
        except FileExistsError:
            status = path.lstat()
            if path.is_symlink() or not path.is_dir() or status.st_uid != self.uid:
                raise ServerError(
                    f"{path} exists and is not a directory of uid {self.uid}."
                ) from None
            path.chmod(0o700)

    def write_file(self, path: Path, content: str) -> None:
        """Write a file only this account can read."""
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            os.fchown(file.fileno(), self.uid, self.gid)
            file.write(content)


@cache
def current_account() -> Account:
    """The calling user or, for root, the system user, created when missing."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), home=None)
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        entry = _create_system_user()
    account = Account(entry.pw_uid, entry.pw_gid, home=SYSTEM_HOME)
    account.make_directory(SYSTEM_HOME)
    return account


def _create_system_user() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--user-group", "--no-create-home"]
    command += ["--home-dir", str(SYSTEM_HOME), "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    try:
        result = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise ServerError(
            f"Root needs the system user {SYSTEM_USER!r}; please create it."
        ) from None
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise ServerError(f"useradd failed: {result.stderr.strip()}") from None
