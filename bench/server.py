"""The product's WSGI application on the bench's database, and one that does nothing."""

import os
from collections.abc import Callable, Iterable
from typing import Any

if not os.environ.get("BENCH_NOTHING"):
    from bench import ground

    ground.use_database()
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
else:

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Read the request and answer it."""
        environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return [b""]
