"""Settings of the sandbox process, read from its environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class SettingsError(Exception):
    """A setting is missing or cannot be used."""


@dataclass(frozen=True, slots=True)
class Settings:
    host: str
    port: int
    data_dir: Path
    secret: str

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read ``SANDBOX_*``. The secret has no default: it guards the control endpoints."""
        secret = environ.get("SANDBOX_SECRET", "")
        if not secret:
            raise SettingsError("SANDBOX_SECRET must be set: it guards the control endpoints.")
        return cls(
            host=environ.get("SANDBOX_HOST", "127.0.0.1"),
            port=read_port(environ),
            data_dir=Path(environ.get("SANDBOX_DATA_DIR", ".local/sandbox")),
            secret=secret,
        )


def read_port(environ: Mapping[str, str]) -> int:
    """``SANDBOX_PORT``; 0 asks the system for a free one."""
    value = environ.get("SANDBOX_PORT", "8025")
    if not value.isdecimal() or int(value) > 65535:
        raise SettingsError(f"SANDBOX_PORT is not a port: {value!r}")
    return int(value)
