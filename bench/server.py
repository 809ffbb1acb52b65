"""The product's WSGI application on the bench's database, or one that does nothing."""

import os
from collections.abc import Callable, Iterable
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def do_nothing(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Read the request and answer it."""
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "0")])
    return [b""]


def product() -> Application:
    from bench import ground

    ground.use_database()
    from config.wsgi import application

    return application


application: Application = do_nothing if os.environ.get("BENCH_NOTHING") else product()
