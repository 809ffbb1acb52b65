"""Settings of the sandbox process, read from its environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class SettingsError(Exception):
    """A setting is missing or cannot be used."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``smtp_port`` 0: the one it had before, or a free one. ``url`` empty: as it listens."""

    data_dir: Path
    secret: str
    url: str
    smtp_port: int

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read ``SANDBOX_*``. The secret has no default: it guards the control endpoints."""
        secret = environ.get("SANDBOX_SECRET", "")
        if not secret:
            raise SettingsError("SANDBOX_SECRET must be set: it guards the control endpoints.")
        return cls(
            data_dir=Path(environ.get("SANDBOX_DATA_DIR", ".local/sandbox")),
            secret=secret,
            url=environ.get("SANDBOX_URL", "").rstrip("/"),
            smtp_port=_port(environ, "SANDBOX_SMTP_PORT", "0"),
        )


def read_address(environ: Mapping[str, str]) -> tuple[str, int]:
    """``SANDBOX_HOST`` and ``SANDBOX_PORT``; port 0 asks the system for a free one."""
    return environ.get("SANDBOX_HOST", "127.0.0.1"), _port(environ, "SANDBOX_PORT", "8025")


def _port(environ: Mapping[str, str], name: str, default: str) -> int:
    value = environ.get(name, default)
    if not value.isdecimal() or int(value) > 65535:
        raise SettingsError(f"{name} is not a port: {value!r}")
    return int(value)
