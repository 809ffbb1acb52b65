"""Typed reading of the environment. Secrets may also come from files (`NAME_FILE`)."""

from pathlib import Path
from typing import Any

from environ import Env

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()


def secret(name: str, default: str | None = None) -> str:
    """The value of `NAME`, or the stripped content of the file named by `NAME_FILE`.

    Raises `ImproperlyConfigured` when neither is set and there is no default.
    """
    path = env.str(f"{name}_FILE", "")
    if path:
        return Path(path).read_text().strip()
    if default is None:
        return str(env.str(name))
    return str(env.str(name, default))


def database(name: str) -> dict[str, Any]:
    """Django's settings of the PostgreSQL database at the URL in `NAME`.

    The host may be a socket directory: `postgres:///name?host=/run/parlour&user=…`.
    """
    config = dict(env.db_url_config(secret(name)))
    config["ENGINE"] = "marketing.core.postgresql"
    options = config.setdefault("OPTIONS", {})
    for key, setting in (("host", "HOST"), ("port", "PORT"), ("user", "USER")):
        if key in options:
            config[setting] = options.pop(key)
    if "password" in options:
        config["PASSWORD"] = options.pop("password")
    return config
