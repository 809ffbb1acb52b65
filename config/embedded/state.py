import json
import os
import secrets
from pathlib import Path
from typing import Any


class State:
    """What an instance remembers between runs: generated passwords, Valkey's port, "keep running".

    Kept in one file that only the caller's account can read; every change is written at once.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._values: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def password(self, name: str) -> str:
        """The generated password of that name: hexadecimal, so safe inside a URL."""
        key = f"{name}_password"
        if key not in self._values:
            self._set(key, secrets.token_hex(24))
        return str(self._values[key])

    @property
    def valkey_port(self) -> int | None:
        return self._values.get("valkey_port")

    @valkey_port.setter
    def valkey_port(self, port: int) -> None:
        self._set("valkey_port", port)

    @property
    def is_kept(self) -> bool:
        """Whether the servers stay when their last user leaves."""
        return bool(self._values.get("keep"))

    @is_kept.setter
    def is_kept(self, keep: bool) -> None:
        self._set("keep", keep)

    def _set(self, key: str, value: object) -> None:
        self._values[key] = value
        unfinished = self.path.with_suffix(".new")
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self._values, file)
        os.replace(unfinished, self.path)
