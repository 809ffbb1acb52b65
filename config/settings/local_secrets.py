"""Secrets of a development checkout, made once and kept in `.local/secrets.json` (mode 0600)."""

import contextlib
import json
import os
import secrets

from cryptography.fernet import Fernet

from config.env import BASE_DIR, env


def local_secrets() -> tuple[str, list[str]]:
    """(secret key, field encryption keys): from the environment, else generated and kept."""
    if env.str("SECRET_KEY", ""):
        return env.str("SECRET_KEY"), env.list("FIELD_KEYS")
    path = BASE_DIR / ".local" / "secrets.json"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        made = {
            "secret_key": secrets.token_urlsafe(50),
            "field_keys": [Fernet.generate_key().decode()],
        }
        partial = path.with_suffix(f".{os.getpid()}")
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(made, file)
        # Of several processes that start together, the first one wins.
        with contextlib.suppress(FileExistsError):
            os.link(partial, path)
        partial.unlink()
    kept = json.loads(path.read_text())
    return kept["secret_key"], kept["field_keys"]
